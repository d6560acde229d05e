/** For the unit tests of call programs: runs them on a simulated PBX, in simulated time. docs/testing-programs.md teaches it. */
export type { CallOutcome } from '../runtime/call-runtime.ts';
export { type SimulatedCall, simulateCall } from './simulate-call.ts';
export type { SimulatedParty } from './simulated-channel.ts';
export { SimulationError } from './simulated-world.ts';
export type {
  ConversationDoing,
  EndpointAnswer,
  PartyDoing,
  SimulatedEndpoint,
  SimulationOptions,
  When,
} from './simulation-options.ts';
export { type Script, survivesTakeovers } from './survives-takeovers.ts';
export type { TranscriptEntry } from './transcript.ts';
