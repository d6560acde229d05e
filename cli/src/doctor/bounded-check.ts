import type { Finding, Findings } from './finding.ts';

/** Runs one check so that it can neither hang the doctor nor crash it: both become findings. */
export async function bounded(
  about: Findings,
  check: string,
  limitMs: number,
  work: () => Promise<Finding[]>,
): Promise<Finding[]> {
  const late = Promise.withResolvers<Finding[]>();
  const timer = setTimeout(
    () =>
      late.resolve([
        about.problem(check, `no result within ${limitMs} ms`, 'something in between answers slowly or not at all'),
      ]),
    limitMs,
  );
  try {
    return await Promise.race([work(), late.promise]);
  } catch (error) {
    return [about.problem(check, `could not be checked: ${messageOf(error)}`, 'see the message; run the doctor again')];
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
