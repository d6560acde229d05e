import { setTimeout as wait } from 'node:timers/promises';
import type { ReceivedSpan } from '@callfleet/testkit';
import { expect } from 'vitest';
import type { TracedFleet } from './traced-fleet.ts';

const POLL = { timeout: 10_000, interval: 50 };

/**
 * The trace of the caller's call, when its record is written and spans of these names have come, with whatever else is in it.
 */
export async function callTrace(
  { recordOf, collector }: Pick<TracedFleet, 'recordOf' | 'collector'>,
  from: string,
  lasts: readonly string[] = ['call'],
): Promise<CallTrace> {
  const { call } = await recordOf(from);
  const mine = () => collector.spans().filter((span) => span.attributes['callfleet.call'] === call);
  for (const name of lasts)
    await expect.poll(() => mine().some((span) => span.name === name), { ...POLL, message: name }).toBe(true);
  // What was exported with them is from other processes.
  await wait(500);
  const traces = new Set(mine().map((span) => span.traceId));
  return new CallTrace(collector.spans().filter((span) => traces.has(span.traceId)));
}

/** The spans of one call. */
export class CallTrace {
  readonly spans: readonly ReceivedSpan[];

  constructor(spans: readonly ReceivedSpan[]) {
    this.spans = spans;
  }

  named(name: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name).toSorted((a, b) => a.startMs - b.startMs);
  }

  one(name: string): ReceivedSpan {
    const [span, ...more] = this.named(name);
    if (!span || more.length > 0) throw new Error(`${more.length + (span ? 1 : 0)} spans "${name}"`);
    return span;
  }

  /** One line for each kind of way from the root down to a span, as `service: root > ... > name`. */
  get tree(): string[] {
    return [
      ...new Set(this.spans.map((span) => `${span.service.replace('callfleet-', '')}: ${this.way(span)}`)),
    ].toSorted();
  }

  way(span: ReceivedSpan): string {
    if (span.parentSpanId === undefined) return span.name;
    const parent = this.spans.find((other) => other.spanId === span.parentSpanId);
    return `${parent ? this.way(parent) : '(lost)'} > ${span.name}`;
  }

  /** Those that are under a span that never came. */
  get lost(): ReceivedSpan[] {
    return this.spans.filter((span) => this.way(span).startsWith('(lost)'));
  }

  /** One trace, with this root. */
  expectOne(root = 'ari-gateway offer'): void {
    expect(new Set(this.spans.map((span) => span.traceId)).size, 'traces').toBe(1);
    const roots = this.spans.filter((span) => span.parentSpanId === undefined);
    expect(roots.map(({ service, name }) => `${service.replace('callfleet-', '')} ${name}`)).toEqual([root]);
  }

  /** And nothing of it hangs in the air. */
  expectWhole(root?: string): void {
    this.expectOne(root);
    expect(
      this.lost.map(({ name }) => name),
      'without a parent',
    ).toEqual([]);
  }
}

/** Under each command of a worker is what its gateway asks of the PBX, and nowhere else. */
export function withCommands(tree: readonly string[]): string[] {
  const executed = tree
    .filter((line) => / > command [^>]*$/.test(line))
    .map((line) => line.replace('call-worker:', 'ari-gateway:').replace(/command ([^>]*)$/, 'command $1 > ari $1'));
  return [...tree, ...executed].toSorted();
}
