/** What became of somebody who was called. `unreachable`: the PBX knows no way there, or the way is out of order. */
export type DialedOutcome = 'answered' | 'busy' | 'no-answer' | 'rejected' | 'unreachable';

/** Q.850 causes, as Asterisk makes them of SIP's answers. */
const OUTCOMES: Readonly<Record<number, DialedOutcome>> = {
  17: 'busy',
  18: 'no-answer',
  19: 'no-answer',
  21: 'rejected',
};

/** Of somebody who did not answer. @param cause Q.850; undefined where Asterisk told none */
export function dialOutcomeOf(cause: number | undefined): Exclude<DialedOutcome, 'answered'> {
  return ((cause !== undefined && OUTCOMES[cause]) || 'unreachable') as Exclude<DialedOutcome, 'answered'>;
}
