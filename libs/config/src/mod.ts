/** callfleet.yaml and the environment, checked once at the start of every process. */
export { ConfigError } from './errors.ts';
export { loadConfig } from './load.ts';
export type { Config, PbxConfig, ProgramConfig, RelayConfig } from './schema.ts';
export { type WatchOptions, watchConfig } from './watch.ts';
