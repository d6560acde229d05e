import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callIdOf, partsOfCallId } from './call-id.ts';
import { callOfResource, resourceId } from './resource-id.ts';
import { decodeToken, encodeToken } from './subject-token.ts';

const wellFormed = fc.string({ unit: 'grapheme', minLength: 1 });

describe('a subject token', () => {
  test('gives back every string it was made of', () => {
    fc.assert(
      fc.property(wellFormed, (text) => {
        expect(decodeToken(encodeToken(text))).toBe(text);
      }),
    );
  });

  test('holds nothing that NATS gives a meaning to', () => {
    fc.assert(
      fc.property(wellFormed, (text) => {
        expect(encodeToken(text)).not.toMatch(/[.*>\s~$]/);
      }),
    );
  });

  test('refuses what it never made', () => {
    for (const text of ['a.b', 'a b', '=2', '=zz', '=FF', 'a~b']) expect(decodeToken(text)).toBeUndefined();
  });
});

describe('a call id', () => {
  test('reads like the channel it stands for', () => {
    expect(callIdOf('pbx-a', 'pbx-a-1763701200.12')).toBe('pbx-a.pbx-a-1763701200_12');
  });

  test('gives back its PBX and channel', () => {
    fc.assert(
      fc.property(wellFormed, (channelId) => {
        expect(partsOfCallId(callIdOf('pbx-a', channelId))).toEqual({ pbx: 'pbx-a', channelId });
      }),
    );
  });

  test('is not taken from text that is none', () => {
    for (const text of ['', 'pbx', '.x', 'PBX.1', 'pbx.', 'pbx.a.b']) expect(partsOfCallId(text)).toBeUndefined();
  });
});

describe('a resource id', () => {
  test('carries its call', () => {
    const call = callIdOf('pbx-a', '1763701200.12');
    expect(callOfResource(resourceId(call, 'media', 1))).toBe(call);
  });

  test('of somebody else carries none', () => {
    for (const id of ['1763701200.12', 'backup~2', 'pbx a.1~x', '']) expect(callOfResource(id)).toBeUndefined();
  });
});
