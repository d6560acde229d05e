/** Without `dtmf_events` Asterisk may let two channels pass their RTP to each other directly, and no digit is seen any more. */
export const BRIDGE_TYPE = 'mixing,dtmf_events';
