import { describe, expect, test } from 'vitest';
import { CallEndedError, MediaUnavailableError, PbxRefusedError, PlaybackFailedError } from '../errors.ts';
import type { Gathered } from '../party.ts';
import { ScriptedCall, settle } from './scripted-call.ts';

const CALL = 'pbx-a.1763701200_12';
const LEG = `${CALL}~media1`;
const BRIDGE = `${CALL}~bridge1`;

describe('a call program', () => {
  test('that returns leaves no call behind', async () => {
    const call = new ScriptedCall();
    const outcome = await call.run((it) => it.answer());
    expect(call.commands).toEqual(['POST channels/1763701200.12/answer', 'DELETE channels/1763701200.12']);
    expect(outcome.endedBy).toBe('program');
  });

  test('that throws sends its caller back to the dialplan', async () => {
    const call = new ScriptedCall();
    call.answers['POST /channels/{channelId}/continue'] = () => {
      call.tell('StasisEnd');
      return { status: 204 };
    };
    const outcome = await call.run(async () => {
      throw new Error('out of luck');
    });
    expect(call.commands).toEqual(['POST channels/1763701200.12/variable', 'POST channels/1763701200.12/continue']);
    expect(outcome).toMatchObject({
      endedBy: 'error',
      error: { code: 'CF_PROGRAM_FAILED', message: 'out of luck' },
    });
  });

  test('is told when the caller hangs up, whatever it waits for', async () => {
    for (const wait of ['sleep', 'gather', 'play'] as const) {
      const call = new ScriptedCall();
      const done = call.run(async (it) => {
        if (wait === 'sleep') await it.sleep(60_000);
        if (wait === 'gather') await it.gather();
        if (wait === 'play') await it.play('sound:hello-world');
      });
      await settle();
      call.callerHangsUp();
      expect(await done).toMatchObject({ endedBy: 'caller', cause: { code: 16, text: 'Normal Clearing' } });
    }
  });

  test('can still save what it learnt after the end, but not act on the call', async () => {
    const call = new ScriptedCall();
    const saved: unknown[] = [];
    const done = call.run(async (it) => {
      try {
        await it.sleep(60_000);
      } finally {
        saved.push(await it.step('save', () => 'saved'));
        saved.push(await it.answer().catch((error: unknown) => error instanceof CallEndedError));
      }
    });
    await settle();
    call.callerHangsUp();
    await done;
    expect(saved).toEqual(['saved', true]);
  });

  test('learns that the call is over, not that a channel was not found', async () => {
    const call = new ScriptedCall();
    call.answers['POST /channels/{channelId}/answer'] = () => {
      setImmediate(() => call.callerHangsUp());
      return { status: 404 };
    };
    expect(await call.run((it) => it.answer())).toMatchObject({ endedBy: 'caller' });
  });

  test('learns what the PBX refused, and can go on', async () => {
    const call = new ScriptedCall();
    call.answers['POST /channels/{channelId}/variable'] = () => ({ status: 400, reason: 'no such function' });
    let error: unknown;
    const outcome = await call.run(async (it) => {
      error = await it.setVariable('NO(SUCH)', 'x').catch((cause: unknown) => cause);
    });
    expect(error).toBeInstanceOf(PbxRefusedError);
    expect(String(error)).toContain('no such function');
    expect(outcome.endedBy).toBe('program');
  });

  test('hangs up once, and goes on to its end', async () => {
    const call = new ScriptedCall();
    let wentOn = false;
    await call.run(async (it) => {
      await it.hangup();
      await it.hangup();
      wentOn = true;
    });
    expect(wentOn).toBe(true);
    expect(call.commands).toEqual(['DELETE channels/1763701200.12']);
  });
});

describe('digits', () => {
  test('pressed early are kept, in order', async () => {
    const call = new ScriptedCall();
    const read: Gathered[] = [];
    call.press('12');
    await call.run(async (it) => {
      read.push(await it.gather());
      read.push(await it.gather({ count: 1, firstDigitTimeoutMs: 10 }));
    });
    expect(read.map((each) => each.digits)).toEqual(['1', '2']);
  });

  test('end with the finish key, which is not one of them', async () => {
    const call = new ScriptedCall();
    let read: Gathered | undefined;
    const done = call.run(async (it) => {
      read = await it.gather({ count: 10, finishKey: '#' });
    });
    await settle();
    call.press('42#');
    await done;
    expect(read).toEqual({ digits: '42', reason: 'finish-key' });
  });

  test('time out, first and between', async () => {
    const call = new ScriptedCall();
    const read: Gathered[] = [];
    const done = call.run(async (it) => {
      read.push(await it.gather({ count: 3, firstDigitTimeoutMs: 1000, interDigitTimeoutMs: 500 }));
      read.push(await it.gather({ count: 3, firstDigitTimeoutMs: 1000, interDigitTimeoutMs: 500 }));
    });
    await call.advance(1000);
    await call.advance(900);
    call.press('7');
    await call.advance(500);
    await done;
    expect(read).toEqual([
      { digits: '', reason: 'timeout' },
      { digits: '7', reason: 'timeout' },
    ]);
  });

  test('stop the prompt', async () => {
    const call = new ScriptedCall();
    call.answers['DELETE /playbacks/{playbackId}'] = () => {
      call.tell('PlaybackFinished', { playback: { id: `${CALL}~playback1`, state: 'done' } });
      return { status: 204 };
    };
    const done = call.run(async (it) => void (await it.gather({ prompt: 'sound:hello-world' })));
    await settle();
    call.press('1');
    await done;
    expect(call.commands).toContain(`DELETE playbacks/${CALL}~playback1`);
  });
});

