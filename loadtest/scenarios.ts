/** What a load test does: who calls, what must come of it, and what is broken meanwhile. Read by k6 and by the command line. */

export interface CallGroup {
  readonly name: string;
  /** Over all PBXs together. */
  readonly count: number;
  readonly perSecond: number;
  /** As docs/simulated-pbx.md has it. */
  readonly call: {
    readonly extension: string;
    readonly holdMs?: number;
    readonly digits?: ReadonlyArray<{ readonly afterMs: number; readonly digit: string }>;
    /** `{ toneHz: 0 }`: a silent caller; without it each has a tone of its own. */
    readonly talk?: { readonly toneHz: number };
  };
  readonly expects: {
    readonly program: string;
    /** As its call record has it. */
    readonly endedBy: 'caller' | 'program' | 'dialplan';
    /** Of all frames that it hears, at least so many are its own tone: 0 to 1. */
    readonly ownToneShare?: number;
    /** A sound that it is played because of what it pressed; `{from}` is its own number. */
    readonly sound?: string;
    /** The status with which the dialplan gets it back. */
    readonly status?: string;
  };
}

/** Its callers do something that the program must answer to. */
export function isActedOn({ expects }: CallGroup): boolean {
  return expects.sound !== undefined || expects.status !== undefined;
}

export type Victim = 'worker' | 'gateway' | 'relay' | 'nats';

export interface Scenario {
  readonly name: string;
  /** How many calls are there at once, at least, when it is fullest. */
  readonly callsAtOnce: number;
  readonly groups: readonly CallGroup[];
  /** Killed with `kill -9`, and replaced, so long after the beginning. */
  readonly kills: ReadonlyArray<{ readonly afterS: number; readonly victim: Victim }>;
  /** What must hold. */
  readonly targets: {
    readonly setUpP99Ms: number;
    readonly ownTone: number;
    /** How late relays may send frames when it is fullest, 99th percentile. */
    readonly pacingP99Ms?: number;
  };
}

const PROGRAMS = { idle: '100', echo: '200', ivr: '300', transfer: '400' };
/** A caller's audio is cut off at both ends, as the echo comes later than it goes. */
const OWN_TONE_SHARE = 0.6;

const idle = (count: number, perSecond: number, holdMs: number): CallGroup => ({
  name: 'idle',
  count,
  perSecond,
  call: { extension: PROGRAMS.idle, holdMs, talk: { toneHz: 0 } },
  expects: { program: 'idle', endedBy: 'caller' },
});

const bot = (count: number, perSecond: number, holdMs: number): CallGroup => ({
  name: 'bot',
  count,
  perSecond,
  call: { extension: PROGRAMS.echo, holdMs },
  expects: { program: 'echo-bot', endedBy: 'caller', ownToneShare: OWN_TONE_SHARE },
});

const menu = (count: number, perSecond: number): CallGroup => ({
  name: 'ivr',
  count,
  perSecond,
  call: { extension: PROGRAMS.ivr, digits: [{ afterMs: 700, digit: '2' }] },
  expects: { program: 'ivr', endedBy: 'program', sound: 'digits:{from}' },
});

const operator = (count: number, perSecond: number): CallGroup => ({
  name: 'operator',
  count,
  perSecond,
  call: { extension: PROGRAMS.ivr, holdMs: 4000, digits: [{ afterMs: 700, digit: '0' }] },
  expects: { program: 'ivr', endedBy: 'dialplan', status: 'OPERATOR' },
});

const transfer = (count: number, perSecond: number): CallGroup => ({
  name: 'transfer',
  count,
  perSecond,
  call: { extension: PROGRAMS.transfer, holdMs: 5000 },
  expects: { program: 'transfer', endedBy: 'caller', sound: 'sound:priv-callpending' },
});

/** One call in so many has audio both ways; all others are silent. */
const AUDIO_EACH = 10;
const RAMP_PER_SECOND = 40;
const HELD_S = 15;

/** All calls are there for {@link HELD_S}. */
function ramp(name: string, calls: number): Scenario {
  const holdMs = (calls / RAMP_PER_SECOND + HELD_S) * 1000;
  const audio = calls / AUDIO_EACH;
  const share = audio / calls;
  return {
    name,
    callsAtOnce: calls,
    groups: [idle(calls - audio, RAMP_PER_SECOND * (1 - share), holdMs), bot(audio, RAMP_PER_SECOND * share, holdMs)],
    kills: [],
    targets: { setUpP99Ms: 500, ownTone: 0.99 },
  };
}

function soak(minutes: number): Scenario {
  const seconds = minutes * 60;
  return {
    name: 'soak',
    callsAtOnce: 50,
    groups: [idle(8 * seconds, 8, 8000), bot(seconds, 1, 8000), menu(seconds, 1)],
    kills: [],
    targets: { setUpP99Ms: 500, ownTone: 0.99 },
  };
}

const AUDIO_PER_SECOND = 20;
/** Relays tell of the last 15 s: of these, none has set-ups in it. */
const AUDIO_HELD_S = 30;
/** A frame is 20 ms: who plays them keeps one or two. */
const PACING_P99_MS = 10;

/** All have audio both ways. */
function audio(calls: number): Scenario {
  const holdMs = (calls / AUDIO_PER_SECOND + AUDIO_HELD_S) * 1000;
  return {
    name: 'audio',
    callsAtOnce: calls,
    groups: [bot(calls, AUDIO_PER_SECOND, holdMs)],
    kills: [],
    targets: { setUpP99Ms: 500, ownTone: 0.99, pacingP99Ms: PACING_P99_MS },
  };
}

/** @param options `minutes`: how long the soak takes; `audioCalls`: how many with audio at once */
export function scenariosOf({ minutes, audioCalls }: { minutes: number; audioCalls: number }): readonly Scenario[] {
  return [
    audio(audioCalls),
    ramp('ramp', 1000),
    ramp('ramp-2000', 2000),
    {
      name: 'spike',
      callsAtOnce: 200,
      groups: [idle(2000, 200, 2000)],
      kills: [],
      targets: { setUpP99Ms: 1000, ownTone: 0 },
    },
    {
      name: 'mixed',
      callsAtOnce: 30,
      groups: [bot(80, 4, 5000), menu(80, 4), operator(40, 2), transfer(40, 2)],
      kills: [],
      targets: { setUpP99Ms: 500, ownTone: 0.99 },
    },
    {
      name: 'chaos',
      callsAtOnce: 50,
      groups: [idle(200, 5, 12_000), bot(80, 2, 12_000), menu(40, 1)],
      kills: [
        { afterS: 10, victim: 'worker' },
        { afterS: 18, victim: 'gateway' },
        { afterS: 26, victim: 'relay' },
        { afterS: 34, victim: 'nats' },
      ],
      // A relay's death cuts its callers' audio for as long as it takes to be noticed, a gateway's holds new calls up.
      targets: { setUpP99Ms: 5000, ownTone: 0.95 },
    },
    soak(minutes),
    smoke(),
  ];
}

/** Whether everything works at all, in seconds. */
function smoke(): Scenario {
  return {
    name: 'smoke',
    callsAtOnce: 3,
    groups: [idle(4, 4, 3000), bot(4, 4, 3000), menu(4, 4), operator(2, 2), transfer(2, 2)],
    kills: [],
    targets: { setUpP99Ms: 5000, ownTone: 0.99 },
  };
}
