import { describe, expect, test } from 'vitest';
import { RelayDirectory } from './relay-directory.ts';

const relay = (name: string, zone: string, sessions: number, more = {}) => ({
  relay: name,
  zone,
  sessions,
  maxSessions: 10,
  draining: false,
  ...more,
});

describe('the relay directory', () => {
  test('prefers the zone of the PBX, then the emptiest relay', () => {
    const directory = new RelayDirectory(() => 0);
    for (const each of [relay('far', 'b', 0), relay('busy', 'a', 9), relay('near', 'a', 2)]) directory.hear(each);
    expect(directory.candidates('a').map((each) => each.relay)).toEqual(['near', 'busy', 'far']);
  });

  test('prefers relays that keep time, and takes one that is late before none', () => {
    const directory = new RelayDirectory(() => 0);
    for (const each of [relay('late', 'a', 0, { late: true }), relay('far', 'b', 5)]) directory.hear(each);
    expect(directory.candidates('a').map((each) => each.relay)).toEqual(['far', 'late']);
  });

  test('leaves out relays that are full or draining', () => {
    const directory = new RelayDirectory(() => 0);
    for (const each of [relay('full', 'a', 10), relay('leaving', 'a', 0, { draining: true })]) directory.hear(each);
    expect(directory.candidates('a')).toEqual([]);
  });

  test('forgets a relay that fell silent', () => {
    let now = 0;
    const directory = new RelayDirectory(() => now);
    directory.hear(relay('gone', 'a', 0));
    now = 3000;
    expect(directory.candidates('a')).toHaveLength(1);
    now = 4000;
    expect(directory.candidates('a')).toHaveLength(0);
  });

  test('that is new waits for the first relay, but not for ever', async () => {
    const directory = new RelayDirectory();
    const candidates = directory.candidatesSoon('a');
    directory.hear(relay('first', 'a', 0));
    expect((await candidates).map((each) => each.relay)).toEqual(['first']);
    expect(await new RelayDirectory().candidatesSoon('a')).toEqual([]);
  });

  test('that is not new says at once that there is none', async () => {
    let now = 0;
    const directory = new RelayDirectory(() => now);
    now = 2000;
    expect(await directory.candidatesSoon('a')).toEqual([]);
  });
});
