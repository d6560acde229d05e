import { type AudioFormat, FRAME_MS, formatNamed, fromPcm, tone, toneLevel, toPcm } from '@callfleet/media';
import { CallerTurns, type HeardTurns, type TurnsPace } from './caller-turns.ts';
import { MARKS, readMark, writeMark } from './frame-mark.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import {
  audioSocketEnd,
  type FrameListener,
  formatOfEnd,
  type MediaEnd,
  type MediaEndKind,
  type RelayPlace,
  rtpEnd,
  WebSocketEnds,
} from './media-end.ts';

/** What callers heard of a relay in some time, summed over all of them. */
export interface MediaEndsReport {
  readonly calls: number;
  /** Frames that came. */
  readonly received: number;
  /** By the packets' numbers; 0 with a transport that has none. */
  readonly lostPackets: number;
  readonly repeatedPackets: number;
  /** Frames that the relay left out of time, since it had stood still for too long; where packets tell. */
  readonly skipped: number;
  /** Of an echo, by what is written in the frames: those that came, never came, came again. */
  readonly echoed: number;
  readonly missing: number;
  readonly repeated: number;
  /** Frames of another call. */
  readonly foreign: number;
  /** Calls that heard something else than their own tone. */
  readonly wrongTone: number;
  /** Calls whose tone could be listened to. */
  readonly listenedTo: number;
  /** Counts of a {@link LatencyHistogram}: how late each frame came, against the one of its call that came soonest. */
  readonly pacing: readonly number[];
  /** From sending a frame to its coming back. */
  readonly roundTrip: readonly number[];
  /** How late the ends themselves were to send. */
  readonly ownLate: readonly number[];
  /** Of each call, where callers speak in turns. */
  readonly turns: readonly HeardTurns[];
}

/** Tones lie so far apart, Hz, from the lowest; all of them repeat after a second. */
const TONE_STEP_HZ = 4;
const LOWEST_HZ = 250;
const TONES = 800;
const TONE_LEVEL = 0.5;

/** Ends send in so many groups one after another, since all at once would be a burst that no real PBX makes. */
const GROUPS = 20;

/** Frames in a row that a tone is listened to in: 200 ms, so 5 Hz are told apart. */
const LISTENED_FRAMES = 10;

/** So much of what a call hears must be its own tone: the marks are clicks in it. */
const OWN_TONE = 0.6;

/** Sending times are kept for so many frames: 5 s. */
const REMEMBERED = 256;

/** Callers on the PBX's side of many media legs. Each says a tone of its own, a frame each 20 ms, and hears what comes back. */
export class MediaEnds {
  readonly #kind: MediaEndKind;
  readonly #format: AudioFormat;
  readonly #servers: WebSocketEnds | undefined;
  readonly #turns: TurnsPace | undefined;
  readonly #ends: Caller[] = [];
  #ownLate = new LatencyHistogram();
  #nextAt = performance.now();
  #group = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param turns callers speak in turns; without, all the time */
  static async start(kind: MediaEndKind, turns?: TurnsPace): Promise<MediaEnds> {
    const ends = new MediaEnds(kind, kind === 'websocket' ? await WebSocketEnds.listen() : undefined, turns);
    ends.#schedule();
    return ends;
  }

  private constructor(kind: MediaEndKind, servers: WebSocketEnds | undefined, turns: TurnsPace | undefined) {
    this.#turns = turns;
    this.#kind = kind;
    this.#format = formatNamed(formatOfEnd[kind]);
    this.#servers = servers;
  }

  /** Of the PBX, for transports whose relay connects to it. */
  get url(): string | undefined {
    return this.#servers?.url;
  }

