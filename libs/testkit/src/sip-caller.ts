import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { spawnChild } from '@callfleet/supervise';
import { CallError } from './call-error.ts';
import { CallProgress } from './call-progress.ts';
import { CallerMedia } from './caller-media.ts';
import type { CallerSound } from './caller-sound.ts';
import type { HeardAudio } from './heard-audio.ts';
import { part } from './parts.ts';
import { type Address, audioAddress, type SipMessage } from './sip-message.ts';
import { SipTap } from './sip-tap.ts';

export interface CallOptions {
  /** The PBX: an Asterisk's `sipAddress`. */
  to: Address;
  /** What is dialled: letters, digits, `_ + * # . -`. */
  extension: string;
  /** The caller's number, of the same characters. Default `1001`. */
  from?: string;
  /** What the caller says. Default: silence, which is sent too. */
  audio?: CallerSound;
  /** Digits to be pressed (RFC 4733), so many milliseconds after the answer. */
  dtmf?: ReadonlyArray<{ digit: string; atMs: number }>;
  /**
   * When the caller ends the call: so long after the answer; or so long after the INVITE, whether it is answered by then (BYE)
   * or not (CANCEL); or `never`, the default: it waits for the far side's BYE, for {@link SipCall.hangUp}, or for `maxMs`.
   */
  hangUp?: { afterMs: number } | { cancelAfterMs: number } | 'never';
  /** The caller gives up when it is not answered so long after the INVITE. Default 20000. */
  ringTimeoutMs?: number;
  /** The caller hangs up so long after the INVITE at the latest. Default 600000. */
  maxMs?: number;
  /** Hangs up. */
  signal?: AbortSignal;
}

export interface CallReport {
  readonly answered: boolean;
  /** From INVITE to 200; undefined if it was not answered. */
  readonly setupMs: number | undefined;
  /** The final response to the INVITE that was no answer: 487 for a call that the caller cancelled. */
  readonly refused: { readonly status: number; readonly reason: string } | undefined;
  /** Undefined where neither side did: the far side is gone. */
  readonly hungUpBy: 'caller' | 'callee' | undefined;
  /** Of the BYE or the refusal, milliseconds since the INVITE left. */
  readonly endedAtMs: number;
  readonly packetsSent: number;
  readonly heard: HeardAudio;
}

/** A call in progress. All its times are milliseconds since the INVITE left. */
export interface SipCall {
  /** Rejects with a {@link CallError}: `CF_CALL_REFUSED` with the status, or `CF_CALL_NOT_ANSWERED`. */
  readonly answered: Promise<{ readonly setupMs: number }>;
  /** Resolves when the call is over, however it ended. Rejects if sipp failed (`CF_CALLER_FAILED`). */
  readonly finished: Promise<CallReport>;
  /** What was heard so far. */
  readonly heard: HeardAudio;
  now(): number;
  /** Presses keys `0-9 * # A-D` one after the other, 160 ms each. */
  sendDtmf(digits: string): void;
  /** Changes what the caller says; null is silence. @returns when its first packet left; rejects if the call ends before */
  setAudio(sound: CallerSound | null): Promise<number>;
  /**
   * Waits until a tone is at least half of what was heard in the last 200 ms.
   *
   * @returns when it was noticed
   * @throws {CallError} `CF_TONE_NOT_HEARD`
   */
  waitForTone(hz: number, timeoutMs: number): Promise<number>;
  /** CANCEL or BYE, whichever fits. Does nothing to a call that is over. */
  hangUp(): Promise<CallReport>;
}

const SCENARIO = fileURLToPath(new URL('./caller.sipp.xml', import.meta.url));

/** sipp has sent its INVITE by then. */
const START_MS = 10_000;

/** A hang-up that had no answer for so long will get none; sipp would repeat it for half a minute. */
const HANG_UP_MS = 4000;

const TONE_WINDOW_MS = 200;
/** Of 20 ms each. Fewer can't be told from a click. */
const TONE_MIN_PACKETS = 5;
const TONE_LEVEL = 0.5;

