import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatNamed } from './format.ts';
import { PlayoutBuffer } from './playout-buffer.ts';

const ulaw = formatNamed('ulaw');
const SILENCE = 0xff;

function play(buffer: PlayoutBuffer, frames: number): number[] {
  const frame = new Uint8Array(160);
  return Array.from({ length: frames }).flatMap(() => {
    buffer.takeInto(frame);
    return [...frame];
  });
}

describe('the playout buffer', () => {
  test('plays chunks of any size in order, then silence', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 12 }), (chunks) => {
        const buffer = new PlayoutBuffer(ulaw);
        for (const chunk of chunks) buffer.push(chunk);
        const all = chunks.flatMap((chunk) => [...chunk]);
        const frames = Math.ceil(all.length / 160) + 1;
        expect(play(buffer, frames)).toEqual([...all, ...new Array(frames * 160 - all.length).fill(SILENCE)]);
        expect(buffer.playedMs).toBe(all.length / 8);
        expect(buffer.queuedMs).toBe(0);
      }),
    );
  });

  test('says whether there was anything but silence to play', () => {
    const buffer = new PlayoutBuffer(ulaw);
    const frame = new Uint8Array(160);
    expect(buffer.takeInto(frame)).toBe(false);
    buffer.push(new Uint8Array(8).fill(1));
    expect(buffer.takeInto(frame)).toBe(true);
    expect([...frame.subarray(0, 9)]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, SILENCE]);
    expect(buffer.takeInto(frame)).toBe(false);
  });

  test('counts what was played, not what was flushed', () => {
    const buffer = new PlayoutBuffer(ulaw);
    buffer.push(new Uint8Array(8000));
    play(buffer, 3);
    expect(buffer.queuedMs).toBe(940);
    expect(buffer.flush()).toBe(940);
    expect(play(buffer, 2)).toEqual(new Array(320).fill(SILENCE));
    expect(buffer.playedMs).toBe(60);
    buffer.push(new Uint8Array(160).fill(2));
    expect(play(buffer, 1)).toEqual(new Array(160).fill(2));
    expect(buffer.playedMs).toBe(80);
  });

  test('drops what comes when it is full, and counts it', () => {
    const buffer = new PlayoutBuffer(ulaw, { maxMs: 100 });
    buffer.push(new Uint8Array(640).fill(1));
    buffer.push(new Uint8Array(640).fill(2));
    buffer.push(new Uint8Array(80).fill(3));
    expect(buffer.queuedMs).toBe(100);
    expect(buffer.overflowedMs).toBe(70);
    expect(play(buffer, 5)).toEqual([...new Array(640).fill(1), ...new Array(160).fill(2)]);
    buffer.push(new Uint8Array(160).fill(4));
    expect(play(buffer, 1)).toEqual(new Array(160).fill(4));
  });

  test('plays nothing of another one, whose memory it has', () => {
    const ops = fc.array(
      fc.record({ which: fc.nat(1), length: fc.nat(6000), frames: fc.nat(40), flush: fc.boolean() }),
    );
    fc.assert(
      fc.property(ops, (all) => {
        const buffers = [new PlayoutBuffer(ulaw), new PlayoutBuffer(ulaw)];
        for (const { which, length, frames, flush } of all) {
          const buffer = buffers[which] as PlayoutBuffer;
          buffer.push(new Uint8Array(length).fill(which));
          if (flush) buffer.flush();
          for (const byte of play(buffer, frames)) if (byte !== SILENCE) expect(byte).toBe(which);
        }
      }),
      { numRuns: 30 },
    );
  });
});
