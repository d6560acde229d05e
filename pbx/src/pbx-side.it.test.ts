import {
  type AriEvent,
  AriHttp,
  AriSocket,
  asterisk as asteriskOperations,
  type ChannelDestroyed,
  channels,
  expectOk,
  type StasisStart,
} from '@callfleet/ari';
import { loadConfig } from '@callfleet/config';
import { type Asterisk, startAsterisk } from '@callfleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { dialplanFor } from './dialplan.ts';
import { DIALPLAN_MODULES, requiredModules } from './modules.ts';
import { asteriskParts } from './pbx-side.ts';

const SHARDS = ['bots-1', 'bots-2', 'bots-3'];
const USER = { username: 'callfleet', password: 'se;cret' };
const NUMBER = '+4930123456';

/** Beside the printed contexts: one whose fallback tells the test what came, and two ends for test calls. */
const OBSERVED = `
${dialplanFor({ shards: SHARDS, context: 'observed', fallback: 'observer' })}
[observer]
exten => _[+0-9]!,1,Set(GLOBAL(CAME)=\${EXTEN} \${CALLFLEET_STATUS})
 same => n,Hangup()
[wait]
exten => s,1,Wait(30)
`;

let asterisk: Asterisk;
let ari: AriHttp;
const sockets: AriSocket[] = [];

beforeAll(async () => {
  const config = loadConfig({
    env: { CALLFLEET_PBXS: JSON.stringify([{ name: 'pbx-a', url: 'http://127.0.0.1:8088', ...USER, shards: SHARDS }]) },
  });
  const [pbx] = config.pbxs;
  if (pbx === undefined) throw new Error('no PBX');
  const printed = new Map(
    asteriskParts(config, pbx, { showSecrets: true }).map(({ title, text }) => [title, `${text}\n`]),
  );
  const file = (name: string) => printed.get(name) ?? '';
  asterisk = await startAsterisk({
    ...USER,
    files: {
      'ari.conf': file('ari.conf'),
      'rtp.conf': file('rtp.conf'),
      'modules.conf': file('modules.conf'),
      'extensions.conf': file('extensions.conf') + OBSERVED,
      // Any free port: 5060 may be another's on this machine.
      'pjsip.conf': file('pjsip.conf (example)').replace('0.0.0.0:5060', '127.0.0.1:0'),
    },
  });
  ari = new AriHttp({ url: asterisk.httpUrl, ...USER });
});

afterAll(async () => {
  await ari?.close();
  await asterisk?.stop();
});

beforeEach(async () => {
  expectOk(await ari.request(asteriskOperations.setGlobalVar({ variable: 'CAME', value: 'nobody' })));
});

afterEach(async () => {
  await Promise.all(sockets.splice(0).map((socket) => socket.close()));
});

/** Holds shards, as a gateway does. @returns the calls that came, with the shard that each came to */
async function serve(shards: readonly string[], onCall: (event: StasisStart) => void = () => {}) {
  const calls: { shard: string; channelId: string; number: string }[] = [];
  for (const shard of shards)
    sockets.push(
      await AriSocket.connect({
        url: asterisk.httpUrl,
        ...USER,
        apps: [shard],
        onEvent: (event) => {
          if (event.type !== 'StasisStart') return;
          const start = event as StasisStart;
          calls.push({ shard, channelId: start.channel.id, number: start.channel.dialplan.exten });
          onCall(start);
        },
      }),
    );
  return calls;
}

async function call(context: string, number = NUMBER): Promise<void> {
  const endpoint = `Local/${number}@${context}`;
  expectOk(await ari.request(channels.originate({ endpoint, context: 'wait', extension: 's', priority: 1 })));
}

/** What came to the fallback: the number and CALLFLEET_STATUS. */
async function came(): Promise<string> {
  return expectOk(await ari.request(asteriskOperations.getGlobalVar({ variable: 'CAME' }))).value;
}

const eventually = (check: () => Promise<void> | void) => vi.waitFor(check, { timeout: 10_000, interval: 20 });

