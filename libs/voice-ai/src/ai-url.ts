import { z } from 'zod';

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Where an AI is: callers' voices and a key go there, so it is encrypted unless it stays on this machine. */
export const aiUrl = z.string().superRefine((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['ws:', 'wss:'].includes(url.protocol)) context.addIssue('a URL that begins with wss://');
  else if (url.username || url.password) context.addIssue('a URL without a password');
  else if (url.protocol === 'ws:' && !LOOPBACK.test(url.hostname))
    context.addIssue('wss:// unless the host is this machine');
});
