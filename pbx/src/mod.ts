/** The PBX's side of Callfleet: what stands in its configuration files. Pure text from a configuration. */
export { type DialplanOptions, dialplanFor } from './dialplan.ts';
export { DIALPLAN_MODULES, requiredModules } from './modules.ts';
export { outboundAriConf } from './outbound.ts';
export { pbxSide, VARIANTS, type Variant } from './pbx-side.ts';
export { websocketClientConf } from './websocket-client.ts';
