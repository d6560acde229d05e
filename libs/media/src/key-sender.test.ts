import { describe, expect, test } from 'vitest';
import { KeyReceiver } from './key-receiver.ts';
import { type KeyFrame, KeySender } from './key-sender.ts';
import { decodeTelephoneEvent } from './telephone-event.ts';

const frames = (sender: KeySender, n: number) => Array.from({ length: n }, () => sender.next());

describe('a key that is sent', () => {
  test('lasts 100 ms, grows with each packet, and ends three times', () => {
    const sender = new KeySender(160);
    sender.press('5');
    const sent = frames(sender, 5) as KeyFrame[];
    expect(sent.map(({ payload }) => decodeTelephoneEvent(payload))).toEqual(
      [160, 320, 480, 640, 800].map((duration) => ({ event: 5, end: duration === 800, volume: 10, duration })),
    );
    expect(sent.map(({ age, repeats }) => [age, repeats])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 3],
    ]);
    expect(frames(sender, 20)).toEqual(new Array(20).fill(undefined));
  });

  test('is followed by 60 ms of audio, as it is before the next one', () => {
    const sender = new KeySender(160);
    sender.press('11');
    expect(frames(sender, 17).map((frame) => frame?.age)).toEqual(
      [0, 1, 2, 3, 4, undefined, undefined, undefined].concat(
        [0, 1, 2, 3, 4, undefined, undefined, undefined],
        [undefined],
      ),
    );
  });

  test('is one that a telephone has, or nothing is sent', () => {
    const sender = new KeySender(160);
    expect(() => sender.press('1x')).toThrow('x is no key of a telephone');
    expect(sender.next()).toBeUndefined();
  });

  test.each([0, 1, 2, 3])('is received once, though packet %d of each four is lost', (lost) => {
    const received: string[] = [];
    const receiver = new KeyReceiver((key) => received.push(key));
    const sender = new KeySender(160);
    sender.press('1123*#AA');
    let seq = 0;
    for (let frame = 0; frame < 80; frame += 1) {
      const key = sender.next();
      for (let i = 0; i < (key?.repeats ?? 0); i += 1) {
        const { payload, age } = key as KeyFrame;
        const header = { payloadType: 101, marker: age === 0, seq, timestamp: (frame - age) * 160, ssrc: 1 };
        if (seq % 4 !== lost) receiver.receive({ ...header, payload });
        seq += 1;
      }
    }
    expect(received.join('')).toBe('1123*#AA');
  });
});
