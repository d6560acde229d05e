import type { AriRequest } from '@callfleet/ari';
import { describe, expect, test } from 'vitest';
import type { Call } from '../call.ts';
import { PbxRefusedError, StepFailedError } from '../errors.ts';
import type { CallOutcome } from './call-runtime.ts';
import { ScriptedCall, settle } from './scripted-call.ts';

const CALL = 'pbx-a.1763701200_12';
const CHANNEL = '1763701200.12';
const LEG = `${CALL}~media1`;
/** The second endpoint of the dial, which answers; the first is busy. */
const AGENT = `${CALL}~leg2`;

/** A PBX on which everything works, at once. */
function call(): ScriptedCall {
  const scripted = new ScriptedCall();
  const play = ({ path, query }: AriRequest<unknown>) => {
    const id = decodeURIComponent(path.split('/').at(-1) ?? '');
    if (query.media !== 'sound:long')
      setImmediate(() => scripted.tell('PlaybackFinished', { playback: { id, state: 'done' } }));
    return { status: 201 };
  };
  scripted.answers['POST /channels/{channelId}/play/{playbackId}'] = play;
  scripted.answers['POST /bridges/{bridgeId}/play/{playbackId}'] = play;
  scripted.answers['POST /channels/externalMedia'] = () => {
    setImmediate(() => scripted.tell('StasisStart', { channel: { id: LEG, state: 'Up' } }));
    return { status: 200, body: { id: LEG, channelvars: { UNICASTRTP_LOCAL_PORT: '10000' } } };
  };
  const tellSoon = (type: string, data: Record<string, unknown>) => setImmediate(() => scripted.tell(type, data));
  const inStasis = new Set<string>();
  scripted.answers['POST /channels/create'] = ({ query }) => {
    const id = String(query.channelId);
    setImmediate(() => {
      inStasis.add(id);
      scripted.tell('StasisStart', { channel: { id, state: 'Down' } });
    });
    return { status: 200, body: { id } };
  };
  scripted.answers['POST /channels/{channelId}/dial'] = ({ path }) => {
    const id = decodeURIComponent(path.split('/').at(-2) ?? '');
    // Asterisk makes a channel before it brings it into the application.
    if (!inStasis.has(id)) return { status: 409, reason: 'Channel not in Stasis application' };
    if (id === AGENT) tellSoon('ChannelStateChange', { channel: { id, state: 'Up' } });
    else tellSoon('ChannelDestroyed', { channel: { id }, cause: 17, cause_txt: 'User busy' });
    return { status: 204 };
  };
  scripted.answers['POST /channels/{channelId}/snoop/{snoopId}'] = ({ path }) => {
    const id = decodeURIComponent(path.split('/').at(-1) ?? '');
    tellSoon('StasisStart', { channel: { id, state: 'Up' } });
    return { status: 200, body: { id } };
  };
  scripted.answers['POST /recordings/live/{recordingName}/stop'] = ({ path }) => {
    const name = decodeURIComponent(path.split('/').at(-2) ?? '');
    tellSoon('RecordingFinished', { recording: { name, duration: 3 } });
    return { status: 204 };
  };
  scripted.answers['GET /channels/{channelId}/variable'] = () => ({ status: 200, body: { value: 'de' } });
  scripted.answers['POST /channels/{channelId}/variable'] = () => ({ status: 400, reason: 'no such function' });
  return scripted;
}

