import { z } from 'zod';

/** Nobody listens to more at once, characters. */
const MAX_TEXT = 1000;
const MAX_STATES = 200;

const placeholders = ['digits', 'heardMs', 'callSeconds', 'result'] as const;

/** What stands in a text for what is known only during the call. */
export interface DialogueValues {
  /** What the caller pressed last. */
  readonly digits: string;
  /** How long the caller spoke last. */
  readonly heardMs: number;
  readonly callSeconds: number;
  /** Of the last tool. */
  readonly result: string;
}

const state = z.strictObject({
  /** What the bot says when it gets here. */
  say: z.string().min(1).max(MAX_TEXT).optional(),
  /** Where it goes from here. */
  on: z
    .strictObject({
      digits: z.record(z.string(), z.string()).default({}),
      /** The caller said something. */
      speech: z.string().optional(),
      /** The bot has come to its end, and the caller did nothing for `silenceAfterMs`. */
      silence: z.string().optional(),
      silenceAfterMs: z.int().min(500).max(600_000).default(5000),
    })
    .optional(),
  /** Reads a number: so many digits, or fewer that a pause or the finish key ends. */
  collect: z
    .strictObject({
      count: z.int().min(1).max(64).default(64),
      finishKey: z
        .string()
        .regex(/^[0-9*#A-D]$/)
        .nullable()
        .default('#'),
      timeoutMs: z.int().min(200).max(30_000).default(3000),
      to: z.string(),
    })
    .optional(),
  /** Has the program do something, and goes on when it is done. */
  tool: z
    .strictObject({
      name: z.string().min(1).max(64),
      arguments: z.record(z.string(), z.json()).default({}),
      to: z.string(),
    })
    .optional(),
  /** Ends the conversation, with this reason. */
  end: z.string().min(1).max(200).optional(),
});

export type DialogueState = z.output<typeof state>;

/** A whole conversation: what the bot says, and what each thing that the caller does leads to. */
export const dialogueSchema = z
  .strictObject({ start: z.string(), states: z.record(z.string().min(1).max(64), state) })
  .superRefine(({ start, states }, { addIssue }) => {
    const wrong = (path: readonly string[], message: string) =>
      addIssue({ code: 'custom', path: [...path], message, input: undefined });
    const names = Object.keys(states);
    if (names.length > MAX_STATES) wrong(['states'], `has ${names.length} states, more than ${MAX_STATES}`);
    for (const { path, to } of [{ path: ['start'], to: start }, ...names.flatMap((name) => waysFrom(name, states))])
      if (!Object.hasOwn(states, to)) wrong(path, `there is no state "${to}" (accepted: ${names.join(', ')})`);
    const reached = reachableFrom(start, states);
    for (const [name, each] of Object.entries(states)) {
      for (const what of contradictionsIn(each)) wrong(['states', name], what);
      if (!reached.has(name)) wrong(['states', name], `can't be reached from "${start}"`);
    }
  });

export type Dialogue = z.output<typeof dialogueSchema>;

/** What the bot says, with what is known by now. Digits are said one by one. */
export function spokenText(text: string, values: DialogueValues): string {
  const digits = [...values.digits].join(' ').replaceAll('*', 'star').replaceAll('#', 'hash');
  return filled(text, { ...values, digits, result: values.result.slice(0, MAX_TEXT) });
}

/** A tool's arguments with what is known by now. */
export function filledArguments(
  given: Readonly<Record<string, unknown>>,
  values: DialogueValues,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, typeof value === 'string' ? filled(value, values) : value]),
  );
}

/** Whether a text is the same in every call. */
export function isFixed(text: string): boolean {
  return !text.includes('{{');
}

function filled(text: string, values: DialogueValues): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: keyof DialogueValues) => String(values[name]));
}

function waysFrom(name: string, states: Readonly<Record<string, DialogueState>>) {
  const { on, collect, tool } = states[name] ?? {};
  const ways = [
    ...Object.entries(on?.digits ?? {}).map(([key, to]) => ({ at: ['on', 'digits', key], to })),
    { at: ['on', 'speech'], to: on?.speech },
    { at: ['on', 'silence'], to: on?.silence },
    { at: ['collect', 'to'], to: collect?.to },
    { at: ['tool', 'to'], to: tool?.to },
  ];
  return ways.flatMap(({ at, to }) => (to === undefined ? [] : [{ path: ['states', name, ...at], to }]));
}

/** The nearest first, itself included. */
export function reachableFrom(start: string, states: Readonly<Record<string, DialogueState>>): ReadonlySet<string> {
  const reached = new Set([start]);
  for (const name of reached) for (const { to } of waysFrom(name, states)) reached.add(to);
  return reached;
}

function contradictionsIn({ say = '', on, collect, tool, end }: DialogueState): string[] {
  const has = Object.entries({ on, collect, tool, end }).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );
  const found: string[] = [];
  const leadsOn = on && (Object.keys(on.digits).length > 0 || on.speech !== undefined || on.silence !== undefined);
  if (!leadsOn && !collect && !tool && end === undefined)
    found.push('leads nowhere (accepted: on with digits, speech or silence; collect; tool; end)');
  if (end !== undefined && has.length > 1) found.push(`has "end", and so no ${has.slice(0, -1).join(', ')}`);
  if (tool && (on || collect)) found.push('has "tool", which alone leads on: no on, collect');
  if (collect && Object.keys(on?.digits ?? {}).length > 0)
    found.push('has "collect", which takes all keys: no on.digits');
  for (const key of Object.keys(on?.digits ?? {}))
    if (!/^[0-9*#A-D]$/.test(key)) found.push(`has on.digits for "${key}" (accepted: 0-9 * # A-D, one of them)`);
  const texts = [say, ...Object.values(tool?.arguments ?? {}).filter((value) => typeof value === 'string')];
  for (const [whole, name = ''] of texts.flatMap((text) => [...text.matchAll(/\{\{(.*?)(?:\}\}|$)/g)]))
    if (!placeholders.some((known) => whole === `{{${known}}}`))
      found.push(`has {{${name}}} (accepted: ${placeholders.map((known) => `{{${known}}}`).join(', ')})`);
  return found;
}
