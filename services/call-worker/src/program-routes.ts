import { type CallProgram, defineCall } from '@callfleet/calls';
import { matchesExtension } from './extension-pattern.ts';

/** The name of a call program, and which dialled extensions it is for. */
export interface ProgramRoute {
  readonly name: string;
  readonly extensions: readonly string[];
}

/** With the program itself: inside a program thread. */
export interface LoadedProgram extends ProgramRoute {
  readonly program: CallProgram;
}

/** The first program, in the order of the configuration, that an extension of its own fits. */
export function routeFor(routes: readonly ProgramRoute[], extension: string): ProgramRoute | undefined {
  return routes.find((route) => route.extensions.some((pattern) => matchesExtension(pattern, extension)));
}

/** For an extension that no program is for: the dialplan knows better what to do with it. */
export const NO_PROGRAM: LoadedProgram = {
  name: 'none',
  extensions: [],
  program: defineCall(async (call) => {
    await call.setVariable('CALLFLEET_STATUS', 'NOPROGRAM');
    await call.continueInDialplan();
  }),
};
