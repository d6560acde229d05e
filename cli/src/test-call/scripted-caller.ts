import type { EndpointAnswer, PartyDoing } from '@callfleet/calls/testing';

/** What the caller does, as the command line says it. */
export interface CallerPlan {
  /** `1,2#`: what is pressed each time the program waits for digits. */
  dtmf?: string | undefined;
  /** How long after that, `2s`. Default 1s. */
  pressAfter?: string | undefined;
  /** When the caller hangs up at the latest, `3s`. Default: when the program waits and nothing else would happen, or after ten minutes. */
  hangupAfter?: string | undefined;
}

/** An option of the command line can't be understood. */
class TestCallError extends Error {
  override readonly name = 'TestCallError';
  readonly code = 'CF_TEST_CALL_REFUSED';
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };
const ANSWERS: readonly EndpointAnswer[] = ['answers', 'busy', 'no-answer', 'rejects', 'unreachable'];
/** The program waits for digits, of the caller. */
const WAITS_FOR_DIGITS = /^(gather|next digit)$/;

/** `3s`, `500ms`, `2m`, as milliseconds; a number alone is seconds. @throws TestCallError */
function durationMs(text: string, option: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  if (number === undefined) throw new TestCallError(`${option}: "${text}" is no duration; accepted: 3s, 500ms, 2m`);
  return Number(number) * (UNITS[unit] as number);
}

/** Since the call came in, milliseconds. @throws TestCallError */
export function hangUpTime({ hangupAfter }: CallerPlan): number | undefined {
  return hangupAfter === undefined ? undefined : durationMs(hangupAfter, '--hangup-after');
}

/** @throws TestCallError */
export function pressesOf({ dtmf, pressAfter = '1s' }: CallerPlan): PartyDoing[] {
  const after = durationMs(pressAfter, '--press-after');
  if (dtmf === undefined) return [];
  return dtmf.split(',').map((press) => {
    if (!/^[0-9*#A-D]+$/.test(press))
      throw new TestCallError(
        `--dtmf: "${press}" is no row of digits; accepted: 0-9 * # A-D, with commas between the waits`,
      );
    return { at: WAITS_FOR_DIGITS, after, press };
  });
}

/** `NAME=value`, several. @throws TestCallError */
export function pairsOf(texts: readonly string[], option: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new TestCallError(`${option}: "${text}" has no name and value; accepted: NAME=value`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** `PJSIP/agent=busy`, several. @throws TestCallError */
export function answersOf(texts: readonly string[]): Record<string, EndpointAnswer> {
  return Object.fromEntries(
    Object.entries(pairsOf(texts, '--answer')).map(([endpoint, text]) => {
      const answer = ANSWERS.find((known) => known === text);
      if (!answer) throw new TestCallError(`--answer: ${endpoint} can't do "${text}"; accepted: ${ANSWERS.join(', ')}`);
      return [endpoint, answer];
    }),
  );
}

/** `name={"json":true}`, several. @throws TestCallError */
export function stepsOf(texts: readonly string[]): Record<string, () => unknown> {
  return Object.fromEntries(
    Object.entries(pairsOf(texts, '--step')).map(([name, json]) => {
      try {
        const result: unknown = JSON.parse(json);
        return [name, () => result];
      } catch {
        throw new TestCallError(`--step: what "${name}" returns is no JSON: ${json}`);
      }
    }),
  );
}
