// Generated from the api-docs of Asterisk 22.10.1 by `npm run generate:ari`. Do not edit.

import type * as m from './models.gen.ts';

/** Notification that trying to move a channel to another Stasis application failed. */
export interface ApplicationMoveFailed extends AriEventBase {
  type: 'ApplicationMoveFailed';
  channel: m.Channel;
  destination: string;
  /** Arguments to the application */
  args: string[];
}

/** Notification that a Stasis app has been registered. */
export interface ApplicationRegistered extends AriEventBase {
  type: 'ApplicationRegistered';
}

/**
 * Notification that another WebSocket has taken over for an application. An application may only be subscribed
 * to by a single WebSocket at a time. If multiple WebSockets attempt to subscribe to the same application, the
 * newer WebSocket wins, and the older one receives this event.
 */
export interface ApplicationReplaced extends AriEventBase {
  type: 'ApplicationReplaced';
}

/** Notification that a Stasis app has been unregistered. */
export interface ApplicationUnregistered extends AriEventBase {
  type: 'ApplicationUnregistered';
}

/** Notification that an attended transfer has occurred. */
export interface BridgeAttendedTransfer extends AriEventBase {
  type: 'BridgeAttendedTransfer';
  /** First leg of the transferer */
  transferer_first_leg: m.Channel;
  /** Second leg of the transferer */
  transferer_second_leg: m.Channel;
  /** The channel that is replacing transferer_first_leg in the swap */
  replace_channel?: m.Channel;
  /** The channel that is being transferred */
  transferee?: m.Channel;
  /** The channel that is being transferred to */
  transfer_target?: m.Channel;
  /** The result of the transfer attempt */
  result: string;
  /** Whether the transfer was externally initiated or not */
  is_external: boolean;
  /** Bridge the transferer first leg is in */
  transferer_first_leg_bridge?: m.Bridge;
  /** Bridge the transferer second leg is in */
  transferer_second_leg_bridge?: m.Bridge;
  /** How the transfer was accomplished */
  destination_type: string;
  /** Bridge that survived the merge result */
  destination_bridge?: string;
  /** Application that has been transferred into */
  destination_application?: string;
  /** First leg of a link transfer result */
  destination_link_first_leg?: m.Channel;
  /** Second leg of a link transfer result */
  destination_link_second_leg?: m.Channel;
  /** Transferer channel that survived the threeway result */
  destination_threeway_channel?: m.Channel;
  /** Bridge that survived the threeway result */
  destination_threeway_bridge?: m.Bridge;
}

/** Notification that a blind transfer has occurred. */
export interface BridgeBlindTransfer extends AriEventBase {
  type: 'BridgeBlindTransfer';
  /** The channel performing the blind transfer */
  channel: m.Channel;
  /** The channel that is replacing transferer when the transferee(s) can not be transferred directly */
  replace_channel?: m.Channel;
  /** The channel that is being transferred */
  transferee?: m.Channel;
  /** The extension transferred to */
  exten: string;
  /** The context transferred to */
  context: string;
  /** The result of the transfer attempt */
  result: string;
  /** Whether the transfer was externally initiated or not */
  is_external: boolean;
  /** The bridge being transferred */
  bridge?: m.Bridge;
}

/** Notification that a bridge has been created. */
export interface BridgeCreated extends AriEventBase {
  type: 'BridgeCreated';
  bridge: m.Bridge;
}

/** Notification that a bridge has been destroyed. */
export interface BridgeDestroyed extends AriEventBase {
  type: 'BridgeDestroyed';
  bridge: m.Bridge;
}

/** Notification that one bridge has merged into another. */
export interface BridgeMerged extends AriEventBase {
  type: 'BridgeMerged';
  bridge: m.Bridge;
  bridge_from: m.Bridge;
}

/** Notification that the source of video in a bridge has changed. */
export interface BridgeVideoSourceChanged extends AriEventBase {
  type: 'BridgeVideoSourceChanged';
  bridge: m.Bridge;
  old_video_source_id?: string;
}

