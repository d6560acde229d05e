import type { CallReport } from './call-report.ts';
import type { CallerSound } from './caller-sound.ts';
import type { HeardAudio } from './heard-audio.ts';

/**
 * What a phone does when it is called: it rings (180) and answers; it is busy (486); it declines (603); it rings until the
 * caller gives up; or it lets its sound be heard before it answers (183).
 */
export type PhoneBehaviour = 'answers' | 'busy' | 'rejects' | 'rings' | 'early-media';

/** One INVITE that a phone got. All its times are milliseconds since then. */
export interface PhoneCall {
  /** Who calls, as the From header tells it; what it does not tell is ''. */
  readonly from: { readonly number: string; readonly name: string };
  /** When the phone said that it rings (180). */
  readonly rangAtMs: number | undefined;
  readonly answeredAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
  /** `callee` is the phone. */
  readonly endedBy: 'caller' | 'callee' | undefined;
  /** Rejects with a {@link CallError}: `CF_CALL_REFUSED` with the status, or `CF_CALL_NOT_ANSWERED` if the caller gave up. */
  readonly answered: Promise<{ readonly setupMs: number }>;
  /** Resolves when the call is over, however it ended. */
  readonly finished: Promise<CallReport>;
  /** What was heard so far. */
  readonly heard: HeardAudio;
  now(): number;
  /** Presses keys `0-9 * # A-D` one after the other, 160 ms each. */
  sendDtmf(digits: string): void;
  /** Changes what the phone says; null is silence. @returns when its first packet left; rejects if the call ends before */
  setAudio(sound: CallerSound | null): Promise<number>;
  /**
   * Waits until a tone is at least half of what was heard in the last 200 ms.
   *
   * @returns when it was noticed
   * @throws {CallError} `CF_TONE_NOT_HEARD`
   */
  waitForTone(hz: number, timeoutMs: number): Promise<number>;
  /**
   * Sends the far side elsewhere (REFER): to an extension, or to whom this phone speaks in another of its calls. Once; the PBX
   * ends the call when it has done so.
   */
  transferTo(target: string | PhoneCall): void;
  /** BYE, or 603 if it was not answered yet. Does nothing to a call that is over. */
  hangUp(): Promise<CallReport>;
}
