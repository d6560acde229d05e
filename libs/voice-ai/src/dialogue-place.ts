import { type Dialogue, type DialogueState, type DialogueValues, reachableFrom } from './dialogue.ts';
import type { VoiceContext } from './provider.ts';

/** Where in its dialogue a bot goes on, and what it knows there. */
export interface DialoguePlace extends Pick<DialogueValues, 'digits' | 'heardMs' | 'result'> {
  readonly state: string;
}

/** As the bot tells of a caller who spoke, or pressed keys. */
const SPEECH = /^\((\d+) ms of speech\)$/;
const KEYS = /^[0-9*#A-D]( [0-9*#A-D])*$/;
/** The end of what was not heard to its end. */
const CUT = ' ...';

/** Where a conversation had come to of which this was said, in a session that is lost. What another bot said leads nowhere. */
export function placeIn({ start, states }: Dialogue, history: VoiceContext['history']): DialoguePlace {
  let place: DialoguePlace = { state: start, digits: '', heardMs: 0, result: '' };
  for (const { role, text } of history) {
    const state = states[place.state] as DialogueState;
    place = { ...place, ...(role === 'bot' ? afterBot(place.state, states, text) : afterCaller(state, text)) };
  }
  return place;
}

/** The nearest state from there on that says this. */
function afterBot(from: string, states: Dialogue['states'], text: string): Partial<DialoguePlace> {
  for (const state of new Set([...reachableFrom(from, states), ...Object.keys(states)])) {
    const said = saidBy(states[state]?.say ?? '', text);
    if (said) return { state, ...said };
  }
  return {};
}

/** @returns undefined where it did not say that */
function saidBy(say: string, text: string): { result?: string } | undefined {
  if (say === '') return undefined;
  if (!text.endsWith(CUT)) {
    const names = [...say.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name);
    const literals = say.split(/\{\{\w+\}\}/).map((literal) => RegExp.escape(literal));
    const match = new RegExp(`^${literals.join('(.*)')}$`, 's').exec(text);
    const result = match?.[names.indexOf('result') + 1];
    return match ? { ...(names.includes('result') && result !== undefined && { result }) } : undefined;
  }
  const heard = text.slice(0, -CUT.length);
  const [beginning = ''] = say.split('{{');
  return beginning.startsWith(heard) || (beginning !== '' && heard.startsWith(beginning)) ? {} : undefined;
}

function afterCaller({ on, collect }: DialogueState, text: string): Partial<DialoguePlace> {
  const [, spokenMs] = SPEECH.exec(text) ?? [];
  if (spokenMs !== undefined)
    return { heardMs: Number(spokenMs), ...(on?.speech !== undefined && { state: on.speech }) };
  if (!KEYS.test(text)) return {};
  const keys = text.split(' ');
  if (collect) {
    const isEnded = keys.length > 1 && keys.at(-1) === collect.finishKey;
    return { state: collect.to, digits: (isEnded ? keys.slice(0, -1) : keys).join('') };
  }
  const key = keys.at(-1) as string;
  const state = on?.digits[key];
  return state === undefined ? {} : { state, digits: key };
}
