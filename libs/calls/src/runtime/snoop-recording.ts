import { type AriRequest, channels, recordings } from '@callfleet/ari';
import type { CallEvent } from '@callfleet/bus';
import type { Digit } from '../media.ts';
import type { OperationOptions } from '../operation-options.ts';
import type { Recording, RecordingEnd, RecordOptions } from '../recording.ts';
import { abortable } from './abortable.ts';
import type { CallScope } from './call-scope.ts';
import { digitOf } from './channel-events.ts';
import type { ChannelParty } from './channel-party.ts';
import type { Operation } from './operation.ts';
import type { PrivacyMember } from './privacy.ts';
import { startSnoop } from './snoop.ts';

/** How long the PBX may take to finish the file, milliseconds. */
const FINISH_LIMIT_MS = 5000;
/** How long it may take to begin where nobody tells that it has, milliseconds. */
const BEGIN_LIMIT_MS = 1000;

interface RecordingData {
  readonly recording?: { readonly name?: string; readonly duration?: number };
}

/**
 * A recording of a snoop channel. Recording the party's own channel would keep everything else from it until the end, and
 * be refused in a bridge.
 */
export class SnoopRecording implements Recording, PrivacyMember {
  readonly name: string;
  readonly format: string;
  readonly #scope: CallScope;
  readonly #party: ChannelParty;
  readonly #snoopId: string;
  readonly #options: RecordOptions;
  readonly #over = Promise.withResolvers<RecordingEnd>();
  readonly #digit = Promise.withResolvers<'digit'>();
  #hasBegun = false;
  /** By the program. */
  #isPaused = false;
  #leavePrivacy = () => {};

  constructor(scope: CallScope, party: ChannelParty, options: RecordOptions) {
    this.#scope = scope;
    this.#party = party;
    this.#options = options;
    this.#snoopId = scope.newId('snoop');
    this.name = scope.newId('recording');
    this.format = options.format ?? 'wav';
    scope.events.subscribe((event) => this.#hear(event));
    scope.removeAtEnd((operation) => operation.remove(channels.hangup({ channelId: this.#snoopId })));
  }

  async begin(operation: Operation): Promise<void> {
    const { side = 'both', beep, maxDurationMs, maxSilenceMs } = this.#options;
    const until = this.#party.until(operation);
    await startSnoop(operation, this.#scope, {
      channelId: this.#party.channelId,
      snoopId: this.#snoopId,
      until,
      spy: side,
    });
    await operation.make(
      channels.record({
        channelId: this.#snoopId,
        name: this.name,
        format: this.format,
        beep,
        maxDurationSeconds: secondsOf(maxDurationMs),
        maxSilenceSeconds: secondsOf(maxSilenceMs),
      }),
    );
    await this.#untilBegun(until);
  }

  /** Until then it can't be paused. Where nobody tells, it has begun by the limit. */
  async #untilBegun(until: AbortSignal): Promise<void> {
    const { events, host } = this.#scope;
    const limit = new AbortController();
    const cancelTimer = host.clock.after(BEGIN_LIMIT_MS, () => limit.abort());
    try {
      await events.first(
        ({ type, data }) => type.startsWith('ari.Recording') && (data as RecordingData).recording?.name === this.name,
        AbortSignal.any([until, limit.signal]),
      );
    } catch (error) {
      if (until.aborted) throw error;
    } finally {
      cancelTimer();
    }
  }

  /** As the program has been told. */
  begun(): this {
    this.#leavePrivacy = this.#scope.privacy.join(this);
    return this;
  }

  pause(): Promise<void> {
    return this.#control('pause', recordings.pause({ recordingName: this.name }), true);
  }

  resume(): Promise<void> {
    return this.#control('resume', recordings.unpause({ recordingName: this.name }), false);
  }

  async setPrivate(operation: Operation, on: boolean): Promise<void> {
    if (this.#isPaused) return;
    const recordingName = this.name;
    await operation.remove(on ? recordings.pause({ recordingName }) : recordings.unpause({ recordingName }));
  }

  stop(): Promise<RecordingEnd> {
    return this.#scope.ask('recording.stop', async (operation) => {
      await this.end(operation);
      return this.#end(operation.signal);
    });
  }

  ended(options?: OperationOptions): Promise<RecordingEnd> {
    return this.#scope.ask(
      'recording.ended',
      async (operation) => {
        const by = await abortable(Promise.race([this.#over.promise, this.#digit.promise]), operation.signal);
        if (by !== 'digit') return by;
        await this.end(operation);
        return this.#end(operation.signal);
      },
      { options },
    );
  }

  /** Ends it, whether it is there or not. */
  async end(operation: Operation): Promise<void> {
    await operation.remove(recordings.stop({ recordingName: this.name }));
    await operation.remove(channels.hangup({ channelId: this.#snoopId }));
  }

  #control(name: string, request: AriRequest<void>, isPaused: boolean): Promise<void> {
    const { privacy } = this.#scope;
    return this.#scope.ask(
      `recording.${name}`,
      async (operation) => {
        // While the call is private it is paused already, and goes on at its end as the program wants it by then.
        if (!privacy.on) await operation.commandOk(request);
      },
      {
        revive: () => {
          this.#isPaused = isPaused;
        },
      },
    );
  }

  async #end(signal: AbortSignal): Promise<RecordingEnd> {
    const limit = Promise.withResolvers<RecordingEnd>();
    const failed = () => limit.resolve({ reason: 'failed', durationMs: 0 });
    const cancel = this.#scope.host.clock.after(FINISH_LIMIT_MS, failed);
    return abortable(Promise.race([this.#over.promise, limit.promise]), signal).finally(cancel);
  }

  /** Told every event of the call. */
  #hear(event: CallEvent): void {
    const { recording } = event.data as RecordingData;
    const digit = this.#hasBegun ? digitOf(event, this.#party.channelId) : undefined;
    if (digit !== undefined && this.#options.stopOn?.includes(digit as Digit)) this.#digit.resolve('digit');
    if (recording?.name !== this.name) return;
    if (event.type === 'ari.RecordingStarted') this.#hasBegun = true;
    if (event.type === 'ari.RecordingFailed' || event.type === 'ari.RecordingFinished') this.#leavePrivacy();
    if (event.type === 'ari.RecordingFailed') this.#over.resolve({ reason: 'failed', durationMs: 0 });
    if (event.type === 'ari.RecordingFinished')
      this.#over.resolve({ reason: 'finished', durationMs: (recording.duration ?? 0) * 1000 });
  }
}

function secondsOf(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.ceil(milliseconds / 1000);
}
