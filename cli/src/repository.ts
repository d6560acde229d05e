import { fileURLToPath } from 'node:url';

/** The checkout that this command line belongs to. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** The Node that runs us runs the services too. */
export const NODE = process.execPath;

export function serviceMain(name: 'ari-gateway' | 'call-worker' | 'media-relay'): string {
  return `${ROOT}/services/${name}/src/main.ts`;
}
