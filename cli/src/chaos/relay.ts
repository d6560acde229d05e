import { setTimeout as wait } from 'node:timers/promises';
import type { Bus } from '@callfleet/bus';
import type { LocalFleet } from '@callfleet/testkit';
import { CallRecords } from '../call-records.ts';
import { percentile } from '../measurement.ts';
import { tellVerdict } from '../verdict.ts';
import { CHAOS_PROGRAMS, withFleet } from './chaos-fleet.ts';
import { hearsItself, placeToneCallers } from './tone-callers.ts';

const CALLS = 20;
const KILLS = 4;
/** After each kill: long enough for the last call to be in conversation again. */
const WATCH_MS = 6000;
const SETTLE_MS = 2000;

/** What must hold. */
const AUDIO_BACK_MS = 2000;
/** What a busy machine alone does to callers' audio is shorter, milliseconds. */
const NOTICEABLE_MS = 60;

/** `chaos relay`: kill -9 of one relay after the other under live conversations. @returns the exit code */
export async function chaosRelay(): Promise<number> {
  return withFleet({ programs: [CHAOS_PROGRAMS.echo] }, killRelays);
}

async function killRelays(system: LocalFleet, bus: Bus): Promise<number> {
  const records = new CallRecords(bus);
  console.log(`callfleet: ${CALLS} conversations on ${system.pbxs.length} PBXs, ${system.fleet.relays.length} relays`);
  const calls = await placeToneCallers(system, CALLS);
  await wait(SETTLE_MS);
  const names = system.fleet.relays.map(({ name }) => name);
  const kills: Array<{ relay: string; silenceMs: number[] }> = [];
  for (let n = 0; n < KILLS; n += 1) {
    const planned = names[n % names.length] ?? '';
    const victim = system.fleet.relays.findLast(({ name }) => name.startsWith(planned));
    const from = calls.map(({ call }) => call.now());
    await victim?.kill();
    await wait(WATCH_MS);
    const silences = calls.map(({ call }, i) =>
      call.heard.longestSilenceMs({ fromMs: from[i] ?? 0, toMs: call.now() }),
    );
    const cut = silences.filter((ms) => ms > NOTICEABLE_MS);
    console.log(
      `callfleet: kill -9 ${victim?.name}: ${cut.length} callers noticed, ${cut.map(Math.round).join(' ')} ms`,
    );
    kills.push({ relay: victim?.name ?? '', silenceMs: silences });
    await system.fleet.replaceRelay(planned, `${planned}-after-${n + 1}`);
    await wait(SETTLE_MS);
  }
  const callers = await Promise.all(
    calls.map(async (one) => {
      const { call, caller } = one;
      const hears = await hearsItself(one);
      await call.hangUp();
      const record = await records.of(caller);
      return { caller, hears, endedBy: record?.endedBy, error: record?.error, sessions: record?.media.length };
    }),
  );
  const cut = kills.flatMap(({ silenceMs }) => silenceMs.filter((ms) => ms > NOTICEABLE_MS));
  const lost = callers.filter(({ hears, endedBy, error }) => !hears || endedBy !== 'caller' || error);
  const how = `${cut.length} callers in ${KILLS} kills who noticed: the longest silence of each`;
  return tellVerdict(
    'chaos relay',
    [
      {
        what: 'calls lost',
        target: { atMost: 0 },
        value: lost.length,
        unit: '',
        how: `of ${CALLS}, each heard to its end`,
      },
      { what: 'silence p50', value: percentile(cut, 0.5), unit: 'ms', how },
      { what: 'silence, longest', target: { atMost: AUDIO_BACK_MS }, value: Math.max(...cut), unit: 'ms', how },
    ],
    { raw: { kills, callers }, check: true },
  );
}
