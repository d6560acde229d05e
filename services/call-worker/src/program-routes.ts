import type { Offer, ProgramVersion } from '@callfleet/bus';
import { type CallProgram, defineCall } from '@callfleet/calls';
import { matchesExtension } from './extension-pattern.ts';

/** A call program in one version, and which dialled extensions it is for: with none, it only takes calls over. */
export interface ProgramRoute extends ProgramVersion {
  readonly extensions: readonly string[];
}

/** With the program itself: inside a program thread. */
export interface LoadedProgram extends ProgramRoute {
  readonly program: CallProgram;
}

/**
 * A new call: the first program, in the order of the configuration, that an extension of its own fits; of one that we place, the
 * first of the name that it asks for, if it can with extensions. One that was begun: that very program in that very version, or none.
 */
export function routeFor(routes: readonly ProgramRoute[], { called, dial, program }: Offer): ProgramRoute | undefined {
  if (program) return [...routes, NO_PROGRAM].find((route) => isSame(route, program));
  if (dial) {
    const named = routes.filter(({ name }) => name === dial.program);
    // One without extensions may be an older version that only takes calls over.
    return named.find(({ extensions }) => extensions.length > 0) ?? named[0];
  }
  const fits = routes.find((route) => route.extensions.some((pattern) => matchesExtension(pattern, called.number)));
  return fits ?? NO_PROGRAM;
}

/** Every program that this worker can go on with. */
export function versionsOf(routes: readonly ProgramRoute[]): ProgramVersion[] {
  return [...routes, NO_PROGRAM].map(versionOf);
}

export function versionOf({ name, version }: ProgramRoute): ProgramVersion {
  return { name, version };
}

export function isSame(one: ProgramVersion, other: ProgramVersion): boolean {
  return one.name === other.name && one.version === other.version;
}

/** For an extension that no program is for: the dialplan knows better what to do with it. */
export const NO_PROGRAM: LoadedProgram = {
  name: 'none',
  version: '1',
  extensions: [],
  program: defineCall(async (call) => {
    await call.setVariable('CALLFLEET_STATUS', 'NOPROGRAM');
    await call.continueInDialplan();
  }),
};
