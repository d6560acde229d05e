import { type CallId, isCallId } from '@callfleet/identity';
import { z } from 'zod';

export const callIdSchema = z.custom<CallId>((value) => typeof value === 'string' && isCallId(value), {
  error: 'not a call id (<pbx>.<channel>)',
});