/** A program that uses everything, and writes down what it was told. */
async function program(it: Call, told: unknown[], onStep = () => {}): Promise<void> {
  await it.answer();
  await it.play(['sound:hello-world', 'sound:vm-goodbye'], { interruptible: false });
  told.push(await it.gather({ prompt: 'sound:pbx-invalid', count: 2 }));
  told.push(await it.getVariable('CHANNEL(language)'));
  told.push(await it.setVariable('NO(SUCH)', 'x').catch((error: unknown) => error instanceof PbxRefusedError));
  told.push(
    await it
      .step('fails', () => Promise.reject(new Error('no')))
      .catch((error: unknown) => error instanceof StepFailedError),
  );
  await it.step('has an effect', onStep);
  const lot = await it.random();
  told.push(await it.step('same lot', () => lot < 2));
  const conversation = await it.connect('echo');
  const first = await Promise.race([conversation.ended(), it.sleep(5000).then(() => 'slept')]);
  told.push(first);
  await conversation.toolResult('tool-1', 'done');
  await conversation.close();
  const giveUp = new AbortController();
  const cancelled = it
    .play('sound:long', { signal: giveUp.signal, interruptible: false })
    .catch((error: unknown) => error);
  told.push((await it.next('user')).name);
  giveUp.abort('enough');
  told.push(await cancelled);
  const recording = await it.record({ side: 'in' });
  await recording.pause();
  const dialed = await it.dial(['PJSIP/busy', 'PJSIP/agent'], { order: 'in-turn' });
  told.push(dialed.attempts.map(({ outcome }) => outcome));
  if (dialed.answered) {
    const room = await it.bridge(dialed.leg);
    await room.hold(dialed.leg);
    await dialed.leg.hangup();
    told.push(await room.announce('sound:vm-goodbye').catch((error: Error) => error.message));
    await room.close();
  }
  await recording.resume();
  told.push(await recording.stop());
  told.push(await it.gather({ count: 5, timeoutMs: 50 }).catch((error: { code: string }) => error.code));
  told.push(await it.gather({ count: 3, finishKey: '#', firstDigitTimeoutMs: 100 }));
  await it.hangup();
}

interface Run {
  readonly commands: readonly string[];
  readonly told: readonly unknown[];
  readonly steps: number;
  /** How often the step with an effect was done. */
  readonly effects: number;
  readonly outcome: CallOutcome;
}

/** Runs the program, its owner killed at one step; whoever has the call is told the same by the PBX. */
async function run(killAtStep = Number.POSITIVE_INFINITY): Promise<Run> {
  const scripted = call();
  scripted.killAtStep = killAtStep;
  scripted.press('12');
  let told: unknown[] = [];
  let effects = 0;
  const outcome = scripted.run((it) => {
    // Each owner's program begins at the top; what counts is what the last one was told.
    told = [];
    return program(it, told, () => {
      effects += 1;
    });
  });
  let finished = false;
  const done = outcome.finally(() => {
    finished = true;
  });
  for (let i = 0; i < 400 && !finished; i += 1) {
    await scripted.advance(50);
    if (i === 8) scripted.press('7#');
    if (i === 150) scripted.tell('ChannelUserevent', { channel: { id: CHANNEL }, eventname: 'go on', userevent: {} });
    if (!scripted.isOwnerAlive) scripted.takeOver();
  }
  if (!finished) throw new Error(`killed at step ${killAtStep}, the call never ended: ${scripted.commands.join('; ')}`);
  return { commands: scripted.commands, told, steps: scripted.steps, effects, outcome: await done };
}

/** Until the call is hung up; what each owner removes after that is its own account. */
const ofProgram = (commands: readonly string[]) =>
  commands.slice(0, commands.lastIndexOf(`DELETE channels/${CHANNEL}`) + 1).filter(doesSomething);

/** Who takes a call over may stop a prompt that was never begun: of no effect. */
function doesSomething(command: string, n: number, all: readonly string[]): boolean {
  const stopped = /^DELETE playbacks\/(.*)$/.exec(command)?.[1];
  return stopped === undefined || all.slice(0, n).some((earlier) => earlier.endsWith(`/play/${stopped}`));
}

