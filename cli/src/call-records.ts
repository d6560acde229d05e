import { setTimeout as wait } from 'node:timers/promises';
import { type Bus, type CallRecord, callRecordSchema, decodeMessage } from '@callfleet/bus';

const RECORD_LIMIT_MS = 8000;

/** Call records as they are written, found by the caller's number. */
export class CallRecords {
  readonly #byCaller = new Map<string, CallRecord>();

  constructor(bus: Bus) {
    bus.nc.subscribe('cf.cdr.>', {
      callback: (_error, message) => {
        const record = decodeMessage(callRecordSchema, message.data);
        this.#byCaller.set(record.caller.number, record);
      },
    });
  }

  /** Waits for it a while; undefined when it does not come. */
  async of(caller: string): Promise<CallRecord | undefined> {
    const deadline = Date.now() + RECORD_LIMIT_MS;
    while (!this.#byCaller.has(caller) && Date.now() < deadline) await wait(20);
    return this.#byCaller.get(caller);
  }
}
