import {
  type Bus,
  type CallRecord,
  CDRS,
  callHistory,
  callRecordSchema,
  decodeMessage,
  storedMessages,
} from '@callfleet/bus';
import { partsOfCallId } from '@callfleet/identity';
import type { Measure } from '../verdict.ts';
import { type PbxWitness, unpublished } from './pbx-witness.ts';
import { type PlacedCallers, TYPED, TYPING_MS } from './typing-callers.ts';

const READ_AT_ONCE = 8;

/** What became of one caller, by the fleet's records and events and by what Asterisk itself told. */
export interface CallOutcome {
  readonly caller: string;
  /** Undefined: the fleet has written none. */
  readonly record: CallRecord | undefined;
  /** Came to the fallback of the dialplan. */
  readonly isSentAway: boolean;
  /** What Asterisk told the witness of the call's channel, and what of it is not in the stream. */
  readonly events: number;
  readonly eventsLost: number;
  /** Digits: that Asterisk told, and that the program was told. */
  readonly pressed: number;
  readonly heard: number;
}

/** A call with whether it is lost: why, or undefined of one that came to its end as it should. */
export type JudgedCall = CallOutcome & { readonly lost: string | undefined };

/** All that the PBXs have made. */
export async function readOutcomes(
  { callers, doubtful }: PlacedCallers,
  bus: Bus,
  witnesses: readonly PbxWitness[],
  whyLost: (outcome: CallOutcome) => string | undefined,
): Promise<JudgedCall[]> {
  const records = await readRecords(bus);
  // A call that the PBX never made is not the fleet's to lose.
  const rest = callers.filter((caller) => records.has(caller) || !doubtful.has(caller));
  const outcomes: JudgedCall[] = [];
  const readOn = async () => {
    for (let caller = rest.shift(); caller !== undefined; caller = rest.shift()) {
      const outcome = await outcomeOf(caller, records.get(caller), bus, witnesses);
      outcomes.push({ ...outcome, lost: whyLost(outcome) });
    }
  };
  await Promise.all(Array.from({ length: READ_AT_ONCE }, readOn));
  return outcomes;
}

/** Why a caller who was served did not come to hang up themselves; undefined: they did, when they had typed all. */
export function whyCutShort(
  { endedBy, error, status, enteredAt, endedAt }: CallRecord,
  pressed: number,
): string | undefined {
  if (error) return `${error.code}: ${error.message}`;
  if (endedBy !== 'caller') return `ended by ${endedBy} ${status ?? ''}`;
  // A busy Asterisk loses a key now and then; nobody was there to be told of it.
  const wasShort = Date.parse(endedAt) - Date.parse(enteredAt) < TYPING_MS;
  return pressed < TYPED.length && wasShort ? 'cut off before the caller hung up' : undefined;
}

async function readRecords(bus: Bus): Promise<Map<string, CallRecord>> {
  const records = new Map<string, CallRecord>();
  for await (const { data } of storedMessages(bus, 'cf.cdr.>', 1, CDRS)) {
    const record = decodeMessage(callRecordSchema, data);
    records.set(record.caller.number, record);
  }
  return records;
}

async function outcomeOf(
  caller: string,
  record: CallRecord | undefined,
  bus: Bus,
  witnesses: readonly PbxWitness[],
): Promise<CallOutcome> {
  const isSentAway = witnesses.some(({ sentAway }) => sentAway.has(caller));
  if (!record) return { caller, record, isSentAway, events: 0, eventsLost: 0, pressed: 0, heard: 0 };
  // The schema knows a call's id by its shape alone.
  const call = record.call as Parameters<typeof callHistory>[1];
  const witness = witnesses.find(({ pbx }) => pbx === record.pbx);
  const seen = witness?.seenOf(partsOfCallId(call)?.channelId ?? '', Date.parse(record.enteredAt)) ?? [];
  return {
    caller,
    record,
    isSentAway,
    events: seen.length,
    eventsLost: unpublished(seen, await callHistory(bus, call)).length,
    pressed: seen.filter(({ type }) => type === 'ChannelDtmfReceived').length,
    heard: record.digits ?? 0,
  };
}

/** What no chaos may lose, of these calls; `how` says which calls count as lost. Names the first of them. */
export function lossMeasures(outcomes: readonly JudgedCall[], how: string): Measure[] {
  const sum = (of: (outcome: JudgedCall) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const lost = outcomes.filter((outcome) => outcome.lost !== undefined);
  for (const { caller, lost: why } of lost.slice(0, 10))
    console.log(`callfleet: the call of ${caller} is lost: ${why}`);
  const events = sum((outcome) => outcome.events);
  const digits = sum((outcome) => outcome.pressed);
  const none = { target: { atMost: 0 }, unit: '' };
  return [
    { ...none, what: 'calls lost', value: lost.length, how: `of ${outcomes.length}: ${how}` },
    {
      ...none,
      what: 'events lost',
      value: sum(({ eventsLost }) => eventsLost),
      how: `of ${events} that Asterisk told`,
    },
    {
      ...none,
      what: 'digits lost',
      value: digits - sum(({ heard }) => heard),
      how: `of ${digits} that Asterisk told, by the call records`,
    },
  ];
}
