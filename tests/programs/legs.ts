import { type Call, defineCall } from '@callfleet/calls';
import { report } from './report.ts';

/** What can be dialled: two digits say what is done, the rest is the port of the phone that it is done with. */
const DOINGS: Record<string, (call: Call, phones: string[]) => Promise<void>> = {
  /** Dials, tells what came of it, and joins the two until one hangs up. */
  async '91'(call, [phone = '']) {
    const dialed = await call.dial(phone, { ringTimeoutMs: 1500 });
    await tell(
      call,
      dialed.answered ? { answered: dialed.endpoint } : { reason: dialed.reason, attempts: dialed.attempts },
    );
    if (!dialed.answered) return;
    const room = await call.bridge(dialed.leg);
    await room.ended();
    await tell(call, await dialed.leg.ended({ timeoutMs: 1000 }));
  },
  /** Dials with another caller id, hears early media, and reads digits of the one who answers. */
  async '92'(call, [phone = '']) {
    const dialed = await call.dial(phone, { earlyMedia: true, callerId: { number: '4711', name: 'Front Desk' } });
    if (!dialed.answered) return;
    await call.bridge(dialed.leg);
    await tell(call, await dialed.leg.gather({ count: 2 }));
    await dialed.leg.sendDtmf('5');
    await dialed.leg.hangup();
    await tell(call, await dialed.leg.ended());
    await call.play('sound:vm-goodbye').catch(() => {});
  },
  /** Several at once; the same port is dialled by two names, the later one rings for ever. */
  async '93'(call, [phone = '']) {
    const nobody = phone.replace(/:\d+$/, ':9');
    const dialed = await call.dial(['PJSIP/no-such-endpoint', phone, phone.replace('agent', 'other')], {
      order: 'at-once',
    });
    await tell(call, { answered: dialed.answered, outcomes: dialed.attempts.map(({ outcome }) => outcome) });
    const inTurn = await call.dial([nobody, phone], { order: 'in-turn', ringTimeoutMs: 500 });
    await tell(call, { answered: inTurn.answered, outcomes: inTurn.attempts.map(({ outcome }) => outcome) });
  },
  /** A dial that is cancelled. */
  async '94'(call, [phone = '']) {
    const giveUp = new AbortController();
    const dialing = call.dial(phone, { signal: giveUp.signal });
    await call.sleep(700);
    giveUp.abort(new Error('enough'));
    await tell(call, await dialing.catch((error: Error) => error.message));
    await call.sleep(500);
  },
  /** Puts the caller on hold, announces, and joins. */
  async '95'(call, [phone = '']) {
    const transferred = await call.transfer(phone, {
      kind: 'warm',
      announcement: 'sound:hello-world',
      acceptDigit: '1',
    });
    await tell(call, transferred.transferred ? { kind: transferred.kind } : { reason: transferred.reason });
    if (transferred.transferred && transferred.kind !== 'blind') await transferred.room.ended();
    await call.sleep(300);
  },
  /** SIP REFER. */
  async '96'(call) {
    const transferred = await call.transfer('PJSIP/sip:somebody@127.0.0.1:5999', { kind: 'blind' });
    await tell(call, transferred);
  },
  /** A room: mute, hold, announce, leave, join. */
  async '97'(call, [phone = '']) {
    const dialed = await call.dial(phone);
    if (!dialed.answered) return;
    const { leg } = dialed;
    const room = await call.bridge(leg);
    const step = async (name: string) => {
      await tell(call, name);
      await call.gather({ firstDigitTimeoutMs: 10_000 });
    };
    await step('joined');
    await room.mute(call);
    await step('muted');
    await room.unmute(call);
    await room.hold(leg);
    await step('held');
    await room.unhold(leg);
    await step('back');
    await room.announce('sound:hello-world');
    await tell(call, 'announced');
    await room.leave(leg);
    await step('alone');
    await room.close();
  },
  /** A conference that calls share. */
  async '98'(call) {
    const room = await call.conference('sales');
    await tell(call, 'in');
    await call.gather({ firstDigitTimeoutMs: 20_000 });
    await room.close();
    await tell(call, 'out');
    await call.sleep(500);
  },
  /** Records: pauses, goes on, stops. */
  async '89'(call) {
    const conversation = await call.connect('echo');
    const recording = await call.record();
    await call.sleep(1500);
    await recording.pause();
    await call.sleep(1500);
    await recording.resume();
    await call.sleep(1500);
    await tell(call, { name: recording.name, ...(await recording.stop()) });
    await conversation.close();
    const message = await call.record({ side: 'in', stopOn: ['#'], maxDurationMs: 20_000 });
    await tell(call, 'speak');
    await tell(call, { name: message.name, ...(await message.ended()) });
  },
  /** A supervisor listens, and whispers. */
  async '88'(call, [phone = '']) {
    await call.connect('parrot');
    const dialed = await call.dial(phone);
    if (!dialed.answered) return;
    const snoop = await call.snoop({ spy: 'both', whisper: 'out' });
    const desk = await call.room(dialed.leg, snoop);
    await tell(call, 'supervised');
    await desk.ended();
    await snoop.hangup();
    await call.sleep(500);
  },
};

export default defineCall(async (call) => {
  await call.answer();
  const doing = DOINGS[call.called.number.slice(0, 2)];
  const port = Number(call.called.number.slice(2));
  try {
    await doing?.(call, [`PJSIP/phone/sip:agent@127.0.0.1:${port}`]);
  } catch (error) {
    await tell(call, { error: String(error) });
    throw error;
  }
});

function tell(call: Call, value: unknown): Promise<void> {
  return call.step('tell', () => report(call, value));
}
