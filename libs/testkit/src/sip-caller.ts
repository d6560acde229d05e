import { fileURLToPath } from 'node:url';
import { spawnChild } from '@callfleet/supervise';
import { CallError } from './call-error.ts';
import { CallProgress } from './call-progress.ts';
import { type CallReport, reportOf } from './call-report.ts';
import { CallerMedia } from './caller-media.ts';
import type { CallerSound } from './caller-sound.ts';
import type { HeardAudio } from './heard-audio.ts';
import { part } from './parts.ts';
import { type Address, audioAddress, type SipMessage, uriOf } from './sip-message.ts';
import { SipTap } from './sip-tap.ts';
import { ownAddress } from './sipp-address.ts';
import { waitForTone } from './wait-for-tone.ts';

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
  /**
   * What becomes of a REFER, by which the PBX sends the caller elsewhere. It is taken (202) in any case; then the caller tells
   * by NOTIFY that the one it was sent to answered, and hangs up; or that it declined (603), and stays. Default `accepts`.
   */
  refer?: 'accepts' | 'declines';
  /** The caller gives up when it is not answered so long after the INVITE. Default 20000. */
  ringTimeoutMs?: number;
  /** The caller hangs up so long after the INVITE at the latest. Default 600000. */
  maxMs?: number;
  /** Hangs up. */
  signal?: AbortSignal;
}

/** A call in progress. All its times are milliseconds since the INVITE left. */
export interface SipCall {
  /** Rejects with a {@link CallError}: `CF_CALL_REFUSED` with the status, or `CF_CALL_NOT_ANSWERED`. */
  readonly answered: Promise<{ readonly setupMs: number }>;
  /** Resolves when the call is over, however it ended. Rejects if sipp failed (`CF_CALLER_FAILED`). */
  readonly finished: Promise<CallReport>;
  /** The URI in the first REFER's Refer-To. Rejects with a {@link CallError}, `CF_CALL_NOT_REFERRED`, when the call ended without. */
  readonly referredTo: Promise<string>;
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

/** Makes a real SIP call: sipp speaks SIP, sockets of our own are its sound. Resolves when the INVITE has left. */
export async function placeCall(options: CallOptions): Promise<SipCall> {
  const { extension, from = '1001', hangUp = 'never', ringTimeoutMs = 20_000, maxMs = 600_000, signal } = options;
  const { refer = 'accepts' } = options;
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
  const referred = Promise.withResolvers<string>();
  referred.promise.catch(() => {});
  const onMessage = (sender: 'caller' | 'callee', message: SipMessage) => {
    if (sender === 'callee') {
      const { cseqMethod, method, status, body } = message;
      if (cseqMethod === 'INVITE' && body !== '') media.speakTo(audioAddress(body));
      if (method === 'REFER') referred.resolve(uriOf(message.header('Refer-To') ?? ''));
      // It has heard that the transfer went well: a transferred phone hangs up.
      if (cseqMethod === 'NOTIFY' && status === 200 && refer === 'accepts') endCall();
    }
    const at = performance.now();
    const change = progress.see(sender, message, at);
    if (change === 'invited') invited.resolve();
    if (change === 'ended') {
      media.fallSilent();
      referred.reject(new CallError('CF_CALL_NOT_REFERRED', 'the call ended before it was referred to another'));
    }
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
    // Its call goes on at the PBX: whoever waits for its end waits in vain.
    if (tap.isDisobeyed)
      throw new CallError('CF_CALLER_FAILED', ['sipp did not hang up:', ...sipp.lastLines()].join('\n'));
    return reportOf(progress, inCall, media);
  });
  finished.then(
    ({ answered, refused }) => {
      invited.reject(new CallError('CF_CALLER_FAILED', ['sipp did not call:', ...sipp.lastLines()].join('\n')));
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
    referredTo: referred.promise,
    heard: media.heard,
    now,
    sendDtmf: (digits) => media.press(digits),
    setAudio: (sound) => media.setSound(sound),
    waitForTone: (hz, timeoutMs) => waitForTone(media.heard, now, hz, timeoutMs),
    hangUp() {
      endCall();
      return finished;
    },
  };
}

function sippArguments({ to, extension, refer }: CallOptions, from: string, tap: Address, rtpPort: number): string[] {
  const keys = {
    from,
    pbx: `${to.host}:${to.port}`,
    tap: `${tap.host}:${tap.port}`,
    rtp: String(rtpPort),
    refer: refer === 'declines' ? '603 Declined' : '200 OK',
  };
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

function whyNotAnswered(refused: CallReport['refused'], gaveUp: boolean): CallError {
  if (!refused || gaveUp) return new CallError('CF_CALL_NOT_ANSWERED', 'the caller gave up before it was answered');
  const { status, reason } = refused;
  return new CallError('CF_CALL_REFUSED', `the call was refused with ${status} ${reason}`, { status });
}
