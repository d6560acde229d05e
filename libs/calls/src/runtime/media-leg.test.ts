import { expect, test } from 'vitest';
import type { Call } from '../call.ts';
import type { Conversation } from '../conversation.ts';
import { MediaUnavailableError } from '../errors.ts';
import { ScriptedCall } from './scripted-call.ts';

const CALL = 'pbx-a.1763701200_12';
const FIRST = `${CALL}~media1`;
/** Of the first owner of the call: its first move, and its second. */
const SECOND = `${CALL}~media101001`;
const THIRD = `${CALL}~media102001`;
const OWN_BRIDGE = `${CALL}~bridge1`;

/** A call that talks to an AI until that ends; the PBX starts each leg at once. */
function talking(
  { gate, ...options }: Parameters<Call['connect']>[1] & { gate?: Promise<void> } = {},
  then: (it: Conversation) => Promise<void> = async () => {},
) {
  const call = new ScriptedCall();
  const started: string[] = [];
  call.answers['POST /channels/externalMedia'] = async ({ query }) => {
    const id = String(query.channelId);
    if (id !== FIRST) await gate;
    started.push(id);
    call.tell('StasisStart', { channel: { id } });
    return { status: 200, body: { channelvars: {} } };
  };
  const added = () => call.commands.filter((command) => command.includes('/addChannel'));
  let ended: unknown;
  const moved: unknown[] = [];
  const done = call.run(async (it) => {
    const conversation = await it.connect('ai', options);
    conversation.on('moved', (event) => void moved.push([event.relay, conversation.provider]));
    await then(conversation);
    ended = await conversation.ended();
  });
  const tell = (what: string, session: string, more: object = {}) =>
    call.tell(`media.${what}`, { session, relay: 'relay-1', ...more });
  return { call, started, added, done, moved, ended: () => ended, tell };
}

const openings = (call: ScriptedCall) => call.media.filter((line) => line.startsWith('open'));

test('a conversation whose relay is lost goes on in another, which is told what was said', async () => {
  const { call, started, added, done, moved, ended, tell } = talking();
  await call.advance(10);
  tell('started', FIRST);
  tell('turn', FIRST, { role: 'bot', text: 'Good morning.', startMs: 0, endMs: 1 });
  tell('turn', FIRST, { role: 'caller', text: 'Hello.', startMs: 2, endMs: 3 });
  tell('lost', FIRST);
  await call.advance(100);
  expect(openings(call)).toEqual([`open ${FIRST} ai`, `open ${SECOND} ai [bot: Good morning.] [caller: Hello.]`]);
  expect(started).toEqual([FIRST, SECOND]);
  expect(added()).toHaveLength(2);
  expect(call.commands).toContain(`DELETE channels/${FIRST}`);
  tell('started', SECOND, { relay: 'relay-2' });
  await call.advance(10);
  expect(moved).toEqual([['relay-2', 'ai']]);

  call.press('5');
  await call.advance(10);
  expect(call.media.at(-1), 'keys go to the new one').toBe('digit 5');
  tell('ended', FIRST, { reason: 'media-lost' });
  await call.advance(2000);
  expect(ended(), 'what becomes of the old one is of no account').toBeUndefined();
  tell('ended', SECOND, { reason: 'provider-ended' });
  await done;
  expect(ended()).toEqual({ reason: 'provider-ended' });
});

test('so does one whose relay stops, where its program has brought it', async () => {
  const { call, done, tell } = talking();
  await call.advance(10);
  tell('started', FIRST);
  call.tell('ChannelEnteredBridge', { channel: { id: FIRST }, bridge: { id: 'a room' } });
  tell('ended', FIRST, { reason: 'relay-stopped' });
  await call.advance(100);
  expect(call.commands.filter((command) => command.includes('/addChannel'))).toEqual([
    `POST bridges/${OWN_BRIDGE}/addChannel`,
    'POST bridges/a room/addChannel',
  ]);
  tell('ended', SECOND, { reason: 'closed' });
  await done;
});

test('no relay has room at first: it is tried again; and for long: the program is told', async () => {
  const { call, done, ended, tell } = talking();
  await call.advance(10);
  call.refusesMedia = true;
  tell('lost', FIRST);
  await call.advance(100);
  expect(openings(call)).toHaveLength(2);
  call.refusesMedia = false;
  await call.advance(1000);
  expect(openings(call).at(-1)).toBe(`open ${THIRD} ai`);
  call.refusesMedia = true;
  tell('lost', THIRD);
  await call.advance(30_000);
  await done;
  expect(ended()).toMatchObject({ reason: 'relay-lost', detail: expect.stringContaining('no other is to be had') });
});

