// Generated from the api-docs of Asterisk 22.10.1 by `npm run generate:ari`. Do not edit.

import { type AriRequest, ariRequest } from '../request.ts';
import type * as m from './models.gen.ts';

export const asterisk = {
  /**
   * Retrieve a dynamic configuration object.
   * - 404: {configClass|objectType|id} not found
   * @since 13.5.0
   */
  getObject(params: {
    /** The configuration class containing dynamic configuration objects. */
    configClass: string;
    /** The type of configuration object to retrieve. */
    objectType: string;
    /** The unique identifier of the object to retrieve. */
    id: string;
  }): AriRequest<m.ConfigTuple[]> {
    return ariRequest('GET', '/asterisk/config/dynamic/{configClass}/{objectType}/{id}', params);
  },

  /**
   * Create or update a dynamic configuration object.
   * - 400: Bad request body
   * - 403: Could not create or update object
   * - 404: {configClass|objectType} not found
   * @since 13.5.0
   */
  updateObject(params: {
    /** The configuration class containing dynamic configuration objects. */
    configClass: string;
    /** The type of configuration object to create or update. */
    objectType: string;
    /** The unique identifier of the object to create or update. */
    id: string;
    /**
     * The body object should have a value that is a list of ConfigTuples, which provide the fields to update. Ex. [
     * { "attribute": "directmedia", "value": "false" } ].
     */
    fields?: readonly m.ConfigTuple[] | undefined;
  }): AriRequest<m.ConfigTuple[]> {
    return ariRequest('PUT', '/asterisk/config/dynamic/{configClass}/{objectType}/{id}', params, { bodyField: 'fields' });
  },

  /**
   * Delete a dynamic configuration object.
   * - 403: Could not delete object
   * - 404: {configClass|objectType|id} not found
   * @since 13.5.0
   */
  deleteObject(params: {
    /** The configuration class containing dynamic configuration objects. */
    configClass: string;
    /** The type of configuration object to delete. */
    objectType: string;
    /** The unique identifier of the object to delete. */
    id: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/asterisk/config/dynamic/{configClass}/{objectType}/{id}', params);
  },

  /**
   * Gets Asterisk system information.
   * @since 12.0.0
   */
  getInfo(params: {
    /** Filter information returned. */
    only?: 'build' | 'system' | 'config' | 'status' | readonly ('build' | 'system' | 'config' | 'status')[] | undefined;
  } = {}): AriRequest<m.AsteriskInfo> {
    return ariRequest('GET', '/asterisk/info', params, { query: ['only'] });
  },

  /**
   * Response pong message.
   * @since 13.25.0, 16.2.0
   */
  ping(): AriRequest<m.AsteriskPing> {
    return ariRequest('GET', '/asterisk/ping');
  },

  /**
   * List Asterisk modules.
   * @since 13.5.0
   */
  listModules(): AriRequest<m.Module[]> {
    return ariRequest('GET', '/asterisk/modules');
  },

  /**
   * Get Asterisk module information.
   * - 404: Module could not be found in running modules.
   * - 409: Module information could not be retrieved.
   * @since 13.5.0
   */
  getModule(params: {
    /** Module's name. */
    moduleName: string;
  }): AriRequest<m.Module> {
    return ariRequest('GET', '/asterisk/modules/{moduleName}', params);
  },

  /**
   * Load an Asterisk module.
   * - 409: Module could not be loaded.
   * @since 13.5.0
   */
  loadModule(params: {
    /** Module's name. */
    moduleName: string;
  }): AriRequest<void> {
    return ariRequest('POST', '/asterisk/modules/{moduleName}', params);
  },

  /**
   * Unload an Asterisk module.
   * - 404: Module not found in running modules.
   * - 409: Module could not be unloaded.
   * @since 13.5.0
   */
  unloadModule(params: {
    /** Module's name. */
    moduleName: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/asterisk/modules/{moduleName}', params);
  },

  /**
   * Reload an Asterisk module.
   * - 404: Module not found in running modules.
   * - 409: Module could not be reloaded.
   * @since 13.5.0
   */
  reloadModule(params: {
    /** Module's name. */
    moduleName: string;
  }): AriRequest<void> {
    return ariRequest('PUT', '/asterisk/modules/{moduleName}', params);
  },

  /**
   * Gets Asterisk log channel information.
   * @since 13.6.0
   */
  listLogChannels(): AriRequest<m.LogChannel[]> {
    return ariRequest('GET', '/asterisk/logging');
  },

  /**
   * Adds a log channel.
   * - 400: Bad request body
   * - 409: Log channel could not be created.
   * @since 13.6.0
   */
  addLog(params: {
    /** The log channel to add. */
    logChannelName: string;
    /** levels of the log channel. */
    configuration: string;
  }): AriRequest<void> {
    return ariRequest('POST', '/asterisk/logging/{logChannelName}', params, { query: ['configuration'] });
  },

  /**
   * Deletes a log channel.
   * - 404: Log channel does not exist.
   * @since 13.6.0
   */
  deleteLog(params: {
    /** Log channels name. */
    logChannelName: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/asterisk/logging/{logChannelName}', params);
  },

  /**
   * Rotates a log channel.
   * - 404: Log channel does not exist.
   * @since 13.6.0
   */
  rotateLog(params: {
    /** Log channel's name. */
    logChannelName: string;
  }): AriRequest<void> {
    return ariRequest('PUT', '/asterisk/logging/{logChannelName}/rotate', params);
  },

  /**
   * Get the value of a global variable.
   * - 400: Missing variable parameter.
   * @since 12.0.0
   */
  getGlobalVar(params: {
    /** The variable to get. */
    variable: string;
  }): AriRequest<m.Variable> {
    return ariRequest('GET', '/asterisk/variable', params, { query: ['variable'] });
  },

  /**
   * Set the value of a global variable.
   * - 400: Missing variable parameter.
   * @since 12.0.0
   */
  setGlobalVar(params: {
    /** The variable to set. */
    variable: string;
    /** The value to set the variable to. */
    value?: string | undefined;
  }): AriRequest<void> {
    return ariRequest('POST', '/asterisk/variable', params, { query: ['variable', 'value'] });
  },
};

export const endpoints = {
  /**
   * List all endpoints.
   * @since 12.0.0
   */
  list(): AriRequest<m.Endpoint[]> {
    return ariRequest('GET', '/endpoints');
  },

  /**
   * Send a message to some technology URI or endpoint.
   * - 400: Invalid parameters for sending a message.
   * - 404: Endpoint not found
   * @since 13.0.0
   */
  sendMessage(params: {
    /** The endpoint resource or technology specific URI to send the message to. Valid resources are pjsip, and xmpp. */
    to: string;
    /**
     * The endpoint resource or technology specific identity to send this message from. Valid resources are pjsip,
     * and xmpp.
     */
    from: string;
    /** The body of the message. */
    body?: string | undefined;
    variables?: Record<string, unknown> | undefined;
  }): AriRequest<void> {
    return ariRequest('PUT', '/endpoints/sendMessage', params, { query: ['to', 'from', 'body'], bodyField: 'variables' });
  },

  /**
   * Refer an endpoint or technology URI to some technology URI or endpoint.
   * - 400: Invalid parameters for referring.
   * - 404: Endpoint not found
   * @since 18.20.0, 20.5.0
   */
  refer(params: {
    /**
     * The endpoint resource or technology specific URI that should be referred to somewhere. Valid resource is
     * pjsip.
     */
    to: string;
    /** The endpoint resource or technology specific identity to refer from. */
    from: string;
    /** The endpoint resource or technology specific URI to refer to. */
    refer_to: string;
    /**
     * If true and "refer_to" refers to an Asterisk endpoint, the "refer_to" value is set to point to this Asterisk
     * endpoint - so the referee is referred to Asterisk. Otherwise, use the contact URI associated with the
     * endpoint. Default false.
     */
    to_self?: boolean | undefined;
    /**
     * The "variables" key in the body object holds technology specific key/value pairs to append to the message.
     * These can be interpreted and used by the various resource types; for example, the pjsip resource type will add
     * the key/value pairs as SIP headers. The "display_name" key is used by the PJSIP technology. Its value will be
     * prepended as a display name to the Refer-To URI.
     */
    variables?: Record<string, unknown> | undefined;
  }): AriRequest<void> {
    return ariRequest('POST', '/endpoints/refer', params, { query: ['to', 'from', 'refer_to', 'to_self'], bodyField: 'variables' });
  },

  /**
   * List available endoints for a given endpoint technology.
   * - 404: Endpoints not found
   * @since 12.0.0
   */
  listByTech(params: {
    /** Technology of the endpoints (pjsip,iax2,...). */
    tech: string;
  }): AriRequest<m.Endpoint[]> {
    return ariRequest('GET', '/endpoints/{tech}', params);
  },

  /**
   * Details for an endpoint.
   * - 400: Invalid parameters for sending a message.
   * - 404: Endpoints not found
   * @since 12.0.0
   */
  get(params: {
    /** Technology of the endpoint. */
    tech: string;
    /** ID of the endpoint. */
    resource: string;
  }): AriRequest<m.Endpoint> {
    return ariRequest('GET', '/endpoints/{tech}/{resource}', params);
  },

  /**
   * Send a message to some endpoint in a technology.
   * - 400: Invalid parameters for sending a message.
   * - 404: Endpoint not found
   * @since 13.0.0
   */
  sendMessageToEndpoint(params: {
    /** Technology of the endpoint. */
    tech: string;
    /** ID of the endpoint. */
    resource: string;
    /**
     * The endpoint resource or technology specific identity to send this message from. Valid resources are pjsip and
     * xmpp.
     */
    from: string;
    /** The body of the message. */
    body?: string | undefined;
    variables?: Record<string, unknown> | undefined;
  }): AriRequest<void> {
    return ariRequest('PUT', '/endpoints/{tech}/{resource}/sendMessage', params, { query: ['from', 'body'], bodyField: 'variables' });
  },

  /**
   * Refer an endpoint or technology URI to some technology URI or endpoint.
   * - 400: Invalid parameters for referring.
   * - 404: Endpoint not found
   * @since 18.20.0, 20.5.0
   */
  referToEndpoint(params: {
    /** Technology of the endpoint. */
    tech: string;
    /** ID of the endpoint. */
    resource: string;
    /** The endpoint resource or technology specific identity to refer from. */
    from: string;
    /** The endpoint resource or technology specific URI to refer to. */
    refer_to: string;
    /**
     * If true and "refer_to" refers to an Asterisk endpoint, the "refer_to" value is set to point to this Asterisk
     * endpoint - so the referee is referred to Asterisk. Otherwise, use the contact URI associated with the
     * endpoint. Default false.
     */
    to_self?: boolean | undefined;
    /**
     * The "variables" key in the body object holds technology specific key/value pairs to append to the message.
     * These can be interpreted and used by the various resource types; for example, the pjsip resource type will add
     * the key/value pairs as SIP headers,.
     */
    variables?: Record<string, unknown> | undefined;
  }): AriRequest<void> {
    return ariRequest('POST', '/endpoints/{tech}/{resource}/refer', params, { query: ['from', 'refer_to', 'to_self'], bodyField: 'variables' });
  },
};

export const channels = {
  /**
   * List all active channels in Asterisk.
   * @since 12.0.0
   */
  list(): AriRequest<m.Channel[]> {
    return ariRequest('GET', '/channels');
  },

  /**
   * Create a new channel (originate).
   * The new channel is created immediately and a snapshot of it returned. If a Stasis application is provided it
   * will be automatically subscribed to the originated channel for further events and updates.
   * - 400: Invalid parameters for originating a channel.
   * - 409: Channel with given unique ID already exists.
   * @since 12.0.0
   */
  originate(params: {
    /** Endpoint to call. */
    endpoint: string;
    /** The extension to dial after the endpoint answers. Mutually exclusive with 'app'. */
    extension?: string | undefined;
    /** The context to dial after the endpoint answers. If omitted, uses 'default'. Mutually exclusive with 'app'. */
    context?: string | undefined;
    /** The priority to dial after the endpoint answers. If omitted, uses 1. Mutually exclusive with 'app'. */
    priority?: number | undefined;
    /**
     * The label to dial after the endpoint answers. Will supersede 'priority' if provided. Mutually exclusive with
     * 'app'.
     */
    label?: string | undefined;
    /**
     * The application that is subscribed to the originated channel. When the channel is answered, it will be passed
     * to this Stasis application. Mutually exclusive with 'context', 'extension', 'priority', and 'label'.
     */
    app?: string | undefined;
    /**
     * The application arguments to pass to the Stasis application provided by 'app'. Mutually exclusive with
     * 'context', 'extension', 'priority', and 'label'.
     */
    appArgs?: string | undefined;
    /** CallerID to use when dialing the endpoint or extension. */
    callerId?: string | undefined;
    /** Timeout (in seconds) before giving up dialing, or -1 for no timeout. Default 30. */
    timeout?: number | undefined;
    /**
     * The "variables" key in the body object holds variable key/value pairs to set on the channel on creation. Each
     * variable value may be either a string or an object containing "value" (string) and optional "report_events"
     * (boolean) to include updates for that variable in channel events (defaults to false). Other keys in the body
     * object are interpreted as query parameters. Ex. { "endpoint": "SIP/Alice", "variables": { "CALLERID(name)":
     * "Alice", "Call_State": { "value": "WaitingForAgent", "report_events": true } } }.
     */
    variables?: Record<string, string | { value: string; report_events?: boolean | undefined }> | undefined;
    /** The unique id to assign the channel on creation. */
    channelId?: string | undefined;
    /** The unique id to assign the second channel when using local channels. */
    otherChannelId?: string | undefined;
    /** The unique id of the channel which is originating this one. */
    originator?: string | undefined;
    /**
     * The format name capability list to use if originator is not specified. Ex. "ulaw,slin16". Format names can be
     * found with "core show codecs".
     */
    formats?: string | undefined;
  }): AriRequest<m.Channel> {
    return ariRequest('POST', '/channels', params, { query: ['endpoint', 'extension', 'context', 'priority', 'label', 'app', 'appArgs', 'callerId', 'timeout', 'channelId', 'otherChannelId', 'originator', 'formats'], bodyField: 'variables' });
  },

  /**
   * Create channel.
   * - 409: Channel with given unique ID already exists.
   * @since 14.0.0
   */
  create(params: {
    /** Endpoint for channel communication. */
    endpoint: string;
    /** Stasis Application to place channel into. */
    app: string;
    /**
     * The application arguments to pass to the Stasis application provided by 'app'. Mutually exclusive with
     * 'context', 'extension', 'priority', and 'label'.
     */
    appArgs?: string | undefined;
    /** The unique id to assign the channel on creation. */
    channelId?: string | undefined;
    /** The unique id to assign the second channel when using local channels. */
    otherChannelId?: string | undefined;
    /** Unique ID of the calling channel. */
    originator?: string | undefined;
    /**
     * The format name capability list to use if originator is not specified. Ex. "ulaw,slin16". Format names can be
     * found with "core show codecs".
     */
    formats?: string | undefined;
    /**
     * The "variables" key in the body object holds variable key/value pairs to set on the channel on creation. Each
     * variable value may be either a string or an object containing "value" (string) and optional "report_events"
     * (boolean) to include updates for that variable in channel events (defaults to false). Other keys in the body
     * object are interpreted as query parameters. Ex. { "endpoint": "SIP/Alice", "variables": { "CALLERID(name)":
     * "Alice", "Call_State": { "value": "WaitingForAgent", "report_events": true } } }.
     */
    variables?: Record<string, string | { value: string; report_events?: boolean | undefined }> | undefined;
  }): AriRequest<m.Channel> {
    return ariRequest('POST', '/channels/create', params, { query: ['endpoint', 'app', 'appArgs', 'channelId', 'otherChannelId', 'originator', 'formats'], bodyField: 'variables' });
  },

  /**
   * Channel details.
   * - 404: Channel not found
   * @since 12.0.0
   */
  get(params: {
    /** Channel's id. */
    channelId: string;
  }): AriRequest<m.Channel> {
    return ariRequest('GET', '/channels/{channelId}', params);
  },

  /**
   * Create a new channel (originate with id).
   * The new channel is created immediately and a snapshot of it returned. If a Stasis application is provided it
   * will be automatically subscribed to the originated channel for further events and updates.
   * - 400: Invalid parameters for originating a channel.
   * - 409: Channel with given unique ID already exists.
   * @since 12.2.0
   */
  originateWithId(params: {
    /** The unique id to assign the channel on creation. */
    channelId: string;
    /** Endpoint to call. */
    endpoint: string;
    /** The extension to dial after the endpoint answers. Mutually exclusive with 'app'. */
    extension?: string | undefined;
    /** The context to dial after the endpoint answers. If omitted, uses 'default'. Mutually exclusive with 'app'. */
    context?: string | undefined;
    /** The priority to dial after the endpoint answers. If omitted, uses 1. Mutually exclusive with 'app'. */
    priority?: number | undefined;
    /**
     * The label to dial after the endpoint answers. Will supersede 'priority' if provided. Mutually exclusive with
     * 'app'.
     */
    label?: string | undefined;
    /**
     * The application that is subscribed to the originated channel. When the channel is answered, it will be passed
     * to this Stasis application. Mutually exclusive with 'context', 'extension', 'priority', and 'label'.
     */
    app?: string | undefined;
    /**
     * The application arguments to pass to the Stasis application provided by 'app'. Mutually exclusive with
     * 'context', 'extension', 'priority', and 'label'.
     */
    appArgs?: string | undefined;
    /** CallerID to use when dialing the endpoint or extension. */
    callerId?: string | undefined;
    /** Timeout (in seconds) before giving up dialing, or -1 for no timeout. Default 30. */
    timeout?: number | undefined;
    /**
     * The "variables" key in the body object holds variable key/value pairs to set on the channel on creation. Each
     * variable value may be either a string or an object containing "value" (string) and optional "report_events"
     * (boolean) to include updates for that variable in channel events (defaults to false). Other keys in the body
     * object are interpreted as query parameters. Ex. { "endpoint": "SIP/Alice", "variables": { "CALLERID(name)":
     * "Alice", "Call_State": { "value": "WaitingForAgent", "report_events": true } } }.
     */
    variables?: Record<string, string | { value: string; report_events?: boolean | undefined }> | undefined;
    /** The unique id to assign the second channel when using local channels. */
    otherChannelId?: string | undefined;
    /** The unique id of the channel which is originating this one. */
    originator?: string | undefined;
    /**
     * The format name capability list to use if originator is not specified. Ex. "ulaw,slin16". Format names can be
     * found with "core show codecs".
     */
    formats?: string | undefined;
  }): AriRequest<m.Channel> {
    return ariRequest('POST', '/channels/{channelId}', params, { query: ['endpoint', 'extension', 'context', 'priority', 'label', 'app', 'appArgs', 'callerId', 'timeout', 'otherChannelId', 'originator', 'formats'], bodyField: 'variables' });
  },

  /**
   * Delete (i.e. hangup) a channel.
   * - 400: Invalid reason for hangup provided
   * - 404: Channel not found
   * @since 12.0.0
   */
  hangup(params: {
    /** Channel's id. */
    channelId: string;
    /**
     * The reason code for hanging up the channel for detail use. Mutually exclusive with 'reason'. See detail hangup
     * codes at here. https://docs.asterisk.org/Configuration/Miscellaneous/Hangup-Cause-Mappings/.
     */
    reason_code?: string | undefined;
    /** Reason for hanging up the channel for simple use. Mutually exclusive with 'reason_code'. */
    reason?: 'normal' | 'busy' | 'congestion' | 'no_answer' | 'timeout' | 'rejected' | 'unallocated' | 'normal_unspecified' | 'number_incomplete' | 'codec_mismatch' | 'interworking' | 'failure' | 'answered_elsewhere' | undefined;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/channels/{channelId}', params, { query: ['reason_code', 'reason'] });
  },

  /**
   * Exit application; continue execution in the dialplan.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 12.0.0
   */
  continueInDialplan(params: {
    /** Channel's id. */
    channelId: string;
    /** The context to continue to. */
    context?: string | undefined;
    /** The extension to continue to. */
    extension?: string | undefined;
    /** The priority to continue to. */
    priority?: number | undefined;
    /** The label to continue to - will supersede 'priority' if both are provided. */
    label?: string | undefined;
  }): AriRequest<void> {
    return ariRequest('POST', '/channels/{channelId}/continue', params, { query: ['context', 'extension', 'priority', 'label'] });
  },

  /**
   * Move the channel from one Stasis application to another.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * @since 13.26.0, 16.3.0
   */
  move(params: {
    /** Channel's id. */
    channelId: string;
    /** The channel will be passed to this Stasis application. */
    app: string;
    /** The application arguments to pass to the Stasis application provided by 'app'. */
    appArgs?: string | undefined;
  }): AriRequest<void> {
    return ariRequest('POST', '/channels/{channelId}/move', params, { query: ['app', 'appArgs'] });
  },

  /**
   * Redirect the channel to a different location.
   * - 400: Endpoint parameter not provided
   * - 404: Channel or endpoint not found
   * - 409: Channel not in a Stasis application
   * - 422: Endpoint is not the same type as the channel
   * - 412: Channel in invalid state
   * @since 13.3.0
   */
  redirect(params: {
    /** Channel's id. */
    channelId: string;
    /** The endpoint to redirect the channel to. */
    endpoint: string;
  }): AriRequest<void> {
    return ariRequest('POST', '/channels/{channelId}/redirect', params, { query: ['endpoint'] });
  },

  /**
   * Answer a channel.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 12.0.0
   */
  answer(params: {
    /** Channel's id. */
    channelId: string;
  }): AriRequest<void> {
    return ariRequest('POST', '/channels/{channelId}/answer', params);
  },

  /**
   * Indicate ringing to a channel.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 12.0.0
   */
  ring(params: {
    /** Channel's id. */
    channelId: string;
  }): AriRequest<void> {
    return ariRequest('POST', '/channels/{channelId}/ring', params);
  },

  /**
   * Stop ringing indication on a channel if locally generated.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 12.0.0
   */
  ringStop(params: {
    /** Channel's id. */
    channelId: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/channels/{channelId}/ring', params);
  },

  /**
   * Indicate progress on a channel.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 22.6.0, 21.11.0, 20.16.0
   */
  progress(params: {
    /** Channel's id. */
    channelId: string;
  }): AriRequest<void> {
    return ariRequest('POST', '/channels/{channelId}/progress', params);
  },

  /**
   * Send provided DTMF to a given channel.
   * - 400: DTMF is required
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 12.0.0
   */
  sendDTMF(params: {
    /** Channel's id. */
    channelId: string;
    /** DTMF To send. */
    dtmf?: string | undefined;
    /** Amount of time to wait before DTMF digits (specified in milliseconds) start. Default 0. */
    before?: number | undefined;
    /** Amount of time in between DTMF digits (specified in milliseconds). Default 100. */
    between?: number | undefined;
    /** Length of each DTMF digit (specified in milliseconds). Default 100. */
    duration?: number | undefined;
    /** Amount of time to wait after DTMF digits (specified in milliseconds) end. Default 0. */
    after?: number | undefined;
  }): AriRequest<void> {
    return ariRequest('POST', '/channels/{channelId}/dtmf', params, { query: ['dtmf', 'before', 'between', 'duration', 'after'] });
  },

  /**
   * Mute a channel.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 12.0.0
   */
  mute(params: {
    /** Channel's id. */
    channelId: string;
    /** Direction in which to mute audio. Default both. */
    direction?: 'both' | 'in' | 'out' | undefined;
  }): AriRequest<void> {
    return ariRequest('POST', '/channels/{channelId}/mute', params, { query: ['direction'] });
  },

  /**
   * Unmute a channel.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 12.0.0
   */
  unmute(params: {
    /** Channel's id. */
    channelId: string;
    /** Direction in which to unmute audio. Default both. */
    direction?: 'both' | 'in' | 'out' | undefined;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/channels/{channelId}/mute', params, { query: ['direction'] });
  },

  /**
   * Hold a channel.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 12.0.0
   */
  hold(params: {
    /** Channel's id. */
    channelId: string;
  }): AriRequest<void> {
    return ariRequest('POST', '/channels/{channelId}/hold', params);
  },

  /**
   * Remove a channel from hold.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 12.0.0
   */
  unhold(params: {
    /** Channel's id. */
    channelId: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/channels/{channelId}/hold', params);
  },

  /**
   * Play music on hold to a channel.
   * Using media operations such as /play on a channel playing MOH in this manner will suspend MOH without resuming
   * automatically. If continuing music on hold is desired, the stasis application must reinitiate music on hold.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 12.0.0
   */
  startMoh(params: {
    /** Channel's id. */
    channelId: string;
    /** Music on hold class to use. */
    mohClass?: string | undefined;
  }): AriRequest<void> {
    return ariRequest('POST', '/channels/{channelId}/moh', params, { query: ['mohClass'] });
  },

  /**
   * Stop playing music on hold to a channel.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 12.0.0
   */
  stopMoh(params: {
    /** Channel's id. */
    channelId: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/channels/{channelId}/moh', params);
  },

  /**
   * Play silence to a channel.
   * Using media operations such as /play on a channel playing silence in this manner will suspend silence without
   * resuming automatically.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 12.0.0
   */
  startSilence(params: {
    /** Channel's id. */
    channelId: string;
  }): AriRequest<void> {
    return ariRequest('POST', '/channels/{channelId}/silence', params);
  },

  /**
   * Stop playing silence to a channel.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 12.0.0
   */
  stopSilence(params: {
    /** Channel's id. */
    channelId: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/channels/{channelId}/silence', params);
  },

  /**
   * Start playback of media.
   * The media URI may be any of a number of URI's. Currently sound:, recording:, number:, digits:, characters:,
   * and tone: URI's are supported. This operation creates a playback resource that can be used to control the
   * playback of media (pause, rewind, fast forward, etc.).
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 12.0.0
   */
  play(params: {
    /** Channel's id. */
    channelId: string;
    /** Media URIs to play. */
    media: string | readonly string[];
    /** For sounds, selects language for sound. */
    lang?: string | undefined;
    /**
     * Number of milliseconds to skip before playing. Only applies to the first URI if multiple media URIs are
     * specified.
     */
    offsetms?: number | undefined;
    /** Number of milliseconds to skip for forward/reverse operations. Default 3000. */
    skipms?: number | undefined;
    /** Playback ID. */
    playbackId?: string | undefined;
  }): AriRequest<m.Playback> {
    return ariRequest('POST', '/channels/{channelId}/play', params, { query: ['media', 'lang', 'offsetms', 'skipms', 'playbackId'] });
  },

  /**
   * Start playback of media and specify the playbackId.
   * The media URI may be any of a number of URI's. Currently sound:, recording:, number:, digits:, characters:,
   * and tone: URI's are supported. This operation creates a playback resource that can be used to control the
   * playback of media (pause, rewind, fast forward, etc.).
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 12.2.0
   */
  playWithId(params: {
    /** Channel's id. */
    channelId: string;
    /** Playback ID. */
    playbackId: string;
    /** Media URIs to play. */
    media: string | readonly string[];
    /** For sounds, selects language for sound. */
    lang?: string | undefined;
    /**
     * Number of milliseconds to skip before playing. Only applies to the first URI if multiple media URIs are
     * specified.
     */
    offsetms?: number | undefined;
    /** Number of milliseconds to skip for forward/reverse operations. Default 3000. */
    skipms?: number | undefined;
  }): AriRequest<m.Playback> {
    return ariRequest('POST', '/channels/{channelId}/play/{playbackId}', params, { query: ['media', 'lang', 'offsetms', 'skipms'] });
  },

  /**
   * Start a recording.
   * Record audio from a channel. Note that this will not capture audio sent to the channel. The bridge itself has
   * a record feature if that's what you want.
   * - 400: Invalid parameters
   * - 404: Channel not found
   * - 409: Channel is not in a Stasis application; the channel is currently bridged with other channels; A
   * recording with the same name already exists on the system and can not be overwritten because it is in progress
   * or ifExists=fail
   * - 422: The format specified is unknown on this system
   * @since 12.0.0
   */
  record(params: {
    /** Channel's id. */
    channelId: string;
    /** Recording's filename. */
    name: string;
    /** Format to encode audio in. */
    format: string;
    /** Maximum duration of the recording, in seconds. 0 for no limit. At least 0. Default 0. */
    maxDurationSeconds?: number | undefined;
    /** Maximum duration of silence, in seconds. 0 for no limit. At least 0. Default 0. */
    maxSilenceSeconds?: number | undefined;
    /** Action to take if a recording with the same name already exists. Default fail. */
    ifExists?: 'fail' | 'overwrite' | 'append' | undefined;
    /** Play beep when recording begins. Default false. */
    beep?: boolean | undefined;
    /** DTMF input to terminate recording. Default none. */
    terminateOn?: 'none' | 'any' | '*' | '#' | undefined;
  }): AriRequest<m.LiveRecording> {
    return ariRequest('POST', '/channels/{channelId}/record', params, { query: ['name', 'format', 'maxDurationSeconds', 'maxSilenceSeconds', 'ifExists', 'beep', 'terminateOn'] });
  },

  /**
   * Get the value of a channel variable or function.
   * - 400: Missing variable parameter.
   * - 404: Channel or variable not found
   * - 409: Channel not in a Stasis application
   * @since 12.0.0
   */
  getChannelVar(params: {
    /** Channel's id. */
    channelId: string;
    /** The channel variable or function to get. */
    variable: string;
  }): AriRequest<m.Variable> {
    return ariRequest('GET', '/channels/{channelId}/variable', params, { query: ['variable'] });
  },

  /**
   * Set the value of a channel variable or function.
   * - 400: Missing variable parameter.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * @since 12.0.0
   */
  setChannelVar(params: {
    /** Channel's id. */
    channelId: string;
    /** The channel variable or function to set. */
    variable: string;
    /** The value to set the variable to. */
    value?: string | undefined;
    /** Whether this variable should be included in channel events. Defaults to false. Default false. */
    report_events?: boolean | undefined;
  }): AriRequest<void> {
    return ariRequest('POST', '/channels/{channelId}/variable', params, { query: ['variable', 'value', 'report_events'] });
  },

  /**
   * Get the value of multiple channel variables or functions.
   * - 400: Missing variables parameter.
   * - 404: Channel or variable not found
   * - 409: Channel not in a Stasis application
   * @since 20.20.0, 22.10.0, 23.4.0
   */
  getChannelVars(params: {
    /** Channel's id. */
    channelId: string;
    /** The channel variables or functions to get. */
    variables: string | readonly string[];
  }): AriRequest<m.Variables> {
    return ariRequest('GET', '/channels/{channelId}/variables', params, { query: ['variables'] });
  },

  /**
   * Set the values of multiple channel variables or functions.
   * - 400: Missing variables parameter.
   * - 404: Channel not found
   * - 409: Channel not in a Stasis application
   * @since 20.20.0, 22.10.0, 23.4.0
   */
  setChannelVars(params: {
    /** Channel's id. */
    channelId: string;
    /**
     * The "variables" key in the body object holds variable key/value pairs to set on the channel. Each variable
     * value may be either a string or an object containing "value" (string) and optional "report_events" (boolean)
     * to include updates for that variable in channel events (defaults to false). Ex. { "variables": {
     * "CALLERID(name)": "Alice", "Call_State": { "value": "WaitingForAgent", "report_events": true } } }.
     */
    variables: Record<string, string | { value: string; report_events?: boolean | undefined }>;
  }): AriRequest<void> {
    return ariRequest('POST', '/channels/{channelId}/variables', params, { bodyField: 'variables' });
  },

  /**
   * Start snooping.
   * Snoop (spy/whisper) on a specific channel.
   * - 400: Invalid parameters
   * - 404: Channel not found
   * @since 12.0.0
   */
  snoopChannel(params: {
    /** Channel's id. */
    channelId: string;
    /** Direction of audio to spy on. Default none. */
    spy?: 'none' | 'both' | 'out' | 'in' | undefined;
    /** Direction of audio to whisper into. Default none. */
    whisper?: 'none' | 'both' | 'out' | 'in' | undefined;
    /** Application the snooping channel is placed into. */
    app: string;
    /** The application arguments to pass to the Stasis application. */
    appArgs?: string | undefined;
    /** Unique ID to assign to snooping channel. */
    snoopId?: string | undefined;
  }): AriRequest<m.Channel> {
    return ariRequest('POST', '/channels/{channelId}/snoop', params, { query: ['spy', 'whisper', 'app', 'appArgs', 'snoopId'] });
  },

  /**
   * Start snooping.
   * Snoop (spy/whisper) on a specific channel.
   * - 400: Invalid parameters
   * - 404: Channel not found
   * @since 12.2.0
   */
  snoopChannelWithId(params: {
    /** Channel's id. */
    channelId: string;
    /** Unique ID to assign to snooping channel. */
    snoopId: string;
    /** Direction of audio to spy on. Default none. */
    spy?: 'none' | 'both' | 'out' | 'in' | undefined;
    /** Direction of audio to whisper into. Default none. */
    whisper?: 'none' | 'both' | 'out' | 'in' | undefined;
    /** Application the snooping channel is placed into. */
    app: string;
    /** The application arguments to pass to the Stasis application. */
    appArgs?: string | undefined;
  }): AriRequest<m.Channel> {
    return ariRequest('POST', '/channels/{channelId}/snoop/{snoopId}', params, { query: ['spy', 'whisper', 'app', 'appArgs'] });
  },

  /**
   * Dial a created channel.
   * - 404: Channel cannot be found.
   * - 409: Channel cannot be dialed.
   * @since 14.0.0
   */
  dial(params: {
    /** Channel's id. */
    channelId: string;
    /** Channel ID of caller. */
    caller?: string | undefined;
    /** Dial timeout. At least 0. Default 0. */
    timeout?: number | undefined;
  }): AriRequest<void> {
    return ariRequest('POST', '/channels/{channelId}/dial', params, { query: ['caller', 'timeout'] });
  },

  /**
   * RTP stats on a channel.
   * - 404: Channel cannot be found.
   * @since 13.27.0, 16.4.0
   */
  rtpstatistics(params: {
    /** Channel's id. */
    channelId: string;
  }): AriRequest<m.RTPstat> {
    return ariRequest('GET', '/channels/{channelId}/rtp_statistics', params);
  },

  /**
   * Start an External Media session.
   * Create a channel to an External Media source/sink. The combination of transport and encapsulation will select
   * one of chan_rtp(udp/rtp), chan_audiosocket(tcp/audiosocket) or chan_websocket(websocket/none) channel drivers.
   * - 400: Invalid parameters
   * - 409: Channel is not in a Stasis application; Channel is already bridged
   * @since 16.6.0, 17.1.0
   */
  externalMedia(params: {
    /** The unique id to assign the channel on creation. */
    channelId?: string | undefined;
    /** Stasis Application to place channel into. */
    app: string;
    /**
     * The "variables" key in the body object holds variable key/value pairs to set on the channel on creation. Each
     * variable value may be either a string or an object containing "value" (string) and optional "report_events"
     * (boolean) to include updates for that variable in channel events (defaults to false). Other keys in the body
     * object are interpreted as query parameters. Ex. { "endpoint": "SIP/Alice", "variables": { "CALLERID(name)":
     * "Alice", "Call_State": { "value": "WaitingForAgent", "report_events": true } } }.
     */
    variables?: Record<string, string | { value: string; report_events?: boolean | undefined }> | undefined;
    /**
     * Hostname/ip:port or websocket_client connection ID of external host. May be empty for a websocket server
     * connection.
     */
    external_host?: string | undefined;
    /** Payload encapsulation protocol. Must be 'none' for the websocket transport. Default rtp. */
    encapsulation?: 'rtp' | 'audiosocket' | 'none' | undefined;
    /** Transport protocol. Default udp. */
    transport?: 'udp' | 'tcp' | 'websocket' | undefined;
    /** Connection type (client/server). 'server' is only valid for the websocket transport. Default client. */
    connection_type?: 'client' | 'server' | undefined;
    /** Format to encode audio in. */
    format: string;
    /** External media direction. Default both. */
    direction?: 'both' | undefined;
    /** An arbitrary data field. */
    data?: string | undefined;
    /** Transport-specific data. For websocket this is appended to the dialstring. */
    transport_data?: string | undefined;
  }): AriRequest<m.Channel> {
    return ariRequest('POST', '/channels/externalMedia', params, { query: ['channelId', 'app', 'external_host', 'encapsulation', 'transport', 'connection_type', 'format', 'direction', 'data', 'transport_data'], bodyField: 'variables' });
  },

  /**
   * Inform the channel about the progress of the attended/blind transfer.
   * - 400: Endpoint parameter not provided
   * - 404: Channel or endpoint not found
   * - 409: Channel not in a Stasis application
   * - 412: Channel in invalid state
   * @since 22.3.0, 21.8.0, 20.13.0
   */
  transfer_progress(params: {
    /** Channel's id. */
    channelId: string;
    /** The state of the progress. */
    states: string;
  }): AriRequest<void> {
    return ariRequest('POST', '/channels/{channelId}/transfer_progress', params, { query: ['states'] });
  },
};

export const bridges = {
  /**
   * List all active bridges in Asterisk.
   * @since 12.0.0
   */
  list(): AriRequest<m.Bridge[]> {
    return ariRequest('GET', '/bridges');
  },

  /**
   * Create a new bridge.
   * This bridge persists until it has been shut down, or Asterisk has been shut down.
   * - 409: Bridge with the same bridgeId already exists
   * @since 12.0.0
   */
  create(params: {
    /**
     * Comma separated list of bridge type attributes (mixing, holding, dtmf_events, proxy_media, video_sfu,
     * video_single, sdp_label).
     */
    type?: string | undefined;
    /** Unique ID to give to the bridge being created. */
    bridgeId?: string | undefined;
    /** Name to give to the bridge being created. */
    name?: string | undefined;
    /**
     * The "variables" key in the body object holds variable key/value pairs to set on the bridge on creation. Each
     * variable is an object containing "value" (string) and optional "report_events" (boolean) to include updates
     * for that variable in bridge events (defaults to false). Ex. { "name": "SupportBridge", "variables": {
     * "Bridge_State": { "value": "WaitingForAgent", "report_events": true } } }.
     */
    variables?: Record<string, string | { value: string; report_events?: boolean | undefined }> | undefined;
  } = {}): AriRequest<m.Bridge> {
    return ariRequest('POST', '/bridges', params, { query: ['type', 'bridgeId', 'name'], bodyField: 'variables' });
  },

  /**
   * Create a new bridge.
   * This bridge persists until it has been shut down, or Asterisk has been shut down.
   * - 409: Bridge with the same bridgeId already exists
   * @since 12.2.0
   */
  createWithId(params: {
    /**
     * Comma separated list of bridge type attributes (mixing, holding, dtmf_events, proxy_media, video_sfu,
     * video_single, sdp_label) to set.
     */
    type?: string | undefined;
    /** Unique ID to give to the bridge being created. */
    bridgeId: string;
    /** Set the name of the bridge. */
    name?: string | undefined;
    /**
     * The "variables" key in the body object holds variable key/value pairs to set on the bridge on creation. Each
     * variable is an object containing "value" (string) and optional "report_events" (boolean) to include updates
     * for that variable in bridge events (defaults to false). Ex. { "name": "SupportBridge", "variables": {
     * "Bridge_State": { "value": "WaitingForAgent", "report_events": true } } }.
     */
    variables?: Record<string, string | { value: string; report_events?: boolean | undefined }> | undefined;
  }): AriRequest<m.Bridge> {
    return ariRequest('POST', '/bridges/{bridgeId}', params, { query: ['type', 'name'], bodyField: 'variables' });
  },

  /**
   * Get bridge details.
   * - 404: Bridge not found
   * @since 12.0.0
   */
  get(params: {
    /** Bridge's id. */
    bridgeId: string;
  }): AriRequest<m.Bridge> {
    return ariRequest('GET', '/bridges/{bridgeId}', params);
  },

  /**
   * Shut down a bridge.
   * If any channels are in this bridge, they will be removed and resume whatever they were doing beforehand.
   * - 404: Bridge not found
   * @since 12.0.0
   */
  destroy(params: {
    /** Bridge's id. */
    bridgeId: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/bridges/{bridgeId}', params);
  },

  /**
   * Get the value of a bridge variable or function.
   * - 400: Missing variable parameter.
   * - 404: Bridge or variable not found
   * - 409: Bridge not in a Stasis application
   * @since 20.20.0, 22.10.0, 23.4.0
   */
  getBridgeVar(params: {
    /** Bridge's id. */
    bridgeId: string;
    /** The bridge variable or function to get. */
    variable: string;
  }): AriRequest<m.Variable> {
    return ariRequest('GET', '/bridges/{bridgeId}/variable', params, { query: ['variable'] });
  },

  /**
   * Set the value of a bridge variable or function.
   * - 400: Missing variable parameter.
   * - 404: Bridge not found
   * - 409: Bridge not in a Stasis application
   * @since 20.20.0, 22.10.0, 23.4.0
   */
  setBridgeVar(params: {
    /** Bridge's id. */
    bridgeId: string;
    /** The bridge variable or function to set. */
    variable: string;
    /** The value to set the variable to. */
    value?: string | undefined;
    /** Whether this variable should be included in bridge events. Defaults to false. Default false. */
    report_events?: boolean | undefined;
  }): AriRequest<void> {
    return ariRequest('POST', '/bridges/{bridgeId}/variable', params, { query: ['variable', 'value', 'report_events'] });
  },

  /**
   * Get the value of multiple bridge variables or functions.
   * - 400: Missing variables parameter.
   * - 404: Bridge or variable not found
   * - 409: Bridge not in a Stasis application
   * @since 20.20.0, 22.10.0, 23.4.0
   */
  getBridgeVars(params: {
    /** Bridge's id. */
    bridgeId: string;
    /** The bridge variables or functions to get. */
    variables: string | readonly string[];
  }): AriRequest<m.Variables> {
    return ariRequest('GET', '/bridges/{bridgeId}/variables', params, { query: ['variables'] });
  },

  /**
   * Set the values of multiple bridge variables or functions.
   * - 400: Missing variables parameter.
   * - 404: Bridge not found
   * - 409: Bridge not in a Stasis application
   * @since 20.20.0, 22.10.0, 23.4.0
   */
  setBridgeVars(params: {
    /** Bridge's id. */
    bridgeId: string;
    /**
     * The "variables" key in the body object holds variable key/value pairs to set on the bridge. Each variable
     * value may be either a string or an object containing "value" (string) and optional "report_events" (boolean)
     * to include updates for that variable in bridge events (defaults to false). Ex. { "variables": {
     * "Bridge_State": "WaitingForAgent", "Support_Level": { "value": "Premium", "report_events": true } } }.
     */
    variables: Record<string, string | { value: string; report_events?: boolean | undefined }>;
  }): AriRequest<void> {
    return ariRequest('POST', '/bridges/{bridgeId}/variables', params, { bodyField: 'variables' });
  },

  /**
   * Add a channel to a bridge.
   * - 400: Channel not found
   * - 404: Bridge not found
   * - 409: Bridge not in Stasis application; Channel currently recording
   * - 422: Channel not in Stasis application
   * @since 12.0.0
   */
  addChannel(params: {
    /** Bridge's id. */
    bridgeId: string;
    /** Ids of channels to add to bridge. */
    channel: string | readonly string[];
    /** Channel's role in the bridge. */
    role?: string | undefined;
    /** Absorb DTMF coming from this channel, preventing it to pass through to the bridge. Default false. */
    absorbDTMF?: boolean | undefined;
    /** Mute audio from this channel, preventing it to pass through to the bridge. Default false. */
    mute?: boolean | undefined;
    /** Do not present the identity of the newly connected channel to other bridge members. Default false. */
    inhibitConnectedLineUpdates?: boolean | undefined;
  }): AriRequest<void> {
    return ariRequest('POST', '/bridges/{bridgeId}/addChannel', params, { query: ['channel', 'role', 'absorbDTMF', 'mute', 'inhibitConnectedLineUpdates'] });
  },

  /**
   * Remove a channel from a bridge.
   * - 400: Channel not found
   * - 404: Bridge not found
   * - 409: Bridge not in Stasis application
   * - 422: Channel not in this bridge
   * @since 12.0.0
   */
  removeChannel(params: {
    /** Bridge's id. */
    bridgeId: string;
    /** Ids of channels to remove from bridge. */
    channel: string | readonly string[];
  }): AriRequest<void> {
    return ariRequest('POST', '/bridges/{bridgeId}/removeChannel', params, { query: ['channel'] });
  },

  /**
   * Set a channel as the video source in a multi-party mixing bridge. This operation has no effect on bridges with
   * two or fewer participants.
   * - 404: Bridge or Channel not found
   * - 409: Channel not in Stasis application
   * - 422: Channel not in this Bridge
   * @since 13.13.0, 14.2.0
   */
  setVideoSource(params: {
    /** Bridge's id. */
    bridgeId: string;
    /** Channel's id. */
    channelId: string;
  }): AriRequest<void> {
    return ariRequest('POST', '/bridges/{bridgeId}/videoSource/{channelId}', params);
  },

  /**
   * Removes any explicit video source in a multi-party mixing bridge. This operation has no effect on bridges with
   * two or fewer participants. When no explicit video source is set, talk detection will be used to determine the
   * active video stream.
   * - 404: Bridge not found
   * @since 13.13.0, 14.2.0
   */
  clearVideoSource(params: {
    /** Bridge's id. */
    bridgeId: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/bridges/{bridgeId}/videoSource', params);
  },

  /**
   * Play music on hold to a bridge or change the MOH class that is playing.
   * - 404: Bridge not found
   * - 409: Bridge not in Stasis application
   * @since 12.0.0
   */
  startMoh(params: {
    /** Bridge's id. */
    bridgeId: string;
    /** Channel's id. */
    mohClass?: string | undefined;
  }): AriRequest<void> {
    return ariRequest('POST', '/bridges/{bridgeId}/moh', params, { query: ['mohClass'] });
  },

  /**
   * Stop playing music on hold to a bridge.
   * This will only stop music on hold being played via POST bridges/{bridgeId}/moh.
   * - 404: Bridge not found
   * - 409: Bridge not in Stasis application
   * @since 12.0.0
   */
  stopMoh(params: {
    /** Bridge's id. */
    bridgeId: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/bridges/{bridgeId}/moh', params);
  },

  /**
   * Start playback of media on a bridge.
   * The media URI may be any of a number of URI's. Currently sound:, recording:, number:, digits:, characters:,
   * and tone: URI's are supported. This operation creates a playback resource that can be used to control the
   * playback of media (pause, rewind, fast forward, etc.).
   * - 404: Bridge not found
   * - 409: Bridge not in a Stasis application
   * - 422: The format specified is unknown on this system
   * @since 12.0.0
   */
  play(params: {
    /** Bridge's id. */
    bridgeId: string;
    /** Media URIs to play. */
    media: string | readonly string[];
    /**
     * Format of the 'Anouncer' channel attached to the bridge. Defaults to the format of the channel in the bridge
     * with the highest sampe rate.
     */
    announcer_format?: string | undefined;
    /** For sounds, selects language for sound. */
    lang?: string | undefined;
    /**
     * Number of milliseconds to skip before playing. Only applies to the first URI if multiple media URIs are
     * specified. At least 0. Default 0.
     */
    offsetms?: number | undefined;
    /** Number of milliseconds to skip for forward/reverse operations. At least 0. Default 3000. */
    skipms?: number | undefined;
    /** Playback Id. */
    playbackId?: string | undefined;
  }): AriRequest<m.Playback> {
    return ariRequest('POST', '/bridges/{bridgeId}/play', params, { query: ['media', 'announcer_format', 'lang', 'offsetms', 'skipms', 'playbackId'] });
  },

  /**
   * Start playback of media on a bridge.
   * The media URI may be any of a number of URI's. Currently sound:, recording:, number:, digits:, characters:,
   * and tone: URI's are supported. This operation creates a playback resource that can be used to control the
   * playback of media (pause, rewind, fast forward, etc.).
   * - 404: Bridge not found
   * - 409: Bridge not in a Stasis application
   * - 422: The format specified is unknown on this system
   * @since 12.3.0
   */
  playWithId(params: {
    /** Bridge's id. */
    bridgeId: string;
    /** Playback ID. */
    playbackId: string;
    /** Media URIs to play. */
    media: string | readonly string[];
    /**
     * Format of the 'Anouncer' channel attached to the bridge. Defaults to the format of the channel in the bridge
     * with the highest sampe rate.
     */
    announcer_format?: string | undefined;
    /** For sounds, selects language for sound. */
    lang?: string | undefined;
    /**
     * Number of milliseconds to skip before playing. Only applies to the first URI if multiple media URIs are
     * specified. At least 0. Default 0.
     */
    offsetms?: number | undefined;
    /** Number of milliseconds to skip for forward/reverse operations. At least 0. Default 3000. */
    skipms?: number | undefined;
  }): AriRequest<m.Playback> {
    return ariRequest('POST', '/bridges/{bridgeId}/play/{playbackId}', params, { query: ['media', 'announcer_format', 'lang', 'offsetms', 'skipms'] });
  },

  /**
   * Start a recording.
   * This records the mixed audio from all channels participating in this bridge.
   * - 400: Invalid parameters
   * - 404: Bridge not found
   * - 409: Bridge is not in a Stasis application; A recording with the same name already exists on the system and
   * can not be overwritten because it is in progress or ifExists=fail
   * - 422: The format specified is unknown on this system
   * @since 12.0.0
   */
  record(params: {
    /** Bridge's id. */
    bridgeId: string;
    /** Recording's filename. */
    name: string;
    /** Format to encode audio in. */
    format: string;
    /**
     * Format of the 'Recorder' channel attached to the bridge. Defaults to the same format as the 'format'
     * parameter.
     */
    recorder_format?: string | undefined;
    /** Maximum duration of the recording, in seconds. 0 for no limit. At least 0. Default 0. */
    maxDurationSeconds?: number | undefined;
    /** Maximum duration of silence, in seconds. 0 for no limit. At least 0. Default 0. */
    maxSilenceSeconds?: number | undefined;
    /** Action to take if a recording with the same name already exists. Default fail. */
    ifExists?: 'fail' | 'overwrite' | 'append' | undefined;
    /** Play beep when recording begins. Default false. */
    beep?: boolean | undefined;
    /** DTMF input to terminate recording. Default none. */
    terminateOn?: 'none' | 'any' | '*' | '#' | undefined;
  }): AriRequest<m.LiveRecording> {
    return ariRequest('POST', '/bridges/{bridgeId}/record', params, { query: ['name', 'format', 'recorder_format', 'maxDurationSeconds', 'maxSilenceSeconds', 'ifExists', 'beep', 'terminateOn'] });
  },
};

export const recordings = {
  /**
   * List recordings that are complete.
   * @since 12.0.0
   */
  listStored(): AriRequest<m.StoredRecording[]> {
    return ariRequest('GET', '/recordings/stored');
  },

  /**
   * Get a stored recording's details.
   * - 404: Recording not found
   * @since 12.0.0
   */
  getStored(params: {
    /** The name of the recording. */
    recordingName: string;
  }): AriRequest<m.StoredRecording> {
    return ariRequest('GET', '/recordings/stored/{recordingName}', params);
  },

  /**
   * Delete a stored recording.
   * - 404: Recording not found
   * @since 12.0.0
   */
  deleteStored(params: {
    /** The name of the recording. */
    recordingName: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/recordings/stored/{recordingName}', params);
  },

  /**
   * Get the file associated with the stored recording.
   * - 403: The recording file could not be opened
   * - 404: Recording not found
   * @since 14.0.0
   */
  getStoredFile(params: {
    /** The name of the recording. */
    recordingName: string;
  }): AriRequest<Uint8Array> {
    return ariRequest('GET', '/recordings/stored/{recordingName}/file', params);
  },

  /**
   * Copy a stored recording.
   * - 404: Recording not found
   * - 409: A recording with the same name already exists on the system
   * @since 12.5.0
   */
  copyStored(params: {
    /** The name of the recording to copy. */
    recordingName: string;
    /** The destination name of the recording. */
    destinationRecordingName: string;
  }): AriRequest<m.StoredRecording> {
    return ariRequest('POST', '/recordings/stored/{recordingName}/copy', params, { query: ['destinationRecordingName'] });
  },

  /**
   * List live recordings.
   * - 404: Recording not found
   * @since 12.0.0
   */
  getLive(params: {
    /** The name of the recording. */
    recordingName: string;
  }): AriRequest<m.LiveRecording> {
    return ariRequest('GET', '/recordings/live/{recordingName}', params);
  },

  /**
   * Stop a live recording and discard it.
   * - 404: Recording not found
   * @since 12.0.0
   */
  cancel(params: {
    /** The name of the recording. */
    recordingName: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/recordings/live/{recordingName}', params);
  },

  /**
   * Stop a live recording and store it.
   * - 404: Recording not found
   * @since 12.0.0
   */
  stop(params: {
    /** The name of the recording. */
    recordingName: string;
  }): AriRequest<void> {
    return ariRequest('POST', '/recordings/live/{recordingName}/stop', params);
  },

  /**
   * Pause a live recording.
   * Pausing a recording suspends silence detection, which will be restarted when the recording is unpaused. Paused
   * time is not included in the accounting for maxDurationSeconds.
   * - 404: Recording not found
   * - 409: Recording not in session
   * @since 12.0.0
   */
  pause(params: {
    /** The name of the recording. */
    recordingName: string;
  }): AriRequest<void> {
    return ariRequest('POST', '/recordings/live/{recordingName}/pause', params);
  },

  /**
   * Unpause a live recording.
   * - 404: Recording not found
   * - 409: Recording not in session
   * @since 12.0.0
   */
  unpause(params: {
    /** The name of the recording. */
    recordingName: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/recordings/live/{recordingName}/pause', params);
  },

  /**
   * Mute a live recording.
   * Muting a recording suspends silence detection, which will be restarted when the recording is unmuted.
   * - 404: Recording not found
   * - 409: Recording not in session
   * @since 12.0.0
   */
  mute(params: {
    /** The name of the recording. */
    recordingName: string;
  }): AriRequest<void> {
    return ariRequest('POST', '/recordings/live/{recordingName}/mute', params);
  },

  /**
   * Unmute a live recording.
   * - 404: Recording not found
   * - 409: Recording not in session
   * @since 12.0.0
   */
  unmute(params: {
    /** The name of the recording. */
    recordingName: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/recordings/live/{recordingName}/mute', params);
  },
};

export const sounds = {
  /**
   * List all sounds.
   * @since 12.0.0
   */
  list(params: {
    /** Lookup sound for a specific language. */
    lang?: string | undefined;
    /** Lookup sound in a specific format. */
    format?: string | undefined;
  } = {}): AriRequest<m.Sound[]> {
    return ariRequest('GET', '/sounds', params, { query: ['lang', 'format'] });
  },

  /**
   * Get a sound's details.
   * @since 12.0.0
   */
  get(params: {
    /** Sound's id. */
    soundId: string;
  }): AriRequest<m.Sound> {
    return ariRequest('GET', '/sounds/{soundId}', params);
  },
};

export const playbacks = {
  /**
   * Get a playback's details.
   * - 404: The playback cannot be found
   * @since 12.0.0
   */
  get(params: {
    /** Playback's id. */
    playbackId: string;
  }): AriRequest<m.Playback> {
    return ariRequest('GET', '/playbacks/{playbackId}', params);
  },

  /**
   * Stop a playback.
   * - 404: The playback cannot be found
   * @since 12.0.0
   */
  stop(params: {
    /** Playback's id. */
    playbackId: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/playbacks/{playbackId}', params);
  },

  /**
   * Control a playback.
   * - 400: The provided operation parameter was invalid
   * - 404: The playback cannot be found
   * - 409: The operation cannot be performed in the playback's current state
   * @since 12.0.0
   */
  control(params: {
    /** Playback's id. */
    playbackId: string;
    /** Operation to perform on the playback. */
    operation: 'restart' | 'pause' | 'unpause' | 'reverse' | 'forward';
  }): AriRequest<void> {
    return ariRequest('POST', '/playbacks/{playbackId}/control', params, { query: ['operation'] });
  },
};

export const deviceStates = {
  /**
   * List all ARI controlled device states.
   * @since 12.0.0
   */
  list(): AriRequest<m.DeviceState[]> {
    return ariRequest('GET', '/deviceStates');
  },

  /**
   * Retrieve the current state of a device.
   * @since 12.0.0
   */
  get(params: {
    /** Name of the device. */
    deviceName: string;
  }): AriRequest<m.DeviceState> {
    return ariRequest('GET', '/deviceStates/{deviceName}', params);
  },

  /**
   * Change the state of a device controlled by ARI. (Note - implicitly creates the device state).
   * - 404: Device name is missing
   * - 409: Uncontrolled device specified
   * @since 12.0.0
   */
  update(params: {
    /** Name of the device. */
    deviceName: string;
    /** Device state value. */
    deviceState: 'NOT_INUSE' | 'INUSE' | 'BUSY' | 'INVALID' | 'UNAVAILABLE' | 'RINGING' | 'RINGINUSE' | 'ONHOLD';
  }): AriRequest<void> {
    return ariRequest('PUT', '/deviceStates/{deviceName}', params, { query: ['deviceState'] });
  },

  /**
   * Destroy a device-state controlled by ARI.
   * - 404: Device name is missing
   * - 409: Uncontrolled device specified
   * @since 12.0.0
   */
  delete(params: {
    /** Name of the device. */
    deviceName: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/deviceStates/{deviceName}', params);
  },
};

export const mailboxes = {
  /**
   * List all mailboxes.
   * @since 12.1.0
   */
  list(): AriRequest<m.Mailbox[]> {
    return ariRequest('GET', '/mailboxes');
  },

  /**
   * Retrieve the current state of a mailbox.
   * - 404: Mailbox not found
   * @since 12.1.0
   */
  get(params: {
    /** Name of the mailbox. */
    mailboxName: string;
  }): AriRequest<m.Mailbox> {
    return ariRequest('GET', '/mailboxes/{mailboxName}', params);
  },

  /**
   * Change the state of a mailbox. (Note - implicitly creates the mailbox).
   * - 404: Mailbox not found
   * @since 12.1.0
   */
  update(params: {
    /** Name of the mailbox. */
    mailboxName: string;
    /** Count of old messages in the mailbox. */
    oldMessages: number;
    /** Count of new messages in the mailbox. */
    newMessages: number;
  }): AriRequest<void> {
    return ariRequest('PUT', '/mailboxes/{mailboxName}', params, { query: ['oldMessages', 'newMessages'] });
  },

  /**
   * Destroy a mailbox.
   * - 404: Mailbox not found
   * @since 12.1.0
   */
  delete(params: {
    /** Name of the mailbox. */
    mailboxName: string;
  }): AriRequest<void> {
    return ariRequest('DELETE', '/mailboxes/{mailboxName}', params);
  },
};

export const events = {
  /**
   * Generate a user event.
   * - 404: Application does not exist.
   * - 422: Event source not found.
   * - 400: Invalid even tsource URI or userevent data.
   * @since 12.3.0
   */
  userEvent(params: {
    /** Event name. */
    eventName: string;
    /** The name of the application that will receive this event. */
    application: string;
    /**
     * URI for event source (channel:{channelId}, bridge:{bridgeId}, endpoint:{tech}/{resource},
     * deviceState:{deviceName}.
     */
    source?: string | readonly string[] | undefined;
    /**
     * The "variables" key in the body object holds custom key/value pairs to add to the user event. Ex. {
     * "variables": { "key": "value" } }.
     */
    variables?: Record<string, unknown> | undefined;
  }): AriRequest<void> {
    return ariRequest('POST', '/events/user/{eventName}', params, { query: ['application', 'source'], bodyField: 'variables' });
  },

  /**
   * Claim a broadcast channel for this application.
   * Atomically claims a channel that is in broadcast state. Only the first claim succeeds.
   * - 404: Channel not found or not in broadcast state.
   * - 409: Channel has already been claimed by another application.
   * @since 20.17.0, 22.7.0, 23.1.0
   */
  claimChannel(params: {
    /** The ID of the channel to claim. */
    channelId: string;
    /** The name of the application claiming the channel. */
    application: string;
  }): AriRequest<void> {
    return ariRequest('POST', '/events/claim', params, { query: ['channelId', 'application'] });
  },
};

export const applications = {
  /**
   * List all applications.
   * @since 13.0.0
   */
  list(): AriRequest<m.Application[]> {
    return ariRequest('GET', '/applications');
  },

  /**
   * Get details of an application.
   * - 404: Application does not exist.
   * @since 13.0.0
   */
  get(params: {
    /** Application's name. */
    applicationName: string;
  }): AriRequest<m.Application> {
    return ariRequest('GET', '/applications/{applicationName}', params);
  },

  /**
   * Subscribe an application to a event source.
   * Returns the state of the application after the subscriptions have changed.
   * - 400: Missing parameter.
   * - 404: Application does not exist.
   * - 422: Event source does not exist.
   * @since 13.0.0
   */
  subscribe(params: {
    /** Application's name. */
    applicationName: string;
    /**
     * URI for event source (channel:{channelId}, bridge:{bridgeId}, endpoint:{tech}[/{resource}],
     * deviceState:{deviceName}.
     */
    eventSource: string | readonly string[];
  }): AriRequest<m.Application> {
    return ariRequest('POST', '/applications/{applicationName}/subscription', params, { query: ['eventSource'] });
  },

  /**
   * Unsubscribe an application from an event source.
   * Returns the state of the application after the subscriptions have changed.
   * - 400: Missing parameter; event source scheme not recognized.
   * - 404: Application does not exist.
   * - 409: Application not subscribed to event source.
   * - 422: Event source does not exist.
   * @since 13.0.0
   */
  unsubscribe(params: {
    /** Application's name. */
    applicationName: string;
    /**
     * URI for event source (channel:{channelId}, bridge:{bridgeId}, endpoint:{tech}[/{resource}],
     * deviceState:{deviceName}.
     */
    eventSource: string | readonly string[];
  }): AriRequest<m.Application> {
    return ariRequest('DELETE', '/applications/{applicationName}/subscription', params, { query: ['eventSource'] });
  },

  /**
   * Filter application events types.
   * Allowed and/or disallowed event type filtering can be done. The body (parameter) should specify a JSON
   * key/value object that describes the type of event filtering needed. One, or both of the following keys can be
   * designated:<br /><br />"allowed" - Specifies an allowed list of event types<br />"disallowed" - Specifies a
   * disallowed list of event types<br /><br />Further, each of those key's value should be a JSON array that holds
   * zero, or more JSON key/value objects. Each of these objects must contain the following key with an associated
   * value:<br /><br />"type" - The type name of the event to filter<br /><br />The value must be the string name
   * (case sensitive) of the event type that needs filtering. For example:<br /><br />{ "allowed": [ { "type":
   * "StasisStart" }, { "type": "StasisEnd" } ] }<br /><br />As this specifies only an allowed list, then only
   * those two event type messages are sent to the application. No other event messages are sent.<br /><br />The
   * following rules apply:<br /><br />* If the body is empty, both the allowed and disallowed filters are set
   * empty.<br />* If both list types are given then both are set to their respective values (note, specifying an
   * empty array for a given type sets that type to empty).<br />* If only one list type is given then only that
   * type is set. The other type is not updated.<br />* An empty "allowed" list means all events are allowed.<br
   * />* An empty "disallowed" list means no events are disallowed.<br />* Disallowed events take precedence over
   * allowed events if the event type is specified in both lists.
   * - 400: Bad request.
   * - 404: Application does not exist.
   * @since 13.26.0, 16.3.0
   */
  filter(params: {
    /** Application's name. */
    applicationName: string;
    /** Specify which event types to allow/disallow. */
    filter?: { allowed?: readonly { type: string }[] | undefined; disallowed?: readonly { type: string }[] | undefined } | undefined;
  }): AriRequest<m.Application> {
    return ariRequest('PUT', '/applications/{applicationName}/eventFilter', params, { body: 'filter' });
  },
};