/** Notification that a channel is being broadcast to ARI applications for claiming. */
export interface CallBroadcast extends AriEventBase {
  type: 'CallBroadcast';
  /** The channel being broadcast. */
  channel: m.Channel;
  /** The caller ID number. */
  caller?: string;
  /** The called number. */
  called?: string;
}

/** Notification that a broadcast channel has been successfully claimed by an ARI application. */
export interface CallClaimed extends AriEventBase {
  type: 'CallClaimed';
  /** The channel that was claimed. */
  channel: m.Channel;
  /** The name of the ARI application that claimed the channel. */
  winner_app: string;
}

/** Channel changed Caller ID. */
export interface ChannelCallerId extends AriEventBase {
  type: 'ChannelCallerId';
  /** The integer representation of the Caller Presentation value. */
  caller_presentation: number;
  /** The text representation of the Caller Presentation value. */
  caller_presentation_txt: string;
  /** The channel that changed Caller ID. */
  channel: m.Channel;
}

/** Channel changed Connected Line. */
export interface ChannelConnectedLine extends AriEventBase {
  type: 'ChannelConnectedLine';
  /** The channel whose connected line has changed. */
  channel: m.Channel;
}

/** Notification that a channel has been created. */
export interface ChannelCreated extends AriEventBase {
  type: 'ChannelCreated';
  channel: m.Channel;
}

/** Notification that a channel has been destroyed. */
export interface ChannelDestroyed extends AriEventBase {
  type: 'ChannelDestroyed';
  /** Integer representation of the cause of the hangup */
  cause: number;
  /** Text representation of the cause of the hangup */
  cause_txt: string;
  /** Integer representation of the technology-specific off-nominal cause of the hangup. */
  tech_cause?: number;
  channel: m.Channel;
}

/** Channel changed location in the dialplan. */
export interface ChannelDialplan extends AriEventBase {
  type: 'ChannelDialplan';
  /** The channel that changed dialplan location. */
  channel: m.Channel;
  /** The application about to be executed. */
  dialplan_app: string;
  /** The data to be passed to the application. */
  dialplan_app_data: string;
}

/**
 * DTMF received on a channel. This event is sent when the DTMF ends. There is no notification about the start of
 * DTMF
 */
export interface ChannelDtmfReceived extends AriEventBase {
  type: 'ChannelDtmfReceived';
  /** DTMF digit received (0-9, A-E, # or *) */
  digit: string;
  /** Number of milliseconds DTMF was received */
  duration_ms: number;
  /** The channel on which DTMF was received */
  channel: m.Channel;
}

/** Notification that a channel has entered a bridge. */
export interface ChannelEnteredBridge extends AriEventBase {
  type: 'ChannelEnteredBridge';
  bridge: m.Bridge;
  channel?: m.Channel;
}

/** A hangup was requested on the channel. */
export interface ChannelHangupRequest extends AriEventBase {
  type: 'ChannelHangupRequest';
  /** Integer representation of the cause of the hangup. */
  cause?: number;
  /** Integer representation of the technology-specific off-nominal cause of the hangup. */
  tech_cause?: number;
  /** Whether the hangup request was a soft hangup request. */
  soft?: boolean;
  /** The channel on which the hangup was requested. */
  channel: m.Channel;
}

/** A channel initiated a media hold. */
export interface ChannelHold extends AriEventBase {
  type: 'ChannelHold';
  /** The channel that initiated the hold event. */
  channel: m.Channel;
  /** The music on hold class that the initiator requested. */
  musicclass?: string;
}

/** Notification that a channel has left a bridge. */
export interface ChannelLeftBridge extends AriEventBase {
  type: 'ChannelLeftBridge';
  bridge: m.Bridge;
  channel: m.Channel;
}

