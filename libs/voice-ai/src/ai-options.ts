import { z } from 'zod';
import { aiUrl } from './ai-url.ts';
import { bargeIn } from './barge-in.ts';
import { digitOptions } from './digit-entry.ts';
import { keyOptions } from './provider-key.ts';

/**
 * Options of all AIs behind a WebSocket.
 *
 * @param key the environment variable that has the AI's key when nothing is said
 * @param url where the AI is
 */
export function aiOptions(key: string, url: string) {
  return {
    ...keyOptions(key),
    ...digitOptions,
    bargeIn,
    /** So much of what the caller says goes into each message, milliseconds. */
    sendEveryMs: z.int().min(20).max(200).multipleOf(20).default(40),
    url: aiUrl.default(url),
    /** What it is for. */
    instructions: z.string().optional(),
    /** What it says first. Without it, it waits for the caller. */
    greeting: z.string().min(1).optional(),
  };
}
