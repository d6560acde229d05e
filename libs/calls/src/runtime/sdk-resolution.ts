import { registerHooks } from 'node:module';

const SDK = '@callfleet/calls';

/** Lets a call program that stands anywhere on the disk import the SDK by its name, as if it were installed there. */
export function resolveSdkForPrograms(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier !== SDK) return nextResolve(specifier, context);
      return nextResolve(specifier, { ...context, parentURL: import.meta.url });
    },
  });
}