/** Notification of a channel's state change. */
export interface ChannelStateChange extends AriEventBase {
  type: 'ChannelStateChange';
  channel: m.Channel;
}

/** Talking is no longer detected on the channel. */
export interface ChannelTalkingFinished extends AriEventBase {
  type: 'ChannelTalkingFinished';
  /** The channel on which talking completed. */
  channel: m.Channel;
  /** The length of time, in milliseconds, that talking was detected on the channel */
  duration: number;
}

/** Talking was detected on the channel. */
export interface ChannelTalkingStarted extends AriEventBase {
  type: 'ChannelTalkingStarted';
  /** The channel on which talking started. */
  channel: m.Channel;
}

/** Tone was detected on the channel. */
export interface ChannelToneDetected extends AriEventBase {
  type: 'ChannelToneDetected';
  /** The channel the tone was detected on. */
  channel: m.Channel;
}

/** transfer on a channel. */
export interface ChannelTransfer extends AriEventBase {
  type: 'ChannelTransfer';
  /** Transfer State */
  state?: string;
  /** Refer-To information with optionally both affected channels */
  refer_to: m.ReferTo;
  /** Referred-By SIP Header according rfc3892 */
  referred_by: m.ReferredBy;
}

/** A channel initiated a media unhold. */
export interface ChannelUnhold extends AriEventBase {
  type: 'ChannelUnhold';
  /** The channel that initiated the unhold event. */
  channel: m.Channel;
}

/** User-generated event with additional user-defined fields in the object. */
export interface ChannelUserevent extends AriEventBase {
  type: 'ChannelUserevent';
  /** The name of the user event. */
  eventname: string;
  /** A channel that is signaled with the user event. */
  channel?: m.Channel;
  /** A bridge that is signaled with the user event. */
  bridge?: m.Bridge;
  /** A endpoint that is signaled with the user event. */
  endpoint?: m.Endpoint;
  /** Custom Userevent data */
  userevent: Record<string, unknown>;
}

/** Channel variable changed. */
export interface ChannelVarset extends AriEventBase {
  type: 'ChannelVarset';
  /** The variable that changed. */
  variable: string;
  /** The new value of the variable. */
  value: string;
  /** The channel on which the variable was set. If missing, the variable is a global variable. */
  channel?: m.Channel;
}

/** The state of a contact on an endpoint has changed. */
export interface ContactStatusChange extends AriEventBase {
  type: 'ContactStatusChange';
  endpoint: m.Endpoint;
  contact_info: m.ContactInfo;
}

/** Notification that a device state has changed. */
export interface DeviceStateChanged extends AriEventBase {
  type: 'DeviceStateChanged';
  /** Device state object */
  device_state: m.DeviceState;
}

/** Dialing state has changed. */
export interface Dial extends AriEventBase {
  type: 'Dial';
  /** The calling channel. */
  caller?: m.Channel;
  /** The dialed channel. */
  peer: m.Channel;
  /** Forwarding target requested by the original dialed channel. */
  forward?: string;
  /** Channel that the caller has been forwarded to. */
  forwarded?: m.Channel;
  /** The dial string for calling the peer channel. */
  dialstring?: string;
  /** Current status of the dialing attempt to the peer. */
  dialstatus: string;
}

/** Endpoint state changed. */
export interface EndpointStateChange extends AriEventBase {
  type: 'EndpointStateChange';
  endpoint: m.Endpoint;
}

/** Base type for asynchronous events from Asterisk. */
export interface AriEventBase extends AriMessage {
  /** Name of the application receiving the event. */
  application: string;
  /** Time at which this event was created. */
  timestamp: string;
}

/** Base type for errors and events */
export interface AriMessage {
  /** Indicates the type of this message. */
  type: string;
  /** The unique ID for the Asterisk instance that raised this event. */
  asterisk_id?: string;
}

/** Error event sent when required params are missing. */
export interface MissingParams extends AriMessage {
  type: 'MissingParams';
  /** A list of the missing parameters */
  params: string[];
}

