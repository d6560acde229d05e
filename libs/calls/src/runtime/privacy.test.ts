import { expect, test } from 'vitest';
import { defineCall } from '../define-call.ts';
import { survivesTakeovers } from '../testing/survives-takeovers.ts';
import { ScriptedCall } from './scripted-call.ts';

const RECORDING = 'recordings/live/pbx-a.1763701200_12~recording1';
const MEDIA = 'pbx-a.1763701200_12~media1';

/** A call whose PBX starts at once what it is asked for. */
function scripted(): ScriptedCall {
  const call = new ScriptedCall();
  const started = (id: string | undefined) => {
    call.tell('StasisStart', { channel: { id } });
    return { status: 200, body: { channelvars: {} } };
  };
  call.answers['POST /channels/externalMedia'] = ({ query }) => started(String(query.channelId));
  call.answers['POST /channels/{channelId}/snoop/{snoopId}'] = ({ path }) =>
    started(decodeURIComponent(path.split('/').at(-1) ?? ''));
  call.answers['POST /channels/{channelId}/record'] = ({ query }) => {
    call.tell('RecordingStarted', { recording: { name: query.name } });
    return { status: 201 };
  };
  return call;
}

const pausesIn = (call: ScriptedCall) => call.commands.filter((command) => command.includes('/pause'));

test('while a call is private its recording pauses and its AI is told, and afterwards they go on', async () => {
  const call = scripted();
  await call.run(async (it) => {
    await it.record();
    await it.connect('ai');
    await it.inPrivate(async () => {
      expect(pausesIn(call)).toEqual([`POST ${RECORDING}/pause`]);
      expect(call.media.at(-1)).toBe('private on');
      await it.inPrivate(async () => {});
      expect(pausesIn(call), 'it is private still').toHaveLength(1);
    });
  });
  expect(pausesIn(call)).toEqual([`POST ${RECORDING}/pause`, `DELETE ${RECORDING}/pause`]);
  expect(call.media.filter((line) => line.startsWith('private'))).toEqual(['private on', 'private off']);
});

test('what throws in private ends the privacy', async () => {
  const call = scripted();
  await call.run(async (it) => {
    await it.connect('ai');
    await it.inPrivate(() => Promise.reject(new Error('no'))).catch(() => {});
  });
  expect(call.media).toContain('private off');
});

test('a recording that the program has paused stays so, and one it resumes meanwhile goes on at the end', async () => {
  const call = scripted();
  await call.run(async (it) => {
    const recording = await it.record();
    await recording.pause();
    await it.inPrivate(async () => {});
    expect(pausesIn(call)).toEqual([`POST ${RECORDING}/pause`]);
    await it.inPrivate(() => recording.resume());
  });
  expect(pausesIn(call)).toEqual([`POST ${RECORDING}/pause`, `DELETE ${RECORDING}/pause`]);
});

test('in private no recording begins, and an AI that is connected then hears nothing from its start', async () => {
  const call = scripted();
  let refused: unknown;
  await call.run(async (it) => {
    await it.inPrivate(async () => {
      refused = await it.record().catch(({ code }: { code: string }) => code);
      await it.connect('ai');
    });
  });
  expect(refused).toBe('CF_CALL_PRIVATE');
  const told = call.media.filter((line) => /^(private|attach)/.test(line));
  expect(told).toEqual(['private on', 'attach {}', 'private off']);
});

test('when a relay can not be told, what was to be private is not begun', async () => {
  const call = scripted();
  const begun: string[] = [];
  let failed: unknown;
  const done = call.run(async (it) => {
    await it.connect('ai');
    call.refusesOrders = true;
    failed = await it.inPrivate(async () => void begun.push('asked')).catch(({ code }: { code: string }) => code);
    call.refusesOrders = false;
  });
  await call.advance(5000);
  await done;
  expect(failed).toBe('CF_MEDIA_UNAVAILABLE');
  expect(begun).toEqual([]);
});

test('a relay that is gone, though nobody knows yet, does not keep a call from being private', async () => {
  const call = scripted();
  const begun: string[] = [];
  const done = call.run(async (it) => {
    await it.connect('ai');
    call.refusesOrders = true;
    await it.inPrivate(async () => void begun.push('asked'));
  });
  await call.advance(300);
  expect(begun).toEqual([]);
  call.refusesOrders = false;
  call.tell('media.lost', { session: MEDIA });
  await call.advance(2000);
  await done;
  expect(begun).toEqual(['asked']);
  const told = call.media.filter((line) => /^(private|attach)/.test(line));
  expect(told).toEqual(['attach {}', 'private on', 'attach {}', 'private off']);
});

test('keys reach the AI while it talks, not before, and not in private', async () => {
  const call = scripted();
  const done = call.run(async (it) => {
    await it.connect('ai');
    await it.gather({ count: 2 });
    await it.inPrivate(async () => {
      await it.gather({ count: 4 });
    });
    await it.gather();
  });
  call.press('9');
  await call.advance(10);
  call.tell('media.started', { session: MEDIA, relay: 'relay-1' });
  call.press('1');
  await call.advance(10);
  call.press('4111');
  await call.advance(10);
  call.press('2');
  await call.advance(10);
  await done;
  expect(call.media.filter((line) => line.startsWith('digit'))).toEqual(['digit 1', 'digit 2']);
});

test('privacy survives the death of any worker', async () => {
  const program = defineCall(async (call) => {
    await call.answer();
    const recording = await call.record();
    const conversation = await call.connect('ai');
    await call.inPrivate(() => call.gather({ count: 4 }));
    await recording.stop();
    await conversation.close();
  });
  await survivesTakeovers(program, { caller: { does: [{ after: 2000, press: '4111' }] } });
});
