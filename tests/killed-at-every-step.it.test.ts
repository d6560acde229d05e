import { setTimeout as wait } from 'node:timers/promises';
import {
  answer,
  type Bus,
  type CallRecord,
  callRecordSchema,
  connectBus,
  decodeMessage,
  EventOutbox,
  ensureStreams,
  type RelayReply,
  relayRequestSchema,
  subjects,
} from '@callfleet/bus';
import { type Call, defineCall, PbxRefusedError, StepFailedError } from '@callfleet/calls';
import { type NatsServer, type RedisServer, startNatsServer, startRedisServer } from '@callfleet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fate, MortalWorker } from './mortal-worker.ts';
import { ScriptedShard } from './scripted-shard.ts';

const RELAY = 'relay-1';
/** Calls at once: each has a worker that dies, with connections of its own. */
const AT_ONCE = 24;
const CALL_LIMIT_MS = 25_000;

let nats: NatsServer;
let redis: RedisServer;
let bus: Bus;
let outbox: EventOutbox;
let names = 0;
/** By call, what the relay has done, each once, and the highest epoch that it has seen. */
const relayed = new Map<string, { epoch: number; ops: Set<string> }>();

beforeAll(async () => {
  [nats, redis] = await Promise.all([startNatsServer(), startRedisServer()]);
  bus = await connectBus({ servers: [nats.url], name: 'gateway-1' });
  await ensureStreams(bus);
  outbox = new EventOutbox(bus, { onRefused: () => {}, onRetry: () => {} });
  const heard = { packets: 0, ms: 0, peakDbfs: 0, speechMs: 0, lost: 0 };
  answer(
    bus,
    subjects.relay(RELAY),
    relayRequestSchema,
    ({ op, call, epoch }): RelayReply => {
      const session = relayed.get(call) ?? { epoch, ops: new Set() };
      if (epoch < session.epoch) return { ok: false, code: 'CF_RELAY_FENCED', message: 'another worker has the call' };
      relayed.set(call, { epoch, ops: session.ops.add(op) });
      return {
        ok: true,
        externalMedia: {
          external_host: '127.0.0.1:20000',
          encapsulation: 'rtp',
          transport: 'udp',
          connection_type: 'client',
          format: 'ulaw',
        },
        stats: { provider: 'echo', transport: 'rtp', talkMs: 0, heard, spoke: { packets: 0, ms: 0 }, usage: {} },
      };
    },
    ({ code, message }) => ({ ok: false, code, message }),
  );
});
afterAll(async () => {
  await bus?.close();
  await Promise.all([nats?.stop(), redis?.stop()]);
});

interface Run {
  readonly commands: readonly string[];
  readonly told: readonly unknown[];
  readonly relayed: readonly string[];
  /** Of its first worker, until it died or the call was over. */
  readonly steps: number;
  readonly metItsFate: boolean;
  /** How often the step with an effect was done. */
  readonly effects: number;
  readonly record: CallRecord | undefined;
}

type Program = (call: Call, told: unknown[], onEffect: () => void) => Promise<void>;