/** The state of a peer associated with an endpoint has changed. */
export interface PeerStatusChange extends AriEventBase {
  type: 'PeerStatusChange';
  endpoint: m.Endpoint;
  peer: m.Peer;
}

/** Event showing the continuation of a media playback operation from one media URI to the next in the list. */
export interface PlaybackContinuing extends AriEventBase {
  type: 'PlaybackContinuing';
  /** Playback control object */
  playback: m.Playback;
}

/** Event showing the completion of a media playback operation. */
export interface PlaybackFinished extends AriEventBase {
  type: 'PlaybackFinished';
  /** Playback control object */
  playback: m.Playback;
}

/** Event showing the start of a media playback operation. */
export interface PlaybackStarted extends AriEventBase {
  type: 'PlaybackStarted';
  /** Playback control object */
  playback: m.Playback;
}

/** REST over Websocket Response. */
export interface RESTResponse extends AriEventBase {
  type: 'RESTResponse';
  /** Opaque transaction id. Will be whatever was specified on the original request. */
  transaction_id: string;
  /** Opaque request id. Will be whatever was specified on the original request. */
  request_id: string;
  /** HTTP status code */
  status_code: number;
  /** HTTP reason phrase */
  reason_phrase: string;
  /** Original request resource URI */
  uri: string;
  /** The Content-Type of the message body. */
  content_type?: string;
  /** Response message body */
  message_body?: string;
}

/** Event showing failure of a recording operation. */
export interface RecordingFailed extends AriEventBase {
  type: 'RecordingFailed';
  /** Recording control object */
  recording: m.LiveRecording;
}

/** Event showing the completion of a recording operation. */
export interface RecordingFinished extends AriEventBase {
  type: 'RecordingFinished';
  /** Recording control object */
  recording: m.LiveRecording;
}

/** Event showing the start of a recording operation. */
export interface RecordingStarted extends AriEventBase {
  type: 'RecordingStarted';
  /** Recording control object */
  recording: m.LiveRecording;
}

/** Notification that a channel has left a Stasis application. */
export interface StasisEnd extends AriEventBase {
  type: 'StasisEnd';
  channel: m.Channel;
}

/** Notification that a channel has entered a Stasis application. */
export interface StasisStart extends AriEventBase {
  type: 'StasisStart';
  /** Arguments to the application */
  args: string[];
  channel: m.Channel;
  replace_channel?: m.Channel;
}

/** A text message was received from an endpoint. */
export interface TextMessageReceived extends AriEventBase {
  type: 'TextMessageReceived';
  message: m.TextMessage;
  endpoint?: m.Endpoint;
}

/** Every event that Asterisk 22.10.1 knows, told apart by `type`. */
export type AriEvent =
  | ApplicationMoveFailed
  | ApplicationRegistered
  | ApplicationReplaced
  | ApplicationUnregistered
  | BridgeAttendedTransfer
  | BridgeBlindTransfer
  | BridgeCreated
  | BridgeDestroyed
  | BridgeMerged
  | BridgeVideoSourceChanged
  | CallBroadcast
  | CallClaimed
  | ChannelCallerId
  | ChannelConnectedLine
  | ChannelCreated
  | ChannelDestroyed
  | ChannelDialplan
  | ChannelDtmfReceived
  | ChannelEnteredBridge
  | ChannelHangupRequest
  | ChannelHold
  | ChannelLeftBridge
  | ChannelStateChange
  | ChannelTalkingFinished
  | ChannelTalkingStarted
  | ChannelToneDetected
  | ChannelTransfer
  | ChannelUnhold
  | ChannelUserevent
  | ChannelVarset
  | ContactStatusChange
  | DeviceStateChanged
  | Dial
  | EndpointStateChange
  | PeerStatusChange
  | PlaybackContinuing
  | PlaybackFinished
  | PlaybackStarted
  | RESTResponse
  | RecordingFailed
  | RecordingFinished
  | RecordingStarted
  | StasisEnd
  | StasisStart
  | TextMessageReceived;

