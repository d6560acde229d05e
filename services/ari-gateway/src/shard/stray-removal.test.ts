import type { AriRequester } from '@callfleet/ari';
import { createLogger } from '@callfleet/telemetry';
import { expect, test } from 'vitest';
import { removeStrays } from './stray-removal.ts';

const log = createLogger('ari-gateway', 'test', { level: 'silent', format: 'json' });

/** A PBX with these bridges, whose requests fail while there is something in `failures`. */
function pbxWith(bridges: string[], failures: string[] = []) {
  const fail = (what: string) => {
    if (failures[0] === what) throw new Error(`no answer to ${failures.shift()}`);
  };
  const request = async ({ method, path }: { method: string; path: string }) => {
    fail('destroy');
    expect(method).toBe('DELETE');
    bridges.splice(bridges.indexOf(path.slice('bridges/'.length)), 1);
    return { status: 204, reason: '', body: undefined };
  };
  return {
    http: { request } as unknown as AriRequester,
    look: async () => {
      fail('look');
      return { channels: [], bridges: [...bridges] };
    },
    afterMs: 1,
    log,
  };
}

const seen = (...bridges: string[]) => ({ channels: [], bridges });

test('what is seen twice is removed', async () => {
  const bridges = ['one', 'two'];
  await removeStrays(pbxWith(bridges), seen('one', 'gone-by-itself'), new AbortController().signal);
  expect(bridges).toEqual([]);
});

test('a PBX that does not answer for a moment keeps no strays', async () => {
  const bridges = ['one', 'two'];
  await removeStrays(pbxWith(bridges, ['look', 'look', 'destroy']), seen('one', 'two'), new AbortController().signal);
  expect(bridges).toEqual([]);
});

test('with its socket it is over', async () => {
  const bridges = ['one'];
  await removeStrays(pbxWith(bridges), seen('one'), AbortSignal.abort());
  expect(bridges).toEqual(['one']);
});
