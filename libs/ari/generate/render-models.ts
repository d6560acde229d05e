import { type ApiDocs, descendants, modelsOf } from './api-docs.ts';
import { header, renderInterface } from './interface.ts';

/** `models.gen.ts`: every model that is not itself a message of the event socket. */
export function renderModels(docs: ApiDocs): string {
  const models = modelsOf(docs);
  const messages = new Set(['Message', ...descendants(models, 'Message')]);
  const modelName = (name: string): string => {
    if (models.has(name) && !messages.has(name)) return name;
    throw new Error(`the api-docs use the type ${name}, which they do not define`);
  };
  const interfaces = [...models]
    .filter(([name]) => !messages.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, model]) => renderInterface(model, { name, modelName }));
  return header(docs.version) + interfaces.join('\n');
}
