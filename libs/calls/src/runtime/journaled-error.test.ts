import { expect, test } from 'vitest';
import {
  BreakerOpenError,
  CallEndedError,
  CallTakenOverError,
  MediaUnavailableError,
  PbxBusyError,
  PbxRefusedError,
  PbxUnreachableError,
  PlaybackFailedError,
  StepFailedError,
} from '../errors.ts';
import { journaledError, revivedError } from './journaled-error.ts';

test.each([
  new CallEndedError(),
  new CallTakenOverError('its epoch is behind'),
  MediaUnavailableError.of('no relay has room'),
  PbxRefusedError.of('play', 404, 'Channel not found'),
  PbxBusyError.of('play', '1000 commands wait'),
  BreakerOpenError.of('play', 'too much failed'),
  PbxUnreachableError.of('answer', 'no gateway'),
  PlaybackFailedError.of('sound:gone'),
  new StepFailedError('it broke'),
])('$name comes out of a journal, or out of another thread, as it went in', (error) => {
  const revived = revivedError(structuredClone(journaledError(error)));
  expect(revived).toBeInstanceOf(error.constructor);
  expect(revived.message).toBe(error.message);
  expect(revived.code).toBe(error.code);
});
