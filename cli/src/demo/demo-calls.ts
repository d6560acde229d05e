import { setTimeout as wait } from 'node:timers/promises';
import type { CallRecord } from '@callfleet/bus';
import { type Asterisk, placeCall, type SipCall, toneReport } from '@callfleet/testkit';
import type { CallRecords } from '../call-records.ts';
import type { CallReport } from './call-report.ts';

/** One call of the demo: who calls, whom, and with which tone of its own. */
export interface DemoCall {
  readonly caller: string;
  readonly pbx: Asterisk;
  readonly extension: '100' | '200';
  readonly toneHz: number;
}

/** Told as it happens, in words. */
export type Tell = (call: DemoCall, what: string) => void;

const ANSWER_LIMIT_MS = 10_000;
const TALK_MS = 1500;
const HEAR_LIMIT_MS = 6000;
/** A parrot has begun to answer by then, or has not heard it: its caller says it again, as people do. */
const PARROT_LIMIT_MS = 3000;
const MAX_UTTERANCES = 4;
/** A tone is heard when it is at least this share of what a caller hears; another call's, when it is this much. */
const OWN_SHARE = 0.5;
const OTHER_SHARE = 0.05;

/** So many calls on each PBX, the last of each five to the parrot; every caller's tone is its own. */
export function demoCalls(pbxs: readonly Asterisk[], each: number): DemoCall[] {
  return pbxs.flatMap((pbx, p) =>
    Array.from({ length: each }, (_, n) => ({
      caller: String(1001 + p * each + n),
      pbx,
      extension: n % 5 === 4 ? ('200' as const) : ('100' as const),
      toneHz: 400 + (p * each + n) * 110,
    })),
  );
}

/** Places one call, talks, presses a digit, listens for its own tone, and hangs up. */
export async function runDemoCall(
  call: DemoCall,
  all: readonly DemoCall[],
  records: CallRecords,
  tell: Tell,
): Promise<CallReport> {
  const { caller, pbx, toneHz, extension } = call;
  const sip = await placeCall({
    to: pbx.sipAddress,
    extension,
    from: caller,
    audio: { toneHz },
    ringTimeoutMs: ANSWER_LIMIT_MS,
    maxMs: 30_000,
  });
  let answeredMs: number | undefined;
  try {
    answeredMs = (await sip.answered).setupMs;
    tell(call, `answered after ${Math.round(answeredMs)} ms`);
    await wait(TALK_MS / 2);
    sip.sendDtmf('5');
    await wait(TALK_MS / 2);
    const heardAt =
      extension === '200' ? await heardFromParrot(sip, toneHz) : await sip.waitForTone(toneHz, HEAR_LIMIT_MS);
    tell(call, `hears its own ${toneHz} Hz back (${(heardAt / 1000).toFixed(1)} s after it began)`);
    await wait(500);
  } catch (error) {
    tell(call, (error as Error).message);
  }
  const { heard } = await sip.hangUp();
  const record = await records.of(caller);
  if (record) tell(call, inOneLine(record));
  const others = all.filter((other) => other.toneHz !== toneHz).map((other) => heard.level(other.toneHz));
  return {
    caller,
    pbx: pbx.name,
    toneHz,
    answeredMs,
    heardOwnTone: toneReport(heard.frames, [toneHz]).expected.some((tone) => tone.level >= OWN_SHARE),
    heardOtherTone: Math.max(...others) >= OTHER_SHARE,
    record,
  };
}

/** The parrot waits until its caller, who is speaking, is silent. */
async function heardFromParrot(sip: SipCall, toneHz: number): Promise<number> {
  for (let utterance = 1; ; utterance += 1) {
    await sip.setAudio(null);
    try {
      return await sip.waitForTone(toneHz, PARROT_LIMIT_MS);
    } catch (error) {
      if (utterance === MAX_UTTERANCES) throw error;
    }
    await sip.setAudio({ toneHz });
    await wait(TALK_MS);
  }
}

function inOneLine({ program, gateway, workers, media, ringMs, digits, endedBy }: CallRecord): string {
  const [session] = media;
  const heard = session
    ? `heard ${(session.heard.speechMs / 1000).toFixed(1)} s of it by ${session.relay}`
    : 'not heard';
  return `record: ${program?.name ?? 'no program'} by ${[gateway, ...workers].join(' and ')}, up in ${ringMs} ms, ${heard}, ${digits} digit, ended by ${endedBy}`;
}