test('a sound that the PBX does not have fails the play', async () => {
  const call = new ScriptedCall();
  call.answers['POST /channels/{channelId}/play/{playbackId}'] = () => {
    setImmediate(() => call.tell('PlaybackFinished', { playback: { id: `${CALL}~playback1`, state: 'failed' } }));
    return { status: 201 };
  };
  let error: unknown;
  await call.run(async (it) => {
    error = await it.play('sound:none').catch((cause: unknown) => cause);
  });
  expect(error).toBeInstanceOf(PlaybackFailedError);
});

describe('a conversation', () => {
  function callWithMedia(): ScriptedCall {
    const call = new ScriptedCall();
    call.answers['POST /channels/externalMedia'] = () => ({
      status: 200,
      body: { id: LEG, channelvars: { UNICASTRTP_LOCAL_PORT: '10000' } },
    });
    return call;
  }

  test('is bridged only after the leg has entered Stasis', async () => {
    const call = callWithMedia();
    const done = call.run(async (it) => {
      const conversation = await it.connect('echo');
      await conversation.close();
    });
    await settle();
    expect(call.commands).not.toContain(`POST bridges/${BRIDGE}/addChannel`);
    expect(call.media).toEqual([`open ${LEG} echo`, 'attach {"UNICASTRTP_LOCAL_PORT":"10000"}']);
    call.tell('StasisStart', { channel: { id: LEG, state: 'Up' } });
    await done;
    expect(call.commands).toContain(`POST bridges/${BRIDGE}/addChannel`);
    expect(call.commands.filter((command) => command === `DELETE channels/${LEG}`)).toHaveLength(1);
    expect(call.commands.filter((command) => command === `DELETE bridges/${BRIDGE}`)).toHaveLength(1);
    expect(call.media.at(-1)).toBe('close closed by the program');
  });

  test('whose caller hangs up while the leg is made leaves nothing', async () => {
    const call = callWithMedia();
    const done = call.run(async (it) => void (await it.connect('echo')));
    await settle();
    call.callerHangsUp();
    expect(await done).toMatchObject({ endedBy: 'caller' });
    expect(call.commands).toContain(`DELETE channels/${LEG}`);
    expect(call.commands).toContain(`DELETE bridges/${BRIDGE}`);
    expect(call.media.at(-1)).toMatch(/^close/);
  });

  test('that the caller ends by hanging up leaves nothing', async () => {
    const call = callWithMedia();
    const done = call.run(async (it) => {
      const conversation = await it.connect('echo');
      await conversation.ended();
    });
    await settle();
    call.tell('StasisStart', { channel: { id: LEG, state: 'Up' } });
    await settle();
    call.callerHangsUp();
    expect(await done).toMatchObject({ endedBy: 'caller' });
    expect(call.commands).toContain(`DELETE channels/${LEG}`);
    expect(call.commands).toContain(`DELETE bridges/${BRIDGE}`);
  });

  test('that no relay takes is an error that a program can catch', async () => {
    const call = new ScriptedCall({ openMedia: () => Promise.reject(MediaUnavailableError.of('no relay has room')) });
    let error: unknown;
    const outcome = await call.run(async (it) => {
      error = await it.connect('echo').catch((cause: unknown) => cause);
    });
    expect(error).toBeInstanceOf(MediaUnavailableError);
    expect(outcome.endedBy).toBe('program');
  });

  test('whose leg an earlier gateway has made already is found again', async () => {
    const call = callWithMedia();
    call.answers['POST /channels/externalMedia'] = () => {
      call.tell('StasisStart', { channel: { id: LEG, state: 'Up' } });
      return { status: 409 };
    };
    call.answers['GET /channels/{channelId}/variable'] = ({ query }) => ({
      status: 200,
      body: { value: query.variable === 'UNICASTRTP_LOCAL_PORT' ? '10000' : '127.0.0.1' },
    });
    await call.run(async (it) => void (await it.connect('echo')));
    expect(call.media).toContain('attach {"UNICASTRTP_LOCAL_ADDRESS":"127.0.0.1","UNICASTRTP_LOCAL_PORT":"10000"}');
  });

  test('whose leg never comes gives up in time', async () => {
    const call = callWithMedia();
    let error: unknown;
    const done = call.run(async (it) => {
      error = await it.connect('echo').catch((cause: unknown) => cause);
    });
    await call.advance(8000);
    await done;
    expect(error).toBeInstanceOf(MediaUnavailableError);
    expect(call.commands).toContain(`DELETE channels/${LEG}`);
  });

  test('that ends by itself says why', async () => {
    const call = callWithMedia();
    let reason: string | undefined;
    const done = call.run(async (it) => {
      const conversation = await it.connect('parrot');
      reason = (await conversation.ended()).reason;
    });
    await settle();
    call.tell('StasisStart', { channel: { id: LEG, state: 'Up' } });
    await settle();
    call.tell('media.ended', { session: LEG, reason: 'media-lost' });
    await done;
    expect(reason).toBe('media-lost');
  });
});