/** One call through its program; its first worker dies or hangs at a step, and another takes over. */
async function run(
  program: Program,
  fate?: Fate,
  { isPlaced = false, unanswered = 0, isMeddled = false } = {},
): Promise<Run> {
  names += 1;
  const pool = `pool-${names}`;
  const shard = new ScriptedShard(bus, outbox, pool);
  let effects = 0;
  /** By worker: one that wakes when another has had the call may begin its program as late as that. */
  const toldTo = new Map<string, unknown[]>();
  const start = (name: string, withFate?: Fate) => {
    const written = defineCall((call) => {
      const told: unknown[] = [];
      toldTo.set(name, told);
      return program(call, told, () => {
        effects += 1;
      });
    });
    const options = { natsUrl: nats.url, redisUrl: redis.url, pool, relay: RELAY, program: written, unanswered };
    return MortalWorker.start({ ...options, name, ...(withFate && { fate: withFate }) });
  };
  const first = await start(`${pool}-first`, fate);
  const until = Date.now() + CALL_LIMIT_MS;
  let isDone = false;
  void shard.done.then(() => {
    isDone = true;
  });
  let second: MortalWorker | undefined;
  if (isPlaced) await shard.place('12');
  else shard.enter('12');
  while (!isDone) {
    if (!first.isAlive) second ??= await start(`${pool}-second`);
    if (isMeddled && first.steps > 10) {
      isMeddled = false;
      const entry = { kind: 'taken', worker: 'nobody', epoch: 1 };
      await bus.js.publish(subjects.callJournal(shard.call), JSON.stringify(entry), { msgID: pool });
    }
    if (shard.claimedBy === `${pool}-second`) first.wake();
    if (Date.now() > until) throw new Error(`${fate?.what} at step ${fate?.atStep}: no end of ${shard.commands}`);
    await wait(20);
  }
  const metItsFate = !first.isAlive;
  first.wake();
  // For what a worker that has just woken still does.
  if (fate?.what === 'hangs') await wait(250);
  first.kill();
  second?.kill();
  shard.close();
  const record = await bus.jsm.direct.getMessage('CDRS', { last_by_subj: subjects.cdr(shard.call) });
  return {
    commands: shard.commands
      .filter(doesSomething)
      .map((command) => command.replaceAll(shard.call, '<call>').replaceAll(pool, '<n>')),
    told: toldTo.get(shard.claimedBy ?? '') ?? [],
    relayed: [...(relayed.get(shard.call)?.ops ?? [])],
    steps: first.steps,
    metItsFate,
    effects,
    record: record ? (decodeMessage(callRecordSchema, record.data) as CallRecord) : undefined,
  };
}

/** What is done on the program's behalf; every worker removes anew what was made, after the end. */
const untilTheEnd = ({ commands }: Run, end: RegExp) =>
  commands.slice(0, commands.findIndex((command) => end.test(command)) + 1);

/** Who takes a call over may stop a prompt that was never begun: of no effect. */
function doesSomething(command: string, n: number, all: readonly string[]): boolean {
  const stopped = /^DELETE playbacks\/(.*)$/.exec(command)?.[1];
  return stopped === undefined || all.slice(0, n).some((earlier) => earlier.endsWith(`/play/${stopped}`));
}

async function strikeAtEveryStep(
  what: Fate['what'],
  program: Program,
  end: RegExp,
  endedBy: string,
  isPlaced = false,
): Promise<Run> {
  const undisturbed = await run(program, undefined, { isPlaced });
  expect(undisturbed.record).toMatchObject({ endedBy, takeovers: 0 });
  let step = 0;
  let struck = 0;
  const strikeOneAfterTheOther = async () => {
    while (step < undisturbed.steps) {
      step += 1;
      const at = `${what} at step ${step} of ${undisturbed.steps}`;
      const disturbed = await run(program, { what, atStep: step }, { isPlaced });
      if (disturbed.metItsFate) struck += 1;
      const commands = untilTheEnd(disturbed, end);
      expect(commands, at).toEqual(untilTheEnd(undisturbed, end));
      for (const command of disturbed.commands.slice(commands.length)) expect(command, at).toMatch(/^DELETE /);
      expect(disturbed.told, at).toEqual(undisturbed.told);
      expect(disturbed.relayed, at).toEqual(undisturbed.relayed);
      expect(disturbed.effects, at).toBeLessThanOrEqual(2 * undisturbed.effects);
      expect(disturbed.record, at).toMatchObject({ endedBy, digits: undisturbed.record?.digits });
      expect(disturbed.record, at).not.toHaveProperty('error');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, strikeOneAfterTheOther));
  // The last steps come after the call's end: whether they come at all before its worker is gone is open.
  expect(struck).toBeGreaterThan(undisturbed.steps - 5);
  return undisturbed;
}

