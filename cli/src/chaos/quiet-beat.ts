/** How often a call without audio sends a command, milliseconds. */
export const QUIET_BEAT_MS = 2000;
