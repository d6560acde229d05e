import { channels } from '@callfleet/ari';
import { expect, test } from 'vitest';
import { CallEvents } from './call-events.ts';
import type { PbxAnswer } from './call-host.ts';
import { InputQueue } from './input-queue.ts';
import { Operation } from './operation.ts';
import { playToEnd } from './playback.ts';

const ID = 'pbx.call~playback1';

/** A prompt that a digit stops. `atStart` happens while the command that begins it is under way. */
function playing(atStart: (it: { finish(): void; press(digit: string): void }) => void) {
  const events = new CallEvents();
  const digits = new InputQueue<string>();
  const sent: string[] = [];
  const finish = () =>
    events.deliver({
      ...{ id: '1', call: 'pbx.call', source: 'gateway-1', seq: 1, at: '', type: 'ari.PlaybackFinished' },
      data: { playback: { id: ID, state: 'done' } },
    } as never);
  const press = (digit: string) => digits.push(digit);
  const host = {
    command: async (id: string): Promise<PbxAnswer<unknown>> => {
      sent.push(id.split(' ')[1] ?? '');
      if (sent.length === 1) atStart({ finish, press });
      else finish();
      return { status: 201, reason: '', body: undefined } as PbxAnswer<unknown>;
    },
  };
  const operation = new Operation({ host: host as never, name: 'play', key: '1' });
  const done = playToEnd(operation, {
    events,
    playbackId: ID,
    media: ['sound:menu'],
    request: channels.playWithId({ channelId: 'c', playbackId: ID, media: ['sound:menu'] }),
    stopOn: digits,
    signal: new AbortController().signal,
  });
  return { sent, finish, press, done };
}

test('a digit that is pressed while the prompt begins stops it', async () => {
  const { sent, done } = playing(({ press }) => press('1'));
  await done;
  expect(sent).toEqual(['POST', 'DELETE']);
});

test('digits that are pressed while it plays stop it once', async () => {
  const { sent, press, done } = playing(() => {});
  await new Promise(setImmediate);
  press('1');
  press('2');
  await done;
  expect(sent).toEqual(['POST', 'DELETE']);
});

test('one that has come to its end is not stopped, though a digit comes right after', async () => {
  const { sent, finish, press, done } = playing(() => {});
  await new Promise(setImmediate);
  finish();
  press('1');
  await done;
  expect(sent).toEqual(['POST']);
});
