import type { Model } from './api-docs.ts';
import { docComment } from './doc-comment.ts';
import { typescriptType } from './typescript-type.ts';

export interface InterfaceOptions {
  readonly name: string;
  readonly base?: string | undefined;
  /** First lines inside, such as an event's own `type`. */
  readonly head?: string | undefined;
  readonly modelName: (model: string) => string;
}

/** A model as an exported interface. */
export function renderInterface(model: Model, { name, base, head, modelName }: InterfaceOptions): string {
  const fields = Object.entries(model.properties).map(([key, property]) => {
    const type = typescriptType({ ...property, where: `${model.id}.${key}` }, modelName);
    const mark = property.required ? '' : '?';
    return `${docComment('  ', [property.description])}  ${key}${mark}: ${type};\n`;
  });
  const heritage = base === undefined ? '' : ` extends ${base}`;
  return `${docComment('', [model.description])}export interface ${name}${heritage} {\n${head ?? ''}${fields.join('')}}\n`;
}

/** First line of every generated file. */
export function header(version: string): string {
  return `// Generated from the api-docs of Asterisk ${version} by \`npm run generate:ari\`. Do not edit.\n\n`;
}
