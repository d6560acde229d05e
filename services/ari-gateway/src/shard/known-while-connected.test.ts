import type { KnownAsterisk } from '@callfleet/ari';
import { expect, test } from 'vitest';
import { KnownWhileConnected } from './known-while-connected.ts';

const asteriskOf = (entityId: string) => ({ entityId }) as KnownAsterisk;

test('who an Asterisk is is known as long as a socket to it stands, and asked for again after the last', () => {
  const known = new KnownWhileConnected();
  expect(known.asterisk).toBeUndefined();
  const leaveFirst = known.connected(asteriskOf('one'));
  const leaveSecond = known.connected(asteriskOf('one'));
  leaveFirst();
  expect(known.asterisk).toEqual({ entityId: 'one' });
  leaveSecond();
  expect(known.asterisk).toBeUndefined();
  known.connected(asteriskOf('another'));
  expect(known.asterisk).toEqual({ entityId: 'another' });
});
