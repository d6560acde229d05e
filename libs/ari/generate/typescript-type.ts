import type { AllowableValues } from './api-docs.ts';

const SIMPLE: Readonly<Record<string, string>> = {
  string: 'string',
  Date: 'string',
  int: 'number',
  long: 'number',
  double: 'number',
  boolean: 'boolean',
  binary: 'Uint8Array',
  void: 'void',
  object: 'Record<string, unknown>',
  containers: 'Record<string, unknown>',
};

/** What the docs call only "object", by `Model.property` or `resource.operation.parameter`; seen on Asterisk 22.10.1. */
const KNOWN_BETTER: Readonly<Record<string, string>> = {
  'Application.events_allowed': '{ type: string }[]',
  'Application.events_disallowed': '{ type: string }[]',
  'Bridge.bridgevars': 'Record<string, string>',
  'Channel.channelvars': 'Record<string, string>',
  'TextMessage.variables': 'Record<string, string>',
  'Variables.variables': 'Record<string, string>',
  'applications.filter.filter':
    '{ allowed?: readonly { type: string }[] | undefined; disallowed?: readonly { type: string }[] | undefined }',
  'asterisk.updateObject.fields': 'readonly m.ConfigTuple[]',
  ...Object.fromEntries(
    [
      'bridges.create',
      'bridges.createWithId',
      'bridges.setBridgeVars',
      'channels.create',
      'channels.externalMedia',
      'channels.originate',
      'channels.originateWithId',
      'channels.setChannelVars',
    ].map((operation) => [
      `${operation}.variables`,
      'Record<string, string | { value: string; report_events?: boolean | undefined }>',
    ]),
  ),
};

export interface Typed {
  /** Where it stands, for what is known better: `Channel.channelvars`, `channels.create.variables`. */
  readonly where: string;
  readonly type: string;
  readonly allowableValues?: AllowableValues | undefined;
}

/** The TypeScript type of a Swagger type; `modelName` says how a model is called in the file that is written. */
export function typescriptType({ where, type, allowableValues }: Typed, modelName: (model: string) => string): string {
  const better = KNOWN_BETTER[where];
  if (better !== undefined) return better;
  if (type === 'string' && allowableValues?.valueType === 'LIST')
    return allowableValues.values.map((value) => `'${value}'`).join(' | ');
  const item = /^List\[(.+)\]$/.exec(type)?.[1];
  if (item !== undefined) return `${typescriptType({ where, type: item }, modelName)}[]`;
  return SIMPLE[type] ?? modelName(type);
}
