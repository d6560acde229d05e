import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PartsError } from './errors.ts';
import type { FakeTrafficOptions, TrafficPace, TrafficReport } from './fake-traffic.ts';

export interface FakeAsteriskProcessOptions extends FakeTrafficOptions {
  readonly name: string;
}

/** What its process is told. */
export type FakeOrder = { readonly run: TrafficPace } | { readonly acknowledged: number };

/** What its process tells. */
export type FakeWord = { readonly httpUrl: string } | { readonly report: TrafficReport };

/** A fake Asterisk in a process of its own, so that what it costs is not the measurer's. */
export interface FakeAsteriskProcess {
  readonly name: string;
  readonly httpUrl: string;
  readonly username: string;
  readonly password: string;
  readonly pid: number;
  /** Sends events; one run at a time. */
  run(pace: TrafficPace): Promise<TrafficReport>;
  /** How many events have come out at the other end, of all that were sent since it was started. */
  acknowledged(events: number): void;
  stop(): Promise<void>;
}

const START_MS = 10_000;

export async function startFakeAsteriskProcess(options: FakeAsteriskProcessOptions): Promise<FakeAsteriskProcess> {
  const main = fileURLToPath(new URL('./fake-asterisk-main.ts', import.meta.url));
  const child = fork(main, [JSON.stringify(options)], { detached: true });
  const exited = once(child, 'exit');
  const order = (what: FakeOrder) => void child.send(what);
  const nextWord = async (signal?: AbortSignal) => {
    const gone = exited.then(([code]) => {
      throw new PartsError('CF_PARTS_UNAVAILABLE', `the fake Asterisk ended (exit code ${code})`);
    });
    const [word] = await Promise.race([once(child, 'message', signal ? { signal } : {}), gone]);
    return word as FakeWord;
  };
  const ready = await nextWord(AbortSignal.timeout(START_MS));
  if (!('httpUrl' in ready) || child.pid === undefined) throw new Error('the fake Asterisk did not start');
  return {
    name: options.name,
    httpUrl: ready.httpUrl,
    username: 'callfleet',
    password: 'callfleet',
    pid: child.pid,
    async run(pace) {
      order({ run: pace });
      const word = await nextWord();
      if (!('report' in word)) throw new Error('the fake Asterisk did not report');
      return word.report;
    },
    acknowledged: (events) => order({ acknowledged: events }),
    async stop() {
      child.disconnect();
      await exited;
    },
  };
}
