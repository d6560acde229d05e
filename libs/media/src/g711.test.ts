import { describe, expect, test } from 'vitest';
import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from './g711.ts';

/** Every 16-bit sample, in order. */
const everySample = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768);

/** G.711 Table 2a: decision values of µ-law, in its 14-bit units: 1, 3, ... 31, then 15 or 16 of each doubled step. */
function ulawDecisions(): number[] {
  const values = [0, 1];
  for (let segment = 0; segment < 8; segment += 1)
    for (let i = segment === 0 ? 1 : 0; i < 16; i += 1) values.push((values.at(-1) as number) + 2 ** (segment + 1));
  return values;
}

/** G.711 Table 1a: decision values of A-law, in its 13-bit units (full scale 4096): two segments of step 2, then doubled. */
function alawDecisions(): number[] {
  const values = [0];
  for (const step of [2, 2, 4, 8, 16, 32, 64, 128])
    for (let i = 0; i < 16; i += 1) values.push((values.at(-1) as number) + step);
  return values;
}

const laws = [
  {
    name: 'µ-law',
    encode: encodeUlaw,
    decode: decodeUlaw,
    decisions: ulawDecisions().map((x) => x * 4),
    // The first interval's output is 0, not its middle (G.711, Table 2a, note).
    output: (x: number[], n: number) => (n === 0 ? 0 : ((x[n] as number) + (x[n + 1] as number)) / 2),
    codeOf: (interval: number, negative: boolean) => (negative ? 0x7f : 0xff) - interval,
  },
  {
    name: 'A-law',
    encode: encodeAlaw,
    decode: decodeAlaw,
    decisions: alawDecisions().map((x) => x * 8),
    output: (x: number[], n: number) => ((x[n] as number) + (x[n + 1] as number)) / 2,
    codeOf: (interval: number, negative: boolean) => ((negative ? 0 : 0x80) | interval) ^ 0x55,
  },
];

describe.each(laws)('$name', ({ encode, decode, decisions, output, codeOf }) => {
  test('has the decision values of the recommendation', () => {
    expect(decisions).toHaveLength(129);
  });

  test('decodes every code to the output value of its interval', () => {
    for (let interval = 0; interval < 128; interval += 1)
      for (const negative of [false, true]) {
        const [sample] = decode(Uint8Array.of(codeOf(interval, negative)));
        const magnitude = output(decisions, interval);
        expect(sample === undefined ? undefined : sample + 0).toBe(negative && magnitude > 0 ? -magnitude : magnitude);
      }
  });

  test('encodes every sample into the interval that holds it', () => {
    const codes = encode(everySample);
    const wrong = everySample.filter((sample, i) => {
      const interval = Array.from({ length: 128 }, (_, n) => n).find((n) => codes[i] === codeOf(n, sample < 0));
      if (interval === undefined) return true;
      const magnitude = Math.abs(sample);
      const aboveLow = magnitude >= (decisions[interval] as number);
      const belowHigh = interval === 127 || magnitude <= (decisions[interval + 1] as number);
      return !(aboveLow && belowHigh);
    });
    expect(wrong).toHaveLength(0);
  });

  test('encodes what it decoded to the same code', () => {
    const codes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const again = encode(decode(codes));
    // µ-law has two zeros; linear has one.
    expect([...again].filter((code, i) => code !== i && !(i === 0x7f && code === 0xff))).toEqual([]);
  });

  test('fills the buffer that it is given', () => {
    const into = new Uint8Array(2);
    expect(encode(Int16Array.of(1000, -1000), into)).toBe(into);
    expect(into).toEqual(encode(Int16Array.of(1000, -1000)));
  });
});

test('silence is 0xFF in µ-law and 0xD5 in A-law', () => {
  expect(encodeUlaw(Int16Array.of(0))[0]).toBe(0xff);
  expect(encodeAlaw(Int16Array.of(0))[0]).toBe(0xd5);
});
