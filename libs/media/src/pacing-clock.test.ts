import { describe, expect, test } from 'vitest';
import { PacingClock } from './pacing-clock.ts';
import { SimulatedTime } from './simulated-time.ts';

const never = (error: unknown) => {
  throw error;
};

describe('the pacing clock', () => {
  test('ticks each session every 20 ms, however late the wake-ups are', () => {
    const time = new SimulatedTime(1000);
    const clock = new PacingClock(time, never);
    const ticks: number[] = [];
    clock.add(() => ticks.push(time.now()));
    time.pass(10_000, 3);
    expect(ticks.length).toBeGreaterThanOrEqual(499);
    const first = ticks[0] as number;
    for (const [i, at] of ticks.entries()) expect(at - first).toBeCloseTo(i * 20, 6);
    expect(clock.error.quantileMs(0.99)).toBeCloseTo(3, 0);
    expect(clock.skippedFrames).toBe(0);
  });

  test('serves all sessions by one timer, spread over the frame', () => {
    const time = new SimulatedTime(1000);
    const clock = new PacingClock(time, never);
    const instants = new Map<number, number>();
    const counts = new Array(100).fill(0);
    for (let i = 0; i < 100; i += 1)
      clock.add(() => {
        counts[i] += 1;
        const within = time.now() % 20;
        instants.set(within, (instants.get(within) ?? 0) + 1);
      });
    expect(time.timers).toBe(1);
    time.pass(1000);
    expect(time.timers).toBe(1);
    expect(new Set(counts)).toEqual(new Set([50]));
    expect([...instants.values()]).toEqual([1250, 1250, 1250, 1250]);
  });

  test('serves in time what would wait behind other work, and nothing that is not due', () => {
    const time = new SimulatedTime(1000);
    const clock = new PacingClock(time, never);
    const ticks: number[] = [];
    clock.add(() => ticks.push(time.now()));
    for (let ms = 0; ms < 1000; ms += 1) {
      time.standStill(1);
      clock.catchUp();
    }
    expect(ticks).toHaveLength(50);
    expect(clock.error.quantileMs(0.99)).toBeLessThanOrEqual(1);
    expect(time.timers).toBe(1);
    time.pass(20);
    expect(ticks, 'and goes on by itself').toHaveLength(51);
  });

  test('catches up 100 ms after standing still and tells how many frames fell out', () => {
    const time = new SimulatedTime(1000);
    const clock = new PacingClock(time, never);
    const skips: number[] = [];
    clock.add((skipped) => skips.push(skipped));
    time.pass(100);
    skips.length = 0;
    time.standStill(80);
    time.pass(0);
    expect(skips).toEqual([0, 0, 0, 0]);
    time.standStill(1000);
    time.pass(0);
    expect(skips.slice(4)).toEqual([45, 0, 0, 0, 0]);
    expect(clock.skippedFrames).toBe(45);
    time.pass(1000);
    expect(skips.slice(9)).toEqual(new Array(50).fill(0));
  });

  test('is not stopped by a session that throws', () => {
    const time = new SimulatedTime(1000);
    const errors: unknown[] = [];
    const clock = new PacingClock(time, (error) => errors.push(error));
    let healthy = 0;
    for (let i = 0; i < 4; i += 1)
      clock.add(() => {
        throw new Error('broken');
      });
    for (let i = 0; i < 4; i += 1)
      clock.add(() => {
        healthy += 1;
      });
    time.pass(200);
    expect(healthy).toBe(40);
    expect(errors).toHaveLength(40);
  });

  test('sets no timer while nobody is there, and begins on time again', () => {
    const time = new SimulatedTime(1000);
    const clock = new PacingClock(time, never);
    let ticks = 0;
    const remove = clock.add(() => {
      ticks += 1;
      if (ticks === 3) remove();
    });
    time.pass(1000);
    expect(ticks).toBe(3);
    expect(time.timers).toBe(0);
    clock.add(() => {
      ticks += 1;
    });
    time.pass(1000);
    expect(ticks).toBe(53);
    expect(clock.skippedFrames).toBe(0);
  });

  test('serves a newcomer on time though the timer stands for another', () => {
    const time = new SimulatedTime(1000);
    const clock = new PacingClock(time, never);
    clock.add(() => {});
    time.pass(1);
    const at: number[] = [];
    clock.add(() => at.push(time.now()));
    time.pass(20);
    expect(at).toHaveLength(1);
    expect(clock.error.maxMs).toBe(0);
  });
});
