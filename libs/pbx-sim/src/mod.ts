/**
 * An Asterisk that is none, for tests of bots and of what serves them: ARI, callers by script, their audio, and faults.
 *
 *     const pbx = await startSimulatedPbx({ applications: ['callfleet-1'] });
 *     const call = pbx.call({ extension: '100', holdMs: 3000 });
 *     expect((await call.ended).heard.ownToneFrames).toBeGreaterThan(100);
 */
export type { BatchSummary } from './call-batches.ts';
export type { CallReport, SimulatedCall } from './caller.ts';
export { ControlServer } from './control.ts';
export type { EndpointBehaviour } from './endpoints.ts';
export { PbxSimError } from './errors.ts';
export type { HeardReport } from './heard.ts';
export { type PbxCounts, type SimulatedPbx, startSimulatedPbx } from './pbx.ts';
export type { CallScript, CallsOrder, FaultOrder, FaultSettings, SimulatedPbxOptions } from './schemas.ts';
