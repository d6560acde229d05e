import { type ApiDocs, descendants, type Model, modelsOf } from './api-docs.ts';
import { header, renderInterface } from './interface.ts';

/** `Event` is a global of Node too, so the two bases get names of their own. */
const NAMES: Readonly<Record<string, string>> = { Message: 'AriMessage', Event: 'AriEventBase' };

/** Models whose ids tell which call an event belongs to. */
const SUBJECT_KINDS = ['Channel', 'Bridge', 'Playback', 'LiveRecording', 'Endpoint'];

/** Ids that an event carries as plain text, outside any model. */
const PLAIN_IDS: Readonly<Record<string, string>> = {
  'BridgeAttendedTransfer.destination_bridge': 'BridgeId',
  'BridgeVideoSourceChanged.old_video_source_id': 'ChannelId',
};

/** `events.gen.ts`: every event, their union, their names, and where each carries ids. */
export function renderEvents(docs: ApiDocs): string {
  const models = modelsOf(docs);
  const messages = ['Message', ...descendants(models, 'Message')];
  const events = descendants(models, 'Event').sort();
  const parents = new Map([...models].flatMap(([parent, model]) => model.subTypes.map((child) => [child, parent])));
  const modelName = (name: string) => NAMES[name] ?? (messages.includes(name) ? name : `m.${name}`);

  const interfaces = messages.sort().map((name) => {
    const isBase = name in NAMES;
    const parent = parents.get(name);
    return renderInterface(modelNamed(models, name), {
      name: modelName(name),
      base: parent === undefined ? undefined : modelName(parent),
      head: isBase ? undefined : `  type: '${name}';\n`,
      modelName,
    });
  });

  return [
    `${header(docs.version)}import type * as m from './models.gen.ts';\n`,
    ...interfaces,
    `/** Every event that Asterisk ${docs.version} knows, told apart by \`type\`. */
export type AriEvent =\n${events.map((name) => `  | ${name}`).join('\n')};\n`,
    `/** The \`type\` of every event that Asterisk ${docs.version} knows. */
export const ARI_EVENT_TYPES = [\n${events.map((name) => `  '${name}',\n`).join('')}] as const satisfies readonly AriEvent['type'][];\n`,
    `/** What stands at \`path\` in an event: a model with an id, or an id as plain text. */
export interface EventSubject {
  readonly kind: ${[...SUBJECT_KINDS, ...new Set(Object.values(PLAIN_IDS))].map((kind) => `'${kind}'`).join(' | ')};
  readonly path: readonly string[];
}\n`,
    `/** Where each event carries ids; those that it always has come first. */
export const EVENT_SUBJECTS: Readonly<Record<AriEvent['type'], readonly EventSubject[]>> = {\n${events
      .map((name) => `  ${name}: ${renderSubjects(models, name)},\n`)
      .join('')}};\n`,
  ].join('\n');
}

interface Subject {
  readonly kind: string;
  readonly path: readonly string[];
  readonly always: boolean;
}

function renderSubjects(models: ReadonlyMap<string, Model>, event: string): string {
  const subjects = subjectsOf(models, event);
  const ordered = [...subjects.filter((one) => one.always), ...subjects.filter((one) => !one.always)];
  if (ordered.length === 0) return '[]';
  const items = ordered.map(
    ({ kind, path }) => `{ kind: '${kind}', path: [${path.map((part) => `'${part}'`).join(', ')}] }`,
  );
  return items.length === 1 ? `[${items[0]}]` : `[\n${items.map((item) => `    ${item},\n`).join('')}  ]`;
}

function subjectsOf(models: ReadonlyMap<string, Model>, name: string): Subject[] {
  return Object.entries(models.get(name)?.properties ?? {}).flatMap(([key, { type, required }]) => {
    const plain = PLAIN_IDS[`${name}.${key}`];
    if (plain !== undefined) return [{ kind: plain, path: [key], always: required }];
    if (SUBJECT_KINDS.includes(type)) return [{ kind: type, path: [key], always: required }];
    return subjectsOf(models, type).map((inner) => ({
      kind: inner.kind,
      path: [key, ...inner.path],
      always: required && inner.always,
    }));
  });
}

function modelNamed(models: ReadonlyMap<string, Model>, name: string): Model {
  const model = models.get(name);
  if (model === undefined) throw new Error(`the api-docs name ${name} as a message, but do not define it`);
  return model;
}
