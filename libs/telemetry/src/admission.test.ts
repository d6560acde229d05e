import { expect, test } from 'vitest';
import { Admission } from './admission.ts';

/** What a worker with a limit of 200 ms does at each of these measurements. */
const atEach = (admission: Admission, delays: number[]) => delays.map((delay) => admission.measure(delay));

test('a worker takes no more calls while its event loop is late, and takes them again when it is well below', () => {
  const admission = new Admission(200);
  expect(atEach(admission, [10, 250, 250, 250])).toEqual([undefined, undefined, undefined, 'paused']);
  expect(admission.isOpen).toBe(false);
  expect(atEach(admission, [90, 90, 90, 90, 90])).toEqual([undefined, undefined, undefined, undefined, 'resumed']);
  expect(admission.isOpen).toBe(true);
});

test('one long pause alone changes nothing', () => {
  const admission = new Admission(200);
  expect(atEach(admission, [5000, 0, 900, 900, 0])).toEqual([undefined, undefined, undefined, undefined, undefined]);
  expect(admission.isOpen).toBe(true);
});

test('a delay around the limit does not let it flap', () => {
  const admission = new Admission(200);
  atEach(admission, [210, 210, 210]);
  const changes = atEach(admission, [190, 210, 150, 120, 199, 205, 101, 110]);
  expect(changes.every((change) => change === undefined)).toBe(true);
  expect(admission.isOpen).toBe(false);
});

test('whoever pulls offers is told when a pause is over', async () => {
  const admission = new Admission(200);
  await admission.opened();
  atEach(admission, [300, 300, 300]);
  expect(admission.isOpen).toBe(false);
  let told = false;
  const opened = admission.opened().then(() => {
    told = true;
  });
  await Promise.resolve();
  expect(told).toBe(false);
  atEach(admission, [0, 0, 0, 0, 0]);
  await opened;
  expect(admission.isOpen).toBe(true);
});
