import type { EndpointAnswer, PartyDoing } from '@callfleet/calls/testing';
import { durationMs, OptionError, pairsOf } from '../option-values.ts';

/** What the caller does, as the command line says it. */
export interface CallerPlan {
  /** `1,2#`: what is pressed each time the program waits for digits. */
  dtmf?: string | undefined;
  /** How long after that, `2s`. Default 1s. */
  pressAfter?: string | undefined;
  /** When the caller hangs up at the latest, `3s`. Default: when the program waits and nothing else would happen, or after ten minutes. */
  hangupAfter?: string | undefined;
}

const ANSWERS: readonly EndpointAnswer[] = ['answers', 'busy', 'no-answer', 'rejects', 'congested', 'unreachable'];
/** The program waits for digits, of the caller. */
const WAITS_FOR_DIGITS = /^(gather|next digit)$/;

/** Since the call came in, milliseconds. @throws OptionError */
export function hangUpTime({ hangupAfter }: CallerPlan): number | undefined {
  return hangupAfter === undefined ? undefined : durationMs(hangupAfter, '--hangup-after');
}

/** @throws OptionError */
export function pressesOf({ dtmf, pressAfter = '1s' }: CallerPlan): PartyDoing[] {
  const after = durationMs(pressAfter, '--press-after');
  if (dtmf === undefined) return [];
  return dtmf.split(',').map((press) => {
    if (!/^[0-9*#A-D]+$/.test(press))
      throw new OptionError(
        `--dtmf: "${press}" is no row of digits; accepted: 0-9 * # A-D, with commas between the waits`,
      );
    return { at: WAITS_FOR_DIGITS, after, press };
  });
}

/** `PJSIP/agent=busy`, several. @throws OptionError */
export function answersOf(texts: readonly string[]): Record<string, EndpointAnswer> {
  return Object.fromEntries(
    Object.entries(pairsOf(texts, '--answer')).map(([endpoint, text]) => {
      const answer = ANSWERS.find((known) => known === text);
      if (!answer) throw new OptionError(`--answer: ${endpoint} can't do "${text}"; accepted: ${ANSWERS.join(', ')}`);
      return [endpoint, answer];
    }),
  );
}

/** `name={"json":true}`, several. @throws OptionError */
export function stepsOf(texts: readonly string[]): Record<string, () => unknown> {
  return Object.fromEntries(
    Object.entries(pairsOf(texts, '--step')).map(([name, json]) => {
      try {
        const result: unknown = JSON.parse(json);
        return [name, () => result];
      } catch {
        throw new OptionError(`--step: what "${name}" returns is no JSON: ${json}`);
      }
    }),
  );
}
