import { setTimeout as wait } from 'node:timers/promises';
import type { BatchSummary, CallReport, CallsOrder, PbxCounts } from '@callfleet/pbx-sim';
import type { PlacedPbx } from './process.ts';

const REQUEST_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 100;

/** Calls that were ordered of several PBXs at once. */
export interface OrderedCalls {
  /** Resolves when all have ended; false: not within the limit. */
  ended(limitMs: number): Promise<boolean>;
  /** How those went that have ended. */
  reports(): Promise<CallReport[]>;
  /** Those that are still there hang up. */
  hangUp(): Promise<void>;
}

/**
 * Orders calls, shared out among PBXs, at a rate over all of them: PBXs begin one after the other, so that their callers do not
 * come at the same moments.
 */
export async function orderCalls(
  pbxs: readonly PlacedPbx[],
  { count, perSecond, call }: { count: number; perSecond: number; call: NonNullable<CallsOrder['call']> },
): Promise<OrderedCalls> {
  const before = await Promise.all(pbxs.map(countsOf));
  const batches: Array<{ pbx: PlacedPbx; batch: number; count: number; endedBefore: number }> = [];
  await Promise.all(
    pbxs.map(async (pbx, n) => {
      const share = Math.floor(count / pbxs.length) + (n < count % pbxs.length ? 1 : 0);
      if (share === 0) return;
      await wait((n * 1000) / perSecond);
      const order: CallsOrder = { count: share, arrivalsPerSecond: perSecond / pbxs.length, call };
      const { batch } = (await asked(pbx, 'POST', '/calls', order)) as BatchSummary;
      batches.push({ pbx, batch, count: share, endedBefore: before[n]?.callsEnded ?? 0 });
    }),
  );
  const isOver = async ({ pbx, count: share, endedBefore }: (typeof batches)[number]) =>
    (await countsOf(pbx)).callsEnded - endedBefore >= share;
  return {
    async ended(limitMs) {
      const limit = performance.now() + limitMs;
      for (const batch of batches)
        while (!(await isOver(batch))) {
          if (performance.now() > limit) return false;
          await wait(LOOK_EVERY_MS);
        }
      return true;
    },
    reports: async () => (await Promise.all(batches.map(({ pbx, batch }) => reportsOf(pbx, batch)))).flat(),
    async hangUp() {
      await Promise.all(batches.map(({ pbx, batch }) => asked(pbx, 'DELETE', `/calls/${batch}`)));
    },
  };
}

export async function countsOf(pbx: PlacedPbx): Promise<PbxCounts> {
  return (await asked(pbx, 'GET', '/counters')) as PbxCounts;
}

/** Pages of reports, until there are no more. */
async function reportsOf(pbx: PlacedPbx, batch: number): Promise<CallReport[]> {
  const all: CallReport[] = [];
  for (;;) {
    const page = (await asked(pbx, 'GET', `/calls/${batch}/reports?after=${all.length}`)) as { reports: CallReport[] };
    if (page.reports.length === 0) return all;
    all.push(...page.reports);
  }
}

async function asked({ name, controlUrl }: PlacedPbx, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${controlUrl}${path}`, {
    method,
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
  });
  if (!response.ok) throw new Error(`${name}: ${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}
