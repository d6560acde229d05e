import { setTimeout as wait } from 'node:timers/promises';
import type { LocalFleet } from '@callfleet/testkit';
import { tellVerdict } from '../verdict.ts';
import { type CallOutcome, type JudgedCall, lossMeasures, readOutcomes, whyCutShort } from './call-outcome.ts';
import { withWitnessedFleet } from './chaos-fleet.ts';
import { placeTypingCallers } from './typing-callers.ts';

const CALLS_PER_SECOND = 50;
const BEFORE_MS = 10_000;
const OUTAGE_MS = 30_000;
const AFTER_MS = 15_000;
const FIRST_CALLER = 40_000;
/** After the last call was placed: until its caller has hung up, and its record is written. */
const LAST_CALLS_MS = 20_000;

/** Nothing is heard there: hundreds of callers' tones at once would be the PBXs' work, not the fleet's. */
const FALLBACK = '[callfleet-fallback]\nexten => _X!,1,Hangup()\n';

/** When NATS was killed, and was back; milliseconds since the epoch. */
interface Outage {
  readonly from: number;
  readonly to: number;
}

/** `chaos nats`: kill -9 of the NATS server, away for half a minute while callers keep coming. @returns the exit code */
export async function chaosNats(): Promise<number> {
  return withWitnessedFleet({ fallback: FALLBACK }, async (system, bus, witnesses) => {
    const load = new AbortController();
    const from = performance.now();
    const placing = placeTypingCallers(system, { first: FIRST_CALLER, perSecond: CALLS_PER_SECOND }, load.signal);
    const outage = await natsAway(system);
    load.abort();
    const placed = await placing;
    const seconds = (performance.now() - from) / 1000;
    await wait(LAST_CALLS_MS);
    const left = await Promise.all(system.pbxs.map((pbx) => system.leftovers(pbx)));
    const outcomes = await readOutcomes(placed, bus, witnesses, (outcome) => whyLost(outcome, outage));
    return report({ outage, outcomes, left: left.flat(), rate: outcomes.length / seconds });
  });
}

async function natsAway({ nats }: LocalFleet): Promise<Outage> {
  await wait(BEFORE_MS);
  await nats.kill();
  const from = Date.now();
  console.log(`callfleet: kill -9 of NATS; it is away for ${OUTAGE_MS / 1000} s`);
  await wait(OUTAGE_MS);
  await nats.restart();
  const to = Date.now();
  console.log('callfleet: NATS is back');
  await wait(AFTER_MS);
  return { from, to };
}

/** Who came when no worker could be told goes to the fallback; whoever was served keeps their program to the end. */
function whyLost({ record, isSentAway, pressed }: CallOutcome, outage: Outage): string | undefined {
  if (!record) return 'no record';
  if (!isSentAway || record.error) return whyCutShort(record, pressed);
  const { status, enteredAt } = record;
  const isServed = status !== 'NOWORKER' || Date.parse(enteredAt) > outage.to;
  return isServed
    ? `sent to the fallback, ${status}, ${Date.parse(enteredAt) - outage.from} ms after the kill`
    : undefined;
}

interface Found {
  readonly outage: Outage;
  readonly outcomes: readonly JudgedCall[];
  /** Channels and bridges that are still there at the end. */
  readonly left: readonly string[];
  /** Calls per second that the PBXs made. */
  readonly rate: number;
}

function report({ outage, outcomes, left, rate }: Found): Promise<number> {
  const sentAway = outcomes.filter(({ isSentAway }) => isSentAway);
  const enteredAt = sentAway.map(({ record }) => Date.parse(record?.enteredAt ?? ''));
  return tellVerdict(
    'chaos nats',
    [
      {
        what: 'calls',
        target: { atLeast: 0.95 * CALLS_PER_SECOND },
        value: rate,
        unit: '/s',
        how: `that two real Asterisks made, while NATS was away for ${Math.round((outage.to - outage.from) / 1000)} s in the middle`,
      },
      ...lossMeasures(outcomes, 'no record, an error, or not ended as the caller or the claim time-out ended it'),
      {
        what: 'left on the PBXs',
        target: { atMost: 0 },
        value: left.length,
        unit: '',
        how: 'channels and bridges, when all callers had their time',
      },
      {
        what: 'callers sent to the fallback',
        value: sentAway.length,
        unit: '',
        how: `no worker could be told of them; the last came ${Math.round(outage.to - Math.max(...enteredAt))} ms before NATS was back`,
      },
    ],
    { raw: { outage, outcomes, left }, check: true },
  );
}
