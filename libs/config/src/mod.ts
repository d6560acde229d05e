/** callfleet.yaml and the environment, checked once at the start of every process. */
export { ConfigError } from './errors.ts';
export { type LegListener, legListeners } from './leg-listeners.ts';
export { loadConfig, type ServiceName } from './load.ts';
export { hasUrl, isClassic, type PbxConfig, type ReachablePbx } from './pbx-schema.ts';
export type { Config, ProgramConfig, RelayConfig } from './schema.ts';
export { type WatchOptions, watchConfig } from './watch.ts';
