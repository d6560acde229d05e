/** Child processes that are owned: ready or a clear error, stopped with all they started, gone when we are gone. */
export { type Child, type ChildExit, type ChildOptions, type Readiness, spawnChild } from './child-process.ts';
export { ChildError } from './errors.ts';
export { Fleet, type FleetOptions, type ServiceKind } from './fleet.ts';
export type { OutputStream } from './output-lines.ts';
export { findProgram } from './program.ts';
export { planRelays, type RelayPlan } from './relay-plan.ts';
export { ServiceProcess, ServiceStartError } from './service-process.ts';
