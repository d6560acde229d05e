import { setTimeout as wait } from 'node:timers/promises';
import { type Asterisk, type HeardSpeech, placeCall, type SipCall, speechIn } from '@callfleet/testkit';
import type { CallRecords } from '../call-records.ts';
import type { TalkReport } from './talk-report.ts';

/** A call that talks with the bot of `examples/dialogue-bot.ts`. */
export interface TalkCall {
  readonly caller: string;
  readonly pbx: Asterisk;
  readonly extension: '400';
}

const ANSWER_LIMIT_MS = 10_000;
const BEGIN_LIMIT_MS = 5000;
const SENTENCE_LIMIT_MS = 20_000;
/** The bot has finished when it was silent for so long: longer than between its sentences. */
const QUIET_MS = 900;
const STORY_MS = 1500;
const SPEAK_MS = 1200;

export function talkCalls(pbxs: readonly Asterisk[]): TalkCall[] {
  return pbxs.map((pbx, n) => ({ caller: String(1001 + n), pbx, extension: '400' }));
}

/** Listens to the greeting, presses a key, has a story told, speaks into it, and is told good-bye. */
export async function runTalkCall(
  call: TalkCall,
  records: CallRecords,
  tell: (call: TalkCall, what: string) => void,
): Promise<TalkReport> {
  const { caller, pbx, extension } = call;
  const sip = await placeCall({
    to: pbx.sipAddress,
    extension,
    from: caller,
    ringTimeoutMs: ANSWER_LIMIT_MS,
    maxMs: 90_000,
  });
  const seen: { -readonly [K in keyof TalkReport]?: TalkReport[K] } = {};
  try {
    seen.answeredMs = (await sip.answered).setupMs;
    tell(call, `answered after ${Math.round(seen.answeredMs)} ms`);
    const greeting = await sentence(sip, sip.now());
    seen.greeting = greeting;
    tell(call, `hears a greeting: ${inWords(greeting)}`);

    const pressedAt = sip.now();
    sip.sendDtmf('1');
    seen.answer = await sentence(sip, pressedAt);
    seen.answerAfterMs = seen.answer.fromMs - pressedAt;
    tell(call, `presses 1, and hears after ${Math.round(seen.answerAfterMs)} ms: ${inWords(seen.answer)}`);

    const storyAt = sip.now();
    sip.sendDtmf('3');
    await begun(sip, storyAt);
    await wait(STORY_MS);
    // A voice is what the bot listens for: the caller says what it was greeted with.
    const spokeAt = await sip.setAudio({
      pcm: sip.heard.audio({ fromMs: greeting.fromMs, toMs: greeting.fromMs + SPEAK_MS }),
    });
    await wait(SPEAK_MS);
    const story = speechIn(sip.heard, { fromMs: spokeAt, toMs: spokeAt + SPEAK_MS });
    if (!story) throw new Error('the story was over before it was interrupted');
    seen.silencedAfterMs = story.toMs - spokeAt;
    tell(call, `presses 3, speaks into the story, which ends ${Math.round(seen.silencedAfterMs)} ms later`);

    seen.goodbye = await sentence(sip, spokeAt + SPEAK_MS);
    tell(call, `hears: ${inWords(seen.goodbye)}`);
    await Promise.race([sip.finished, wait(BEGIN_LIMIT_MS)]);
  } catch (error) {
    tell(call, (error as Error).message);
  }
  await sip.hangUp();
  const record = await records.of(caller);
  if (record) tell(call, `record: ended by ${record.endedBy}, ${record.digits} digits`);
  return { caller, pbx: pbx.name, ...seen, record };
}

/** What the bot says next, to its end. */
async function sentence(sip: SipCall, fromMs: number): Promise<HeardSpeech> {
  await begun(sip, fromMs);
  const deadline = sip.now() + SENTENCE_LIMIT_MS;
  for (;;) {
    const said = speechIn(sip.heard, { fromMs });
    if (said && sip.now() - said.toMs >= QUIET_MS) return said;
    if (sip.now() > deadline) throw new Error(`the bot did not come to an end within ${SENTENCE_LIMIT_MS} ms`);
    await wait(20);
  }
}

async function begun(sip: SipCall, fromMs: number): Promise<void> {
  const deadline = sip.now() + BEGIN_LIMIT_MS;
  while (!speechIn(sip.heard, { fromMs })) {
    if (sip.now() > deadline) throw new Error(`the bot said nothing within ${BEGIN_LIMIT_MS} ms`);
    await wait(20);
  }
}

function inWords({ ms, dbfs }: HeardSpeech): string {
  return `${(ms / 1000).toFixed(1)} s of speech at ${Math.round(dbfs)} dBFS`;
}