/** The `type` of every event that Asterisk 22.10.1 knows. */
export const ARI_EVENT_TYPES = [
  'ApplicationMoveFailed',
  'ApplicationRegistered',
  'ApplicationReplaced',
  'ApplicationUnregistered',
  'BridgeAttendedTransfer',
  'BridgeBlindTransfer',
  'BridgeCreated',
  'BridgeDestroyed',
  'BridgeMerged',
  'BridgeVideoSourceChanged',
  'CallBroadcast',
  'CallClaimed',
  'ChannelCallerId',
  'ChannelConnectedLine',
  'ChannelCreated',
  'ChannelDestroyed',
  'ChannelDialplan',
  'ChannelDtmfReceived',
  'ChannelEnteredBridge',
  'ChannelHangupRequest',
  'ChannelHold',
  'ChannelLeftBridge',
  'ChannelStateChange',
  'ChannelTalkingFinished',
  'ChannelTalkingStarted',
  'ChannelToneDetected',
  'ChannelTransfer',
  'ChannelUnhold',
  'ChannelUserevent',
  'ChannelVarset',
  'ContactStatusChange',
  'DeviceStateChanged',
  'Dial',
  'EndpointStateChange',
  'PeerStatusChange',
  'PlaybackContinuing',
  'PlaybackFinished',
  'PlaybackStarted',
  'RESTResponse',
  'RecordingFailed',
  'RecordingFinished',
  'RecordingStarted',
  'StasisEnd',
  'StasisStart',
  'TextMessageReceived',
] as const satisfies readonly AriEvent['type'][];

/** What stands at `path` in an event: a model with an id, or an id as plain text. */
export interface EventSubject {
  readonly kind: 'Channel' | 'Bridge' | 'Playback' | 'LiveRecording' | 'Endpoint' | 'BridgeId' | 'ChannelId';
  readonly path: readonly string[];
}