describe('a call survives its worker', () => {
  test('killed at any step: the PBX sees the same commands, and the program is told the same', async () => {
    const undisturbed = await run();
    expect(undisturbed.told).toEqual([
      { digits: '12', reason: 'count' },
      'de',
      true,
      true,
      true,
      'slept',
      'go on',
      'enough',
      ['busy', 'answered'],
      undefined,
      { reason: 'finished', durationMs: 3000 },
      'CF_TIMED_OUT',
      { digits: '7', reason: 'finish-key' },
    ]);
    expect(undisturbed.steps).toBeGreaterThan(120);
    let doneTwice = 0;
    for (let step = 1; step <= undisturbed.steps; step += 1) {
      const killed = await run(step);
      expect(killed.told, `told, killed at step ${step}`).toEqual(undisturbed.told);
      expect(ofProgram(killed.commands), `commands, killed at step ${step}`).toEqual(ofProgram(undisturbed.commands));
      const { endedBy, digits, cause } = undisturbed.outcome;
      expect(killed.outcome, `outcome, killed at step ${step}`).toMatchObject({ endedBy, digits, cause });
      expect(killed.outcome).not.toHaveProperty('error');
      expect(killed.effects).toBeLessThanOrEqual(2);
      if (killed.effects === 2) doneTwice += 1;
    }
    // Only where it was killed between the effect and the journal: before and after its result is written.
    expect(doneTwice).toBe(1);
  }, 60_000);

  test('killed twice, and more', async () => {
    const undisturbed = await run();
    const scripted = call();
    scripted.press('12');
    let told: unknown[] = [];
    let finished = false;
    const outcome = scripted
      .run((it) => {
        told = [];
        return program(it, told);
      })
      .finally(() => {
        finished = true;
      });
    for (let i = 0; i < 400 && !finished; i += 1) {
      await scripted.advance(50);
      if (i === 8) scripted.press('7#');
      if (i === 150) scripted.tell('ChannelUserevent', { channel: { id: CHANNEL }, eventname: 'go on', userevent: {} });
      if (i % 20 === 3 && !finished) scripted.takeOver();
    }
    await outcome;
    expect(told).toEqual(undisturbed.told);
    expect(ofProgram(scripted.commands), 'nothing was done twice').toEqual(ofProgram(undisturbed.commands));
  });

  test('that a caller hangs up while nobody has it is told to the next, once', async () => {
    const scripted = call();
    const seen: string[] = [];
    const done = scripted.run(async (it) => {
      await it.answer();
      try {
        await it.sleep(60_000);
      } finally {
        await it.step('save', () => void seen.push('saved'));
      }
    });
    await settle();
    scripted.killAtStep = scripted.steps + 1;
    scripted.callerHangsUp();
    await settle();
    scripted.takeOver();
    expect(await done).toMatchObject({ endedBy: 'caller' });
    expect(seen).toEqual(['saved']);
  });

  test('a step tells the same when it is replayed, also of what JSON does not know', async () => {
    const scripted = call();
    const told: unknown[] = [];
    const done = scripted.run(async (it) => {
      told.push(await it.step('date', () => ({ at: new Date(0), none: undefined })));
      told.push(await it.step('nothing', () => {}));
      await it.sleep(5000);
    });
    await settle();
    scripted.takeOver();
    await scripted.advance(5000);
    await done;
    const once = [{ at: '1970-01-01T00:00:00.000Z' }, undefined];
    expect(told).toEqual([...once, ...once]);
  });

  test('a step whose result can not be kept fails, and says why', async () => {
    const scripted = call();
    let error: unknown;
    await scripted.run(async (it) => {
      error = await it.step('big', () => 1n).catch((cause: unknown) => cause);
    });
    expect(error).toBeInstanceOf(StepFailedError);
    expect(String(error)).toMatch(/BigInt/);
  });

  test('a sleep goes on where it was', async () => {
    const scripted = call();
    const done = scripted.run(async (it) => {
      await it.sleep(10_000);
    });
    await scripted.advance(9000);
    scripted.takeOver();
    await scripted.advance(999);
    expect(scripted.commands).toEqual([]);
    await scripted.advance(2);
    await done;
    expect(scripted.commands).toEqual(['DELETE channels/1763701200.12']);
  });
});

describe('a program that does not fit its journal', () => {
  async function takenOverBy(next: (it: Call) => Promise<void>) {
    const scripted = call();
    scripted.answers['POST /channels/{channelId}/continue'] = () => {
      scripted.tell('StasisEnd');
      return { status: 204 };
    };
    scripted.answers['POST /channels/{channelId}/variable'] = () => ({ status: 204 });
    let version = 0;
    const done = scripted.run(async (it) => {
      version += 1;
      if (version > 1) return next(it);
      await it.answer();
      await it.sleep(60_000);
    });
    await settle();
    scripted.takeOver();
    return { scripted, outcome: await done };
  }

  test('is stopped with an error that names the operation, and its caller goes to the fallback', async () => {
    const { scripted, outcome } = await takenOverBy(async (it) => void (await it.play('sound:hello-world')));
    expect(outcome).toMatchObject({ endedBy: 'error', error: { code: 'CF_PROGRAM_DIVERGED' } });
    expect(outcome.error?.message).toMatch(/operation 1 is "answer" in the journal, but the program asked for "play"/);
    expect(scripted.commands.slice(-2)).toEqual([
      'POST channels/1763701200.12/variable',
      'POST channels/1763701200.12/continue',
    ]);
  });

  test('is stopped when it ends before its journal does', async () => {
    const { outcome } = await takenOverBy(async () => {});
    expect(outcome.error?.message).toMatch(
      /operation 1 is "answer" in the journal, but the program asked for "hangup"/,
    );
  });
});