describe('a real Asterisk takes what is printed:', () => {
  test('ARI, its user, and the dialplan', async () => {
    expect(await asterisk.cli('ari show users')).toMatch(/^No\s+No\s+callfleet$/m);
    expect(await asterisk.cli('http show status')).toContain('/ari/... => Asterisk RESTful API');
    expect(await asterisk.cli('dialplan show callfleet')).toContain('Stasis(bots-3)');
    expect(await asterisk.cli('dialplan show callfleet-fallback')).toContain('Hangup(34)');
    expect(await asterisk.cli('pjsip show endpoint trunk')).toMatch(/direct_media +: false/);
    expect(await asterisk.cli('pjsip show identifies')).toContain('192.0.2.10/32');
    expect(await asterisk.cli('rtp show settings')).toMatch(/Port start:\s+10000/);
  });

  test('every module that it says is needed is there and runs', async () => {
    const modules = expectOk(await ari.request(asteriskOperations.listModules()));
    const running = modules.filter(({ status }) => status === 'Running').map(({ name }) => name);
    const needed = [...requiredModules('rtp'), ...requiredModules('websocket'), ...DIALPLAN_MODULES];
    expect(needed.filter((name) => !running.includes(name))).toEqual([]);
  });
});

describe('a call', () => {
  test('goes to the fallback when nobody serves the shards', async () => {
    await call('observed');
    await eventually(async () => expect(await came()).toBe(`${NUMBER} NOGATEWAY`));
  });

  test('that comes when nobody serves a shard waits a little for whoever does next', async () => {
    await call('observed');
    await new Promise((resolve) => setTimeout(resolve, 700));
    const calls = await serve(['bots-1', 'bots-2', 'bots-3']);
    await eventually(() => expect(calls).toMatchObject([{ number: NUMBER }]));
    expect(await came()).toBe('nobody');
    expectOk(await ari.request(channels.hangup({ channelId: calls[0]?.channelId ?? '' })));
    await eventually(async () => expect(await asterisk.channelCount()).toBe(0));
  });

  test('is refused with "congestion" by the printed fallback, so that a carrier tries the next PBX', async () => {
    const destroyed = Promise.withResolvers<ChannelDestroyed>();
    const app = 'caller';
    sockets.push(
      await AriSocket.connect({
        url: asterisk.httpUrl,
        ...USER,
        apps: [app],
        onEvent: (event) => {
          if ((event as AriEvent).type === 'ChannelDestroyed') destroyed.resolve(event as ChannelDestroyed);
        },
      }),
    );
    expectOk(await ari.request(channels.originate({ endpoint: `Local/${NUMBER}@callfleet`, app })));
    expect((await destroyed.promise).cause).toBe(34);
  });

  test('comes to the one shard that is served, wherever it starts, with its number', async () => {
    const calls = await serve(['bots-2']);
    for (let n = 0; n < 12; n++) await call('observed');
    await eventually(() => expect(calls).toHaveLength(12));
    expect(calls.every(({ shard, number }) => shard === 'bots-2' && number === NUMBER)).toBe(true);
    expect(await came()).toBe('nobody');
    for (const { channelId } of calls) await ari.request(channels.hangup({ channelId }));
  });

  test('comes to any of the shards: they share the load', async () => {
    const calls = await serve(SHARDS);
    // That one of three gets none of 60 calls happens once in 10 thousand million runs.
    for (let n = 0; n < 60; n++) await call('observed', '7');
    await eventually(() => expect(calls).toHaveLength(60));
    expect(new Set(calls.map(({ shard }) => shard))).toEqual(new Set(SHARDS));
    for (const { channelId } of calls) await ari.request(channels.hangup({ channelId }));
  });

  test('that is given back goes to the fallback, with the reason', async () => {
    await serve(SHARDS, async ({ channel }) => {
      const { id: channelId } = channel;
      await ari.request(channels.setChannelVar({ channelId, variable: 'CALLFLEET_STATUS', value: 'NOWORKER' }));
      await ari.request(channels.continueInDialplan({ channelId }));
    });
    await call('observed');
    await eventually(async () => expect(await came()).toBe(`${NUMBER} NOWORKER`));
  });

  test('that a program hangs up goes no further', async () => {
    const calls = await serve(SHARDS, ({ channel }) => {
      void ari.request(channels.hangup({ channelId: channel.id }));
    });
    await call('observed');
    await eventually(async () => {
      expect(calls).toHaveLength(1);
      expect(await asterisk.channelCount()).toBe(0);
    });
    expect(await came()).toBe('nobody');
  });
});