/** Makes a real SIP call: sipp speaks SIP, sockets of our own are its sound. Resolves when the INVITE has left. */
export async function placeCall(options: CallOptions): Promise<SipCall> {
  const { extension, from = '1001', hangUp = 'never', ringTimeoutMs = 20_000, maxMs = 600_000, signal } = options;
  for (const name of [extension, from]) {
    if (!/^[\w+*#.-]+$/.test(name)) throw new RangeError(`"${name}" can't be dialled: allowed are a-z 0-9 _ + * # . -`);
  }
  signal?.throwIfAborted();
  const { command } = await part('sipp');

  const progress = new CallProgress();
  const inCall = (at: number) => at - (progress.invitedAt ?? at);
  const now = () => inCall(performance.now());
  const media = await CallerMedia.open(now);
  if (options.audio) media.setSound(options.audio);

  const timers: NodeJS.Timeout[] = [];
  const later = (ms: number, action: () => void) => void timers.push(setTimeout(action, ms));
  const invited = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<{ setupMs: number }>();
  answer.promise.catch(() => {});
  const onMessage = (sender: 'caller' | 'pbx', message: SipMessage) => {
    const remote = sender === 'pbx' && message.cseqMethod === 'INVITE' ? audioAddress(message.body) : undefined;
    if (remote) media.speakTo(remote);
    const at = performance.now();
    const change = progress.see(sender, message, at);
    if (change === 'invited') invited.resolve();
    if (change === 'ended') media.fallSilent();
    if (change === 'answered') {
      answer.resolve({ setupMs: inCall(at) });
      for (const { digit, atMs } of options.dtmf ?? []) later(atMs, () => media.press(digit));
      if (hangUp !== 'never' && 'afterMs' in hangUp) later(hangUp.afterMs, endCall);
    }
  };
  const tap = await SipTap.open(options.to, onMessage);

  const complaints: string[] = [];
  const sipp = await spawnChild({
    name: 'sipp',
    command,
    args: sippArguments(options, from, tap.address, media.port),
    onLine: (stream, line) => {
      if (stream === 'stderr') complaints.push(line);
    },
  });
  let hangingUp = false;
  const endCall = () => {
    if (hangingUp) return;
    hangingUp = true;
    if (progress.endedAt === undefined) tap.orderHangUp();
    later(HANG_UP_MS, () => sipp.kill());
  };
  const finished = sipp.exited.then(({ code, signal: endedBy }): CallReport => {
    for (const timer of timers) clearTimeout(timer);
    signal?.removeEventListener('abort', endCall);
    tap.close();
    media.close();
    if (code !== 0 && endedBy !== 'SIGKILL') {
      const end = `sipp ended with ${endedBy ?? `code ${code}`}:`;
      throw new CallError('CF_CALLER_FAILED', [end, ...complaints].join('\n'));
    }
    return reportOf(progress, inCall, media);
  });
  finished.then(
    ({ answered, refused }) => {
      if (!answered) answer.reject(whyNotAnswered(refused, hangingUp));
    },
    (error) => {
      invited.reject(error);
      answer.reject(error);
    },
  );

  const startLimit = setTimeout(() => sipp.kill(), START_MS);
  await invited.promise.finally(() => clearTimeout(startLimit));
  if (hangUp !== 'never' && 'cancelAfterMs' in hangUp) later(hangUp.cancelAfterMs, endCall);
  later(ringTimeoutMs, () => {
    if (progress.answeredAt === undefined) endCall();
  });
  later(maxMs, endCall);
  signal?.addEventListener('abort', endCall);
  if (signal?.aborted) endCall();

  return {
    answered: answer.promise,
    finished,
    heard: media.heard,
    now,
    sendDtmf: (digits) => media.press(digits),
    setAudio: (sound) => media.setSound(sound),
    waitForTone: (hz, timeoutMs) => toneHeard(media.heard, now, hz, timeoutMs),
    hangUp() {
      endCall();
      return finished;
    },
  };
}

function sippArguments({ to, extension }: CallOptions, from: string, tap: Address, rtpPort: number): string[] {
  const keys = { from, pbx: `${to.host}:${to.port}`, tap: `${tap.host}:${tap.port}`, rtp: String(rtpPort) };
  return [
    `${tap.host}:${tap.port}`,
    ...['-sf', SCENARIO, '-s', extension, '-i', '127.0.0.1', '-m', '1', '-r', '100'],
    ...Object.entries(keys).flatMap(([key, value]) => ['-key', key, value]),
    // OPTIONS, INFO, NOTIFY, UPDATE are answered with 200.
    '-aa',
    '-nostdin',
    ...ownAddress(),
    // Else it stays for half a minute to recognize what comes late.
    ...['-deadcall_wait', '0'],
  ];
}

let addresses = 0;

/**
 * sipp also takes ports for media and for control, though neither is used here, and gives up when 50 other sipps have
 * theirs. On Linux all of 127.0.0.0/8 is this machine, so each sipp takes them on an address of its own.
 */
function ownAddress(): string[] {
  if (process.platform !== 'linux') return [];
  addresses += 1;
  const address = `127.1.${process.pid % 256}.${addresses % 256}`;
  return ['-mi', address, '-ci', address];
}

function reportOf(progress: CallProgress, inCall: (at: number) => number, media: CallerMedia): CallReport {
  const { answeredAt, endedAt, endedBy, refused } = progress;
  return {
    answered: answeredAt !== undefined,
    setupMs: answeredAt === undefined ? undefined : inCall(answeredAt),
    refused,
    hungUpBy: endedBy,
    endedAtMs: inCall(endedAt ?? performance.now()),
    packetsSent: media.packetsSent,
    heard: media.heard,
  };
}

function whyNotAnswered(refused: CallReport['refused'], gaveUp: boolean): CallError {
  if (!refused || gaveUp) return new CallError('CF_CALL_NOT_ANSWERED', 'the caller gave up before it was answered');
  const { status, reason } = refused;
  return new CallError('CF_CALL_REFUSED', `the call was refused with ${status} ${reason}`, { status });
}

async function toneHeard(heard: HeardAudio, now: () => number, hz: number, timeoutMs: number): Promise<number> {
  const deadline = now() + timeoutMs;
  for (;;) {
    const at = now();
    const last = { fromMs: at - TONE_WINDOW_MS };
    if (heard.packetsIn(last) >= TONE_MIN_PACKETS && heard.level(hz, last) >= TONE_LEVEL) return at;
    if (at > deadline) {
      const instead = heard.dominantTone(last);
      const heardInstead = instead ? `${instead.hz} Hz` : 'no tone';
      throw new CallError(
        'CF_TONE_NOT_HEARD',
        `${hz} Hz was not heard for ${timeoutMs} ms; ${heardInstead} was at the end`,
      );
    }
    await sleep(20);
  }
}
