/**
 * What an Asterisk need not send us: in a plain bot call ChannelVarset alone was 18 of 24 events. A list of what is
 * disallowed, not of what is allowed: the latter would hold back the answers to our own requests too. Asterisk forgets
 * it with the application, so it is set on every connect.
 */
export const EVENT_FILTER = {
  disallowed: [
    'ChannelVarset',
    'ChannelDialplan',
    'ChannelCallerId',
    'ChannelConnectedLine',
    'ContactStatusChange',
    'DeviceStateChanged',
    'EndpointStateChange',
    'PeerStatusChange',
  ].map((type) => ({ type })),
};