test('a provider that fails is followed by the next, at the start and later, until none is left', async () => {
  const fallbacks = [{ provider: 'second' }, { provider: 'third', options: { voice: 'low' } }];
  const { call, done, moved, ended, tell } = talking({ fallbacks });
  await call.advance(10);
  tell('started', FIRST);
  tell('turn', FIRST, { role: 'caller', text: 'Hello.', startMs: 2, endMs: 3 });
  tell('ended', FIRST, { reason: 'provider-failed', detail: 'it is away' });
  await call.advance(100);
  tell('started', SECOND);
  await call.advance(10);
  tell('ended', SECOND, { reason: 'provider-failed' });
  await call.advance(100);
  tell('started', THIRD);
  await call.advance(10);
  tell('ended', THIRD, { reason: 'provider-failed', detail: 'it is away too' });
  await done;
  expect(openings(call).map((line) => line.split(' ').slice(1))).toEqual([
    [FIRST, 'ai'],
    [SECOND, 'second', '[caller:', 'Hello.]'],
    [THIRD, 'third', '[caller:', 'Hello.]'],
  ]);
  expect(moved.map((event) => (event as string[])[1])).toEqual(['second', 'third']);
  expect(ended()).toEqual({ reason: 'provider-failed', detail: 'it is away too' });
});

test('one that can not be opened at all is followed by the next, too', async () => {
  let opened = 0;
  const call = new ScriptedCall();
  call.answers['POST /channels/externalMedia'] = ({ query }) => {
    call.tell('StasisStart', { channel: { id: String(query.channelId) } });
    return { status: 200, body: { channelvars: {} } };
  };
  call.onOpenMedia = () => {
    opened += 1;
    if (opened === 1) throw MediaUnavailableError.of('no such provider');
  };
  let provider: string | undefined;
  await call.run(async (it) => {
    provider = (await it.connect('first', { fallbacks: [{ provider: 'second' }] })).provider;
  });
  expect(provider).toBe('second');
});

test('a fallback that takes nobody now is passed over at once', async () => {
  const { call, done, tell, moved } = talking({ fallbacks: [{ provider: 'second' }, { provider: 'third' }] });
  await call.advance(10);
  tell('started', FIRST);
  call.onOpenMedia = (provider) => {
    if (provider === 'second') throw MediaUnavailableError.of('as many conversations go on with it as may');
  };
  tell('ended', FIRST, { reason: 'provider-failed' });
  await call.advance(100);
  tell('started', THIRD);
  await call.advance(10);
  expect(openings(call)).toEqual([`open ${FIRST} ai`, `open ${SECOND} second`, `open ${THIRD} third`]);
  expect(moved).toEqual([['relay-1', 'third']]);
  tell('ended', THIRD, { reason: 'closed' });
  await done;
});

test('a leg that is gone without a word of its relay is over, soon', async () => {
  const { call, done, ended, tell } = talking();
  await call.advance(10);
  tell('started', FIRST);
  call.tell('ChannelDestroyed', { channel: { id: FIRST }, cause: 16 });
  await call.advance(3000);
  await done;
  expect(ended()).toEqual({ reason: 'leg-gone' });
});

test('whoever takes the call over knows where its conversation has gone', async () => {
  const { call, done, ended, tell } = talking();
  await call.advance(10);
  tell('started', FIRST);
  tell('lost', FIRST);
  await call.advance(100);
  tell('started', SECOND);
  await call.advance(10);
  call.takeOver();
  await call.advance(100);
  call.press('7');
  await call.advance(10);
  expect(call.media.at(-1)).toBe('digit 7');
  tell('lost', SECOND);
  await call.advance(100);
  const third = `${CALL}~media201001`;
  expect(openings(call).at(-1), 'under a number of the second owner').toContain(third);
  tell('ended', third, { reason: 'provider-ended' });
  await done;
  expect(ended()).toEqual({ reason: 'provider-ended' });
  for (const session of [SECOND, third]) expect(call.commands).toContain(`DELETE channels/${session}`);
});

test('one that is closed while it is moved leaves nothing behind', async () => {
  const gate = Promise.withResolvers<void>();
  const { call, done, ended, tell } = talking({ gate: gate.promise }, async (it) => {
    await it.next('turn');
    await it.close();
  });
  await call.advance(10);
  tell('started', FIRST);
  tell('lost', FIRST);
  await call.advance(100);
  expect(openings(call)).toHaveLength(2);
  tell('turn', FIRST, { role: 'caller', text: 'Good-bye.', startMs: 0, endMs: 1 });
  await call.advance(100);
  const soFar = call.commands.length;
  gate.resolve();
  await call.advance(1000);
  await done;
  expect(ended()).toEqual({ reason: 'closed' });
  expect(call.commands.slice(soFar), 'made after the program has closed it').toContain(`DELETE channels/${SECOND}`);
  expect(call.media.filter((line) => line.startsWith('close'))).toHaveLength(2);
});