/** Uses everything but what ends a call in another way than `hangup`. */
const usesEverything: Program = async (call, told, onEffect) => {
  await call.ring();
  await call.answer();
  await call.play(['sound:hello-world', 'sound:vm-goodbye'], { interruptible: false });
  told.push(await call.gather({ prompt: 'sound:skipped', count: 2 }));
  told.push(await call.getVariable('CHANNEL(language)'));
  await call.setVariable('GREETED', 'yes');
  told.push(await call.setVariable('NO(SUCH)', 'x').catch((error) => error instanceof PbxRefusedError));
  told.push(await call.step('fails', () => Promise.reject(new Error('no'))).catch(isStepFailed));
  await call.step('has an effect', onEffect);
  const [lot, time] = [await call.random(), await call.now()];
  told.push(await call.step('same lot and time', () => lot < 1 && time > 0));
  await call.sendDtmf('42');
  const conversation = await call.connect('echo');
  told.push(await Promise.race([conversation.ended(), call.sleep(1000).then(() => 'slept')]));
  await conversation.close();
  told.push(await call.gather({ prompt: 'sound:menu', count: 3, finishKey: '#' }));
  await call.hangup();
};

const asksForDigits: Program = async (call, told) => {
  told.push(await call.gather({ prompt: 'sound:skipped', count: 2 }));
  await call.hangup();
};

const goesBackToTheDialplan: Program = async (call, told) => {
  await call.setVariable('CALLFLEET_STATUS', 'OPERATOR');
  told.push(await call.gather({ prompt: 'sound:menu', count: 4, interDigitTimeoutMs: 200 }));
  await call.continueInDialplan({ extension: '900' });
};

describe.each([
  { what: 'dies', does: 'that is killed at any step' },
  { what: 'hangs', does: 'that hangs at any step, and goes on when another has its call,' },
] as const)('a worker $does changes nothing:', ({ what }) => {
  test('a call that uses everything comes to the same end', async () => {
    const undisturbed = await strikeAtEveryStep(what, usesEverything, /^DELETE channels\/1763701200/, 'program');
    expect(undisturbed.told).toEqual([
      { digits: '12', reason: 'count' },
      'de',
      true,
      true,
      true,
      'slept',
      { digits: '7', reason: 'finish-key' },
    ]);
    expect(undisturbed.relayed).toEqual(['open', 'attach', 'close']);
    expect(undisturbed.steps).toBeGreaterThan(60);
  }, 60_000);

  test('a call that goes back to the dialplan does so once', async () => {
    const undisturbed = await strikeAtEveryStep(what, goesBackToTheDialplan, /continue$/, 'dialplan');
    expect(undisturbed.told).toEqual([{ digits: '12', reason: 'timeout' }]);
    expect(undisturbed.commands).toEqual([
      'POST channels/1763701200.<n>/variable',
      'POST channels/1763701200.<n>/continue',
    ]);
  }, 30_000);

  test('a call that is placed rings once, and comes to the same end', async () => {
    const undisturbed = await strikeAtEveryStep(what, asksForDigits, /^DELETE channels\/1763701200/, 'program', true);
    expect(undisturbed.told).toEqual([{ digits: '12', reason: 'count' }]);
    expect(undisturbed.record).toMatchObject({ direction: 'outbound', dial: { outcome: 'answered' } });
    expect(undisturbed.commands.slice(0, 2)).toEqual(['POST channels/create', 'POST channels/1763701200.<n>/dial']);
  }, 30_000);
});

test('a worker whose first questions to NATS have no answer, though it has claimed the call, runs it all the same', async () => {
  const undisturbed = await run(goesBackToTheDialplan);
  const disturbed = await run(goesBackToTheDialplan, undefined, { unanswered: 3 });
  expect(disturbed.commands).toEqual(undisturbed.commands);
  expect(disturbed.record).toMatchObject({ endedBy: 'dialplan', takeovers: 0 });
}, 40_000);

test('a worker that takes a call for lost, though nobody else has it, has it offered again at once', async () => {
  const undisturbed = await run(usesEverything);
  const disturbed = await run(usesEverything, undefined, { isMeddled: true });
  expect(disturbed.commands).toEqual(undisturbed.commands);
  expect(disturbed.record).toMatchObject({ endedBy: 'program' });
  expect(disturbed.record).not.toHaveProperty('error');
}, 40_000);

function isStepFailed(error: unknown): boolean {
  return error instanceof StepFailedError;
}
