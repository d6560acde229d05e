import { expect, test } from 'vitest';
import { type Call, defineCall } from '../mod.ts';
import { type SimulationOptions, survivesTakeovers } from './mod.ts';

/** Programs that together use every operation, each with what happens in its call. */
const PROGRAMS: Readonly<Record<string, [program: (call: Call) => Promise<unknown>, options?: SimulationOptions]>> = {
  'the caller is played to, asked, recorded and muted': [
    async (call) => {
      await call.ring();
      await call.answer();
      const recording = await call.record({ stopOn: ['#'] });
      await call.gather({ prompt: ['sound:a', 'sound:b'], count: 3, finishKey: '*', retries: 1 });
      await recording.pause();
      await call.hold();
      await call.sleep(2000);
      await call.unhold();
      await recording.resume();
      await call.mute('both');
      await call.unmute('both');
      await recording.stop();
      await call.play('sound:nope').catch(() => call.setVariable('NOPE', 'yes'));
      if ((await call.getVariable('NOPE')) === 'yes') await call.sendDtmf('1');
      await call.continueInDialplan();
    },
    {
      caller: {
        does: [
          { after: 1500, press: '1' },
          { after: 300, press: '2*' },
        ],
      },
      missing: ['sound:nope'],
    },
  ],
  'a race, and its cancelled loser': [
    async (call) => {
      const stop = new AbortController();
      const { signal } = stop;
      await Promise.race([call.gather({ signal }), call.sleep(1000), call.next('hold', { signal })]);
      stop.abort();
      await call.play('sound:a', { timeoutMs: 200 }).catch(() => call.play('sound:b'));
    },
  ],
  'legs, rooms and a snoop': [
    async (call) => {
      const first = await call.dial(['PJSIP/busy', 'PJSIP/agent'], { order: 'in-turn', earlyMedia: false });
      const [other] = await Promise.all([call.dial(['PJSIP/slow', 'PJSIP/quick']), call.play('sound:a')]);
      if (!first.answered || !other.answered) return;
      const room = await call.bridge(first.leg);
      await room.join(other.leg);
      const spy = await call.snoop();
      await room.hold(other.leg);
      await room.announce('sound:b');
      await room.unhold(other.leg);
      await room.leave(other.leg);
      const whispered = await call.room(other.leg, spy);
      await whispered.close();
      await room.announce('sound:c', { to: first.leg });
      await first.leg.ended();
      const conference = await call.conference('sales');
      await conference.join(other.leg);
      await conference.close();
    },
    {
      endpoints: {
        'PJSIP/busy': 'busy',
        'PJSIP/slow': { afterMs: 4000 },
        'PJSIP/agent': { does: [{ after: 9000, hangUp: true }] },
      },
    },
  ],
  'a warm transfer': [
    async (call) => {
      const done = await call.transfer('PJSIP/agent', { kind: 'warm', announcement: 'sound:a', acceptDigit: '1' });
      if (done.transferred && done.kind !== 'blind') await done.room.ended();
    },
    {
      endpoints: {
        'PJSIP/agent': {
          does: [
            { at: 'leg.gather', press: '1' },
            { after: 3000, hangUp: true },
          ],
        },
      },
    },
  ],
  'a blind transfer': [(call) => call.transfer('PJSIP/agent', { kind: 'blind' })],
  'a conversation with a tool': [
    async (call) => {
      const conversation = await call.connect('parrot');
      conversation.on('turn', ({ text }) => call.setVariable('TURN', text));
      const { id } = await conversation.next('tool-call');
      await conversation.toolResult(id, String(await call.random()));
      await conversation.ended();
      await conversation.close();
    },
    {
      conversations: {
        parrot: [
          { after: 500, caller: 'Hello' },
          { after: 500, toolCall: { name: 'book' } },
          { at: 'conversation.toolResult', after: 500, bot: 'Done' },
          { after: 1000, ends: 'provider-ended' },
        ],
      },
    },
  ],
  'a caller who hangs up in the middle': [
    async (call) => {
      try {
        await call.dial('PJSIP/asleep');
      } finally {
        await call.step('save', () => 'saved');
      }
    },
    { endpoints: { 'PJSIP/asleep': 'no-answer' }, caller: { does: [{ after: 5000, hangUp: true }] } },
  ],
};

for (const [name, [program, options]] of Object.entries(PROGRAMS))
  test(`survives its worker at any step: ${name}`, async () => {
    const takeovers = await survivesTakeovers(
      defineCall(async (call) => void (await program(call))),
      options,
    );
    expect(takeovers).toBeGreaterThan(3);
  }, 30_000);