  /** More of them. @returns their legs' channel variables */
  async add(count: number): Promise<Array<Readonly<Record<string, string>>>> {
    const added: Caller[] = [];
    for (let n = 0; n < count; n += 1) {
      const call = this.#ends.length;
      const turns = this.#turns && new CallerTurns(this.#turns, (call * 0.381966) % 1);
      const caller = new Caller(call, this.#format, turns);
      caller.end = await this.#makeEnd((frame, number, place) => caller.hear(frame, number, place));
      this.#ends.push(caller);
      added.push(caller);
    }
    return added.map(({ end }) => end?.channelVariables ?? {});
  }

  /** These callers hang up, and call again. @returns their new legs' channel variables */
  async renew(calls: readonly number[]): Promise<Array<Readonly<Record<string, string>>>> {
    return Promise.all(
      calls.map(async (call) => {
        const caller = this.#ends[call];
        const before = caller?.end;
        const end = await this.#makeEnd((frame, number, place) => caller?.hear(frame, number, place));
        if (caller) caller.end = end;
        before?.close();
        return end.channelVariables;
      }),
    );
  }

  /**
   * @param places of their relays, in order
   * @param calls default: the last ones
   */
  meet(places: readonly RelayPlace[], calls?: readonly number[]): void {
    const first = this.#ends.length - places.length;
    for (const [n, place] of places.entries()) this.#ends[calls?.[n] ?? first + n]?.end?.meet(place);
  }

  /** Takes all that comes from now on. */
  begin(ms: number): void {
    this.#ownLate = new LatencyHistogram();
    for (const caller of this.#ends) caller.begin(ms);
  }

  get report(): MediaEndsReport {
    const pacing = new LatencyHistogram();
    const roundTrip = new LatencyHistogram();
    for (const caller of this.#ends) {
      for (const late of caller.lateness) pacing.add(late);
      for (const ms of caller.roundTrips) roundTrip.add(ms);
    }
    const sum = (of: (caller: Caller) => number) => this.#ends.reduce((total, caller) => total + of(caller), 0);
    return {
      calls: this.#ends.length,
      received: sum(({ received }) => received),
      lostPackets: sum(({ lostPackets }) => lostPackets),
      repeatedPackets: sum(({ repeatedPackets }) => repeatedPackets),
      skipped: sum(({ skipped }) => skipped),
      echoed: sum(({ echoed }) => echoed),
      missing: sum(({ missing }) => missing),
      repeated: sum(({ repeated }) => repeated),
      foreign: sum(({ foreign }) => foreign),
      wrongTone: sum(({ ownTone }) => Number(ownTone !== undefined && ownTone < OWN_TONE)),
      listenedTo: sum(({ ownTone }) => Number(ownTone !== undefined)),
      pacing: pacing.counts,
      roundTrip: roundTrip.counts,
      ownLate: this.#ownLate.counts,
      turns: this.#ends.flatMap(({ turns }) => (turns ? [turns.take()] : [])),
    };
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const { end } of this.#ends) end?.close();
  }

  async #makeEnd(onFrame: FrameListener): Promise<MediaEnd> {
    if (this.#servers) return this.#servers.end(onFrame);
    return this.#kind === 'rtp' ? rtpEnd(onFrame) : audioSocketEnd(onFrame);
  }

  #schedule(): void {
    this.#timer = setTimeout(
      () => {
        for (const now = performance.now(); this.#nextAt <= now; this.#nextAt += FRAME_MS / GROUPS) this.#sendGroup();
        this.#schedule();
      },
      Math.max(1, this.#nextAt - performance.now()),
    );
  }

  #sendGroup(): void {
    for (let n = this.#group; n < this.#ends.length; n += GROUPS) this.#ends[n]?.say();
    this.#group = (this.#group + 1) % GROUPS;
    this.#ownLate.add(performance.now() - this.#nextAt);
  }
}

/** One caller, what he says, and what he heard since {@link Caller.begin}. */
class Caller {
  readonly #call: number;
  readonly #format: AudioFormat;
  readonly #hz: number;
  /** A second of the tone. */
  readonly #voice: Uint8Array;
  readonly #frame: Uint8Array;
  readonly #sentAt = new Float64Array(REMEMBERED);
  readonly #heard: Uint8Array;
  #heardFrames = 0;
  #said = 0;
  #number = 0;
  #place = 0;
  /** A frame came since `begin`. */
  #hears = false;
  #lastMark: number | undefined;
  /** Whose the frame before was. */
  #from: ReturnType<typeof readMark>;
  /** Arrival of each frame minus where it belongs in time. */
  #arrivals = new Float64Array(0);
  #trips = new Float32Array(0);
  readonly turns: CallerTurns | undefined;
  end: MediaEnd | undefined;
  received = 0;
  lostPackets = 0;
  repeatedPackets = 0;
  skipped = 0;
  echoed = 0;
  missing = 0;
  repeated = 0;
  foreign = 0;

  constructor(call: number, format: AudioFormat, turns: CallerTurns | undefined) {
    this.#call = call;
    this.turns = turns;
    this.#format = format;
    this.#hz = LOWEST_HZ + (call % TONES) * TONE_STEP_HZ;
    const { sampleRate, frameBytes } = format;
    this.#voice = fromPcm(format, tone({ hz: this.#hz, ms: 1000, sampleRate, level: TONE_LEVEL }));
    this.#frame = new Uint8Array(frameBytes);
    this.#heard = new Uint8Array(LISTENED_FRAMES * frameBytes);
  }

  begin(ms: number): void {
    this.turns?.take();
    const most = Math.ceil(ms / FRAME_MS) + 500;
    this.#arrivals = new Float64Array(most);
    this.#trips = new Float32Array(most);
    this.#heardFrames = 0;
    this.#hears = false;
    this.#lastMark = undefined;
    this.received = this.lostPackets = this.repeatedPackets = this.skipped = 0;
    this.echoed = this.missing = this.repeated = this.foreign = 0;
  }

  /** Milliseconds of each frame. */
  get lateness(): Float64Array {
    const taken = this.#arrivals.subarray(0, this.received);
    const soonest = taken.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
    return taken.map((at) => at - soonest);
  }

  get roundTrips(): Float32Array {
    return this.#trips.subarray(0, this.echoed);
  }

  /** Share of what he heard; undefined: it could not be listened to. */
  get ownTone(): number | undefined {
    if (this.#heardFrames < LISTENED_FRAMES) return undefined;
    return toneLevel(toPcm(this.#format, this.#heard), this.#format.sampleRate, this.#hz);
  }

  say(): void {
    const { frameBytes, silenceByte } = this.#format;
    if (this.turns && !this.turns.speaks()) {
      this.end?.send(this.#frame.fill(silenceByte));
      return;
    }
    const from = (this.#said * frameBytes) % this.#voice.length;
    this.#frame.set(this.#voice.subarray(from, from + frameBytes));
    const number = this.#said % MARKS;
    writeMark(this.#frame, this.#call, number);
    this.#sentAt[number % REMEMBERED] = performance.now();
    this.#said += 1;
    this.end?.send(this.#frame);
  }

  hear(frame: Uint8Array, number = this.#number + 1, place = this.#place + 1): void {
    if (this.received >= this.#arrivals.length) return;
    const now = performance.now();
    if (this.#hears) {
      const step = number - this.#number;
      if (step > 1) this.lostPackets += step - 1;
      else if (step < 1) this.repeatedPackets += 1;
      this.skipped += Math.max(0, place - this.#place - step);
    }
    this.#hears = true;
    this.#number = number;
    this.#place = place;
    this.#arrivals[this.received] = now - place * FRAME_MS;
    this.received += 1;
    this.turns?.hear(frame);
    const mark = readMark(frame);
    const follows =
      mark !== undefined && mark.call === this.#from?.call && mark.number === (this.#from.number + 1) % MARKS;
    this.#from = mark;
    if (this.#heardFrames < LISTENED_FRAMES) this.#listen(frame, follows);
    if (!mark) return;
    if (mark.call !== this.#call) {
      this.foreign += 1;
      return;
    }
    this.#countEcho(mark.number, now);
  }

  #countEcho(number: number, now: number): void {
    if (this.#lastMark !== undefined) {
      const step = (number - this.#lastMark + MARKS) % MARKS;
      if (step === 0 || step > MARKS / 2) {
        this.repeated += 1;
        return;
      }
      this.missing += step - 1;
    }
    this.#lastMark = number;
    this.#trips[this.echoed] = now - (this.#sentAt[number % REMEMBERED] as number);
    this.echoed += 1;
  }

  /** A frame that does not follow the one before makes a jump in the tone: it is listened to anew. */
  #listen(frame: Uint8Array, follows: boolean): void {
    if (!follows) this.#heardFrames = 0;
    this.#heard.set(frame.subarray(0, this.#format.frameBytes), this.#heardFrames * this.#format.frameBytes);
    this.#heardFrames += 1;
  }
}
