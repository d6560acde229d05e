import type { Offer } from '@callfleet/bus';
import { expect, test } from 'vitest';
import { type ProgramRoute, routeFor, versionsOf } from './program-routes.ts';

const route = (name: string, version: string, ...extensions: string[]): ProgramRoute => ({
  name,
  version,
  extensions,
});
const ROUTES = [route('menu', 'v1'), route('menu', 'v2', '100'), route('other', 'v2', '_X.')];
const offer = (number: string, program?: Offer['program']) => ({ called: { number }, program }) as Offer;
const chosen = (it: Offer) => {
  const found = routeFor(ROUTES, it);
  return found && `${found.name} ${found.version}`;
};

test('a new call gets the first program that its extension fits; one without extensions gets none', () => {
  expect(chosen(offer('100'))).toBe('menu v2');
  expect(chosen(offer('200'))).toBe('other v2');
});

test('a call that was begun gets its very program in its very version, whatever its extension', () => {
  expect(chosen(offer('100', { name: 'menu', version: 'v1' }))).toBe('menu v1');
  expect(chosen(offer('200', { name: 'menu', version: 'v2' }))).toBe('menu v2');
  expect(chosen(offer('100', { name: 'menu', version: 'v3' }))).toBeUndefined();
  expect(chosen(offer('100', { name: 'other', version: 'v1' }))).toBeUndefined();
});

test('a call that is placed gets the program of the name that it asks for, in the version that new calls get', () => {
  const routes = [...ROUTES, route('campaign', 'v1')];
  const placed = (program: string) => routeFor(routes, { ...offer('200'), dial: { program } } as Offer);
  expect(placed('menu')).toMatchObject({ name: 'menu', version: 'v2' });
  expect(placed('campaign'), 'that no extension is for').toMatchObject({ name: 'campaign', version: 'v1' });
  expect(placed('nothing')).toBeUndefined();
});

test('a call that no program is for is given back, by whoever takes it over too', () => {
  const none = routeFor(ROUTES, offer('h'));
  if (!none) throw new Error('no program');
  expect(none.name).toBe('none');
  expect(versionsOf(ROUTES)).toContainEqual({ name: 'none', version: none.version });
  expect(routeFor(ROUTES, offer('100', { name: 'none', version: none.version }))).toBe(none);
});
