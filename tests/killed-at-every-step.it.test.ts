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
import { MortalWorker } from './mortal-worker.ts';
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
/** By call, what the relay was asked; what was asked again counts once. */
const relayed = new Map<string, Set<string>>();

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
    ({ op, call }): RelayReply => {
      relayed.set(call, (relayed.get(call) ?? new Set()).add(op));
      return {
        ok: true,
        externalMedia: {
          external_host: '127.0.0.1:20000',
          encapsulation: 'rtp',
          transport: 'udp',
          connection_type: 'client',
          format: 'ulaw',
        },
        stats: { provider: 'echo', transport: 'rtp', heard, spoke: { packets: 0, ms: 0 } },
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
  readonly wasKilled: boolean;
  /** How often the step with an effect was done. */
  readonly effects: number;
  readonly record: CallRecord | undefined;
}

type Program = (call: Call, told: unknown[], onEffect: () => void) => Promise<void>;

/** One call through its program; its first worker is killed at a step, and another takes over. */
async function run(program: Program, killAtStep?: number): Promise<Run> {
  names += 1;
  const pool = `pool-${names}`;
  const shard = new ScriptedShard(bus, outbox, pool);
  let told: unknown[] = [];
  let effects = 0;
  const written = defineCall((call) => {
    // Each worker's program begins at the top; what counts is what the last one was told.
    told = [];
    return program(call, told, () => {
      effects += 1;
    });
  });
  const options = { natsUrl: nats.url, redisUrl: redis.url, pool, relay: RELAY, program: written };
  const first = await MortalWorker.start({
    ...options,
    name: `${pool}-first`,
    ...(killAtStep !== undefined && { killAtStep }),
  });
  const until = Date.now() + CALL_LIMIT_MS;
  let isDone = false;
  void shard.done.then(() => {
    isDone = true;
  });
  let second: MortalWorker | undefined;
  shard.enter('12');
  while (!isDone) {
    if (!first.isAlive) second ??= await MortalWorker.start({ ...options, name: `${pool}-second` });
    if (Date.now() > until) throw new Error(`killed at step ${killAtStep}: no end; ${shard.commands.join('; ')}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const wasKilled = !first.isAlive;
  first.kill();
  second?.kill();
  shard.close();
  const record = await bus.jsm.direct.getMessage('CDRS', { last_by_subj: subjects.cdr(shard.call) });
  return {
    commands: shard.commands.map((command) => command.replaceAll(shard.call, '<call>').replaceAll(pool, '<n>')),
    told,
    relayed: [...(relayed.get(shard.call) ?? [])],
    steps: first.steps,
    wasKilled,
    effects,
    record: record ? (decodeMessage(callRecordSchema, record.data) as CallRecord) : undefined,
  };
}

/** What is done on the program's behalf; every worker removes anew what was made, after the end. */
const untilTheEnd = ({ commands }: Run, end: RegExp) =>
  commands.slice(0, commands.findIndex((command) => end.test(command)) + 1);

async function killAtEveryStep(program: Program, end: RegExp, endedBy: string): Promise<Run> {
  const undisturbed = await run(program);
  expect(undisturbed.record).toMatchObject({ endedBy, takeovers: 0 });
  let step = 0;
  let killed = 0;
  const killOneAfterTheOther = async () => {
    while (step < undisturbed.steps) {
      step += 1;
      const at = `killed at step ${step} of ${undisturbed.steps}`;
      const disturbed = await run(program, step);
      if (disturbed.wasKilled) killed += 1;
      expect(untilTheEnd(disturbed, end), at).toEqual(untilTheEnd(undisturbed, end));
      expect(disturbed.told, at).toEqual(undisturbed.told);
      expect(disturbed.relayed, at).toEqual(undisturbed.relayed);
      expect(disturbed.effects, at).toBeLessThanOrEqual(2 * undisturbed.effects);
      expect(disturbed.record, at).toMatchObject({ endedBy, digits: undisturbed.record?.digits });
      expect(disturbed.record, at).not.toHaveProperty('error');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, killOneAfterTheOther));
  // The last steps come after the call's end: whether they come at all before its worker is gone is open.
  expect(killed).toBeGreaterThan(undisturbed.steps - 5);
  return undisturbed;
}

describe('a worker that is killed at any step, on real NATS and Redis, changes nothing:', () => {
  test('a call that uses everything comes to the same end', async () => {
    const undisturbed = await killAtEveryStep(
      async (call, told, onEffect) => {
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
      },
      /^DELETE channels\/1763701200/,
      'program',
    );
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
    const undisturbed = await killAtEveryStep(
      async (call, told) => {
        await call.setVariable('CALLFLEET_STATUS', 'OPERATOR');
        told.push(await call.gather({ prompt: 'sound:menu', count: 4, interDigitTimeoutMs: 200 }));
        await call.continueInDialplan({ extension: '900' });
      },
      /continue$/,
      'dialplan',
    );
    expect(undisturbed.told).toEqual([{ digits: '12', reason: 'timeout' }]);
    expect(undisturbed.commands).toEqual([
      'POST channels/1763701200.<n>/variable',
      'POST channels/1763701200.<n>/continue',
    ]);
  }, 30_000);
});

function isStepFailed(error: unknown): boolean {
  return error instanceof StepFailedError;
}
