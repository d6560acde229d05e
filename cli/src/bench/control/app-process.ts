import { fileURLToPath } from 'node:url';
import { ServiceProcess } from '@callfleet/supervise';
import type { Asterisk } from '@callfleet/testkit';

/** How one process is told which PBX and which Stasis application are its own: not by arguments, which every user can read. */
const VARIABLE = 'CALLFLEET_BENCH_PBX';

export interface AppPbx {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** The Stasis application. */
  readonly app: string;
}

/** In the process. */
export function pbxOfEnvironment(): AppPbx {
  process.once('disconnect', () => process.exit());
  process.once('SIGTERM', () => process.exit());
  return JSON.parse(process.env[VARIABLE] ?? '') as AppPbx;
}

/** In the process: its application is there. */
export function tellReady(): void {
  process.send?.({ state: 'RUNNING' });
}

/** Starts an application of one process. @param main beside this file */
export function startApp(main: string, app: string, pbx: Asterisk): Promise<ServiceProcess> {
  const { httpUrl: url, username, password } = pbx;
  const place: AppPbx = { url, username, password, app };
  return ServiceProcess.start({
    name: app,
    main: fileURLToPath(new URL(main, import.meta.url)),
    env: { [VARIABLE]: JSON.stringify(place) },
    onLine: (name, line) => console.log(`${name}: ${line}`),
  });
}
