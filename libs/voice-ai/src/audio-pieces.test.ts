import { formatNamed } from '@callfleet/media';
import { expect, test } from 'vitest';
import { AudioPieces } from './audio-pieces.ts';

const frames = (...lengths: number[]) => {
  let next = 0;
  return lengths.map((length) => Uint8Array.from({ length }, () => next++));
};

/** What was sent of these, as it was when it was sent. */
function sent(pieceMs: number, audio: readonly Uint8Array[], format = formatNamed('ulaw')): number[][] {
  const pieces: number[][] = [];
  const stream = new AudioPieces(format, pieceMs, (piece) => pieces.push([...piece]));
  for (const one of audio) stream.add(one);
  return pieces;
}

test('frames go together in pieces, whole and in their order', () => {
  const audio = frames(160, 160, 160, 160, 160);
  const pieces = sent(40, audio);
  expect(pieces.map(({ length }) => length)).toEqual([320, 320]);
  expect(pieces.flat()).toEqual(audio.slice(0, 4).flatMap((frame) => [...frame]));
});

test('frames as long as a piece go as they are, one by one', () => {
  expect(sent(20, frames(160, 160)).map(({ length }) => length)).toEqual([160, 160]);
  expect(sent(40, frames(480, 480)).map(({ length }) => length)).toEqual([480, 480]);
});

test('no frame waits since one before it was a sample short, or long', () => {
  const slin24 = formatNamed('slin24');
  expect(sent(40, frames(958, 960, 960, 958), slin24).map(({ length }) => length)).toEqual([1918, 1918]);
  expect(sent(40, frames(962, 960, 960, 960), slin24).map(({ length }) => length)).toEqual([962, 1920]);
});

test('a frame that does not fit any more comes in the next piece', () => {
  expect(sent(60, frames(160, 160, 400, 160)).map(({ length }) => length)).toEqual([320, 400]);
});
