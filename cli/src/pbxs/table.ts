import type { KnownShard } from '@callfleet/bus';
import Table from 'cli-table3';
import type { PbxRow } from './rows.ts';

const WHY_WIDTH = 60;

/** @param now for how long ago a state was entered */
export function printPbxs(rows: readonly PbxRow[], now: Date): string {
  const table = new Table({
    head: ['pbx', 'state', 'since', 'why', 'shards', 'calls'],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'left', 'left', 'left', 'right'],
    colWidths: [null, null, null, WHY_WIDTH, null, null],
    wordWrap: true,
  });
  for (const { pbx, state, since, why, shards, calls, configured } of rows)
    table.push([
      pbx,
      state,
      since === undefined ? '-' : ago(since, now),
      [configured ? '' : 'not in this configuration', why ?? ''].filter((text) => text !== '').join('; '),
      shards.map(placeOf).join('\n'),
      calls,
    ]);
  return `${table.toString()}\n`;
}

function placeOf({ shard, gateway, state }: KnownShard): string {
  const where = gateway === undefined ? 'no gateway' : short(gateway);
  return `${shard}: ${where}${state === 'connected' ? '' : ` (${state})`}`;
}

/** An instance's name without what tells its starts apart. */
const short = (instance: string) => instance.replace(/-[0-9a-f]{6}$/, '');

/** `42 s`, `5 min`, `3 h`, then days: with the second it began. */
function ago(since: string, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(since)) / 1000));
  const units: readonly [limit: number, divisor: number, unit: string][] = [
    [120, 1, 's'],
    [7200, 60, 'min'],
    [172_800, 3600, 'h'],
  ];
  const [, divisor, unit] = units.find(([limit]) => seconds < limit) ?? [0, 86_400, 'd'];
  return `${since.slice(0, 19)}Z\n(${Math.floor(seconds / divisor)} ${unit})`;
}