/** Where each event carries ids; those that it always has come first. */
export const EVENT_SUBJECTS: Readonly<Record<AriEvent['type'], readonly EventSubject[]>> = {
  ApplicationMoveFailed: [{ kind: 'Channel', path: ['channel'] }],
  ApplicationRegistered: [],
  ApplicationReplaced: [],
  ApplicationUnregistered: [],
  BridgeAttendedTransfer: [
    { kind: 'Channel', path: ['transferer_first_leg'] },
    { kind: 'Channel', path: ['transferer_second_leg'] },
    { kind: 'Channel', path: ['replace_channel'] },
    { kind: 'Channel', path: ['transferee'] },
    { kind: 'Channel', path: ['transfer_target'] },
    { kind: 'Bridge', path: ['transferer_first_leg_bridge'] },
    { kind: 'Bridge', path: ['transferer_second_leg_bridge'] },
    { kind: 'BridgeId', path: ['destination_bridge'] },
    { kind: 'Channel', path: ['destination_link_first_leg'] },
    { kind: 'Channel', path: ['destination_link_second_leg'] },
    { kind: 'Channel', path: ['destination_threeway_channel'] },
    { kind: 'Bridge', path: ['destination_threeway_bridge'] },
  ],
  BridgeBlindTransfer: [
    { kind: 'Channel', path: ['channel'] },
    { kind: 'Channel', path: ['replace_channel'] },
    { kind: 'Channel', path: ['transferee'] },
    { kind: 'Bridge', path: ['bridge'] },
  ],
  BridgeCreated: [{ kind: 'Bridge', path: ['bridge'] }],
  BridgeDestroyed: [{ kind: 'Bridge', path: ['bridge'] }],
  BridgeMerged: [
    { kind: 'Bridge', path: ['bridge'] },
    { kind: 'Bridge', path: ['bridge_from'] },
  ],
  BridgeVideoSourceChanged: [
    { kind: 'Bridge', path: ['bridge'] },
    { kind: 'ChannelId', path: ['old_video_source_id'] },
  ],
  CallBroadcast: [{ kind: 'Channel', path: ['channel'] }],
  CallClaimed: [{ kind: 'Channel', path: ['channel'] }],
  ChannelCallerId: [{ kind: 'Channel', path: ['channel'] }],
  ChannelConnectedLine: [{ kind: 'Channel', path: ['channel'] }],
  ChannelCreated: [{ kind: 'Channel', path: ['channel'] }],
  ChannelDestroyed: [{ kind: 'Channel', path: ['channel'] }],
  ChannelDialplan: [{ kind: 'Channel', path: ['channel'] }],
  ChannelDtmfReceived: [{ kind: 'Channel', path: ['channel'] }],
  ChannelEnteredBridge: [
    { kind: 'Bridge', path: ['bridge'] },
    { kind: 'Channel', path: ['channel'] },
  ],
  ChannelHangupRequest: [{ kind: 'Channel', path: ['channel'] }],
  ChannelHold: [{ kind: 'Channel', path: ['channel'] }],
  ChannelLeftBridge: [
    { kind: 'Bridge', path: ['bridge'] },
    { kind: 'Channel', path: ['channel'] },
  ],
  ChannelStateChange: [{ kind: 'Channel', path: ['channel'] }],
  ChannelTalkingFinished: [{ kind: 'Channel', path: ['channel'] }],
  ChannelTalkingStarted: [{ kind: 'Channel', path: ['channel'] }],
  ChannelToneDetected: [{ kind: 'Channel', path: ['channel'] }],
  ChannelTransfer: [
    { kind: 'Channel', path: ['referred_by', 'source_channel'] },
    { kind: 'Channel', path: ['refer_to', 'destination_channel'] },
    { kind: 'Channel', path: ['refer_to', 'connected_channel'] },
    { kind: 'Bridge', path: ['refer_to', 'bridge'] },
    { kind: 'Channel', path: ['referred_by', 'connected_channel'] },
    { kind: 'Bridge', path: ['referred_by', 'bridge'] },
  ],
  ChannelUnhold: [{ kind: 'Channel', path: ['channel'] }],
  ChannelUserevent: [
    { kind: 'Channel', path: ['channel'] },
    { kind: 'Bridge', path: ['bridge'] },
    { kind: 'Endpoint', path: ['endpoint'] },
  ],
  ChannelVarset: [{ kind: 'Channel', path: ['channel'] }],
  ContactStatusChange: [{ kind: 'Endpoint', path: ['endpoint'] }],
  DeviceStateChanged: [],
  Dial: [
    { kind: 'Channel', path: ['peer'] },
    { kind: 'Channel', path: ['caller'] },
    { kind: 'Channel', path: ['forwarded'] },
  ],
  EndpointStateChange: [{ kind: 'Endpoint', path: ['endpoint'] }],
  PeerStatusChange: [{ kind: 'Endpoint', path: ['endpoint'] }],
  PlaybackContinuing: [{ kind: 'Playback', path: ['playback'] }],
  PlaybackFinished: [{ kind: 'Playback', path: ['playback'] }],
  PlaybackStarted: [{ kind: 'Playback', path: ['playback'] }],
  RESTResponse: [],
  RecordingFailed: [{ kind: 'LiveRecording', path: ['recording'] }],
  RecordingFinished: [{ kind: 'LiveRecording', path: ['recording'] }],
  RecordingStarted: [{ kind: 'LiveRecording', path: ['recording'] }],
  StasisEnd: [{ kind: 'Channel', path: ['channel'] }],
  StasisStart: [
    { kind: 'Channel', path: ['channel'] },
    { kind: 'Channel', path: ['replace_channel'] },
  ],
  TextMessageReceived: [{ kind: 'Endpoint', path: ['endpoint'] }],
};
