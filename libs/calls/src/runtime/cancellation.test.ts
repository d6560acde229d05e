import { describe, expect, test } from 'vitest';
import { TimedOutError } from '../errors.ts';
import type { Gathered } from '../party.ts';
import { ScriptedCall, settle } from './scripted-call.ts';

const CHANNEL = 'channels/1763701200.12';
const PLAYBACK = 'pbx-a.1763701200_12~playback1';

describe('an operation that is cancelled', () => {
  test('rejects with the reason of its signal, and is stopped on the PBX', async () => {
    const call = new ScriptedCall();
    let error: unknown;
    await call.run(async (it) => {
      const cancel = new AbortController();
      const playing = it.play('sound:long', { signal: cancel.signal }).catch((cause: unknown) => cause);
      await it.now();
      cancel.abort('enough');
      error = await playing;
      await it.now();
    });
    expect(error).toBe('enough');
    expect(call.commands.slice(0, 2)).toEqual([`POST ${CHANNEL}/play/${PLAYBACK}`, `DELETE playbacks/${PLAYBACK}`]);
  });

  test('before it is asked for does nothing at all', async () => {
    const call = new ScriptedCall();
    await call.run(async (it) => {
      await it.play('sound:long', { signal: AbortSignal.abort('no') }).catch(() => {});
    });
    expect(call.commands).toEqual([`DELETE ${CHANNEL}`]);
  });

  test('by an owner that died is stopped by the next', async () => {
    const call = new ScriptedCall();
    const done = call.run(async (it) => {
      const cancel = new AbortController();
      it.play('sound:long', { signal: cancel.signal }).catch(() => {});
      await it.now();
      cancel.abort();
      await it.sleep(5000);
    });
    await settle();
    // It dies before its DELETE is carried out.
    call.commands.splice(call.commands.indexOf(`DELETE playbacks/${PLAYBACK}`));
    call.takeOver();
    await call.advance(6000);
    await done;
    expect(call.commands).toContain(`DELETE ${CHANNEL}`);
    expect(call.commands.filter((command) => command.startsWith('POST'))).toEqual([`POST ${CHANNEL}/play/${PLAYBACK}`]);
  });

  test('gives the digits back that it has read', async () => {
    const call = new ScriptedCall();
    let read: Gathered | undefined;
    const done = call.run(async (it) => {
      const cancel = new AbortController();
      it.gather({ count: 4, signal: cancel.signal }).catch(() => {});
      await it.next('digit');
      await it.next('digit');
      cancel.abort();
      read = await it.gather({ count: 3 });
    });
    await settle();
    call.press('12');
    await settle();
    call.press('3');
    await done;
    expect(read).toEqual({ digits: '123', reason: 'count' });
  });

  test('that takes longer than it may is told as such, and stopped', async () => {
    const call = new ScriptedCall();
    let error: unknown;
    const done = call.run(async (it) => {
      error = await it.play('sound:long', { timeoutMs: 2000 }).catch((cause: unknown) => cause);
    });
    await call.advance(2001);
    await done;
    expect(error).toBeInstanceOf(TimedOutError);
    expect(String(error)).toContain('2000 ms');
    expect(call.commands).toContain(`DELETE playbacks/${PLAYBACK}`);
  });

  test('tells the work of a step', async () => {
    const call = new ScriptedCall();
    let reason: unknown;
    const done = call.run(async (it) => {
      const work = (signal: AbortSignal) =>
        new Promise<void>((_, reject) =>
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(signal.reason);
          }),
        );
      await it.step('slow', work, { timeoutMs: 1000 }).catch(() => {});
    });
    await call.advance(1001);
    await done;
    expect(reason).toBeInstanceOf(TimedOutError);
  });
});
