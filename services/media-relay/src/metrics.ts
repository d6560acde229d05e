import { mediaEventSchemas, type RelayAnnouncement } from '@callfleet/bus';
import { meter, Tally, watchGauges } from '@callfleet/telemetry';
import type { VoiceProviderError } from '@callfleet/voice-ai';
import type { Pacing } from './pacing-watch.ts';

export const endedSessions = new Tally(
  'callfleet.relay.sessions.ended',
  { description: 'Media sessions that ended, by why', unit: '{session}', attribute: 'callfleet.reason' },
  mediaEventSchemas.ended.shape.reason.options,
);

const aiErrors = meter.createCounter('callfleet.ai.errors', {
  description: 'Conversations that a voice AI failed',
  unit: '{conversation}',
});

const turnLatency = meter.createHistogram('callfleet.turn.latency', {
  description: 'From the end of what the caller said to the first of the answer',
  unit: 'ms',
  advice: { explicitBucketBoundaries: [100, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 10_000] },
});

const bargeIn = meter.createHistogram('callfleet.barge_in.duration', {
  description: "From the first of the caller's speech to the bot's silence",
  unit: 'ms',
  advice: { explicitBucketBoundaries: [20, 40, 60, 100, 150, 200, 300, 500, 1000, 2000] },
});

/** A rate needs the count before the first. Only of those that the relay knows: their names are few. */
export function expectErrorsOf(provider: string): void {
  aiErrors.add(0, { 'callfleet.provider': provider, 'callfleet.code': 'CF_PROVIDER_FAILED' satisfies ErrorCode });
}

type ErrorCode = VoiceProviderError['code'];

export function countAiError(provider: string, code: ErrorCode): void {
  aiErrors.add(1, { 'callfleet.provider': provider, 'callfleet.code': code });
}

export function measureTurn(provider: string, ms: number): void {
  turnLatency.record(ms, { 'callfleet.provider': provider });
}

export function measureBargeIn(provider: string, ms: number): void {
  bargeIn.record(ms, { 'callfleet.provider': provider });
}

export function watchRoom(
  relay: { readonly announcement: RelayAnnouncement; readonly isLate: boolean },
  pacing: () => Pacing,
): void {
  watchGauges(
    {
      sessions: { name: 'callfleet.relay.sessions', description: 'Media sessions in this relay', unit: '{session}' },
      room: {
        name: 'callfleet.relay.room',
        description: 'Media sessions that it would take beside them',
        unit: '{session}',
      },
      late: {
        name: 'callfleet.relay.late',
        description: '1 while others are asked first, since its event loop is late, else 0',
        unit: '1',
      },
      p99: {
        name: 'callfleet.relay.pacing_error.p99',
        description: 'How late frames were sent in the last 15 s, 99th percentile',
        unit: 'ms',
      },
      max: {
        name: 'callfleet.relay.pacing_error.max',
        description: 'How late frames were sent in the last 15 s, the latest',
        unit: 'ms',
      },
    },
    (observe) => {
      const now = relay.announcement;
      const { p99Ms, maxMs } = pacing();
      observe('sessions', now.sessions);
      observe('room', now.draining || now.late ? 0 : now.maxSessions - now.sessions);
      observe('late', relay.isLate);
      observe('p99', p99Ms);
      observe('max', maxMs);
    },
  );
  meter
    .createObservableCounter('callfleet.relay.frames.skipped', {
      description: 'Frames that fell out, since the process stood still',
      unit: '{frame}',
    })
    .addCallback((result) => result.observe(pacing().skippedFrames));
}
