import { z } from 'zod';
import { type AsteriskVersion, parseAsteriskVersion } from './asterisk-version.ts';
import { AriUnexpectedError } from './errors.ts';
import { asterisk } from './generated/operations.gen.ts';
import { type AriRequest, ariRequest } from './request.ts';
import type { AriRequester } from './requester.ts';
import { type AriResponse, expectOk } from './response.ts';

/** What one Asterisk can do beyond plain ARI. */
export interface AriFeatures {
  /** Requests over the event socket. */
  readonly restOverWebSocket: boolean;
  /** Asterisk dials the application. */
  readonly outboundWebSocket: boolean;
  /** `externalMedia` over a WebSocket. */
  readonly chanWebSocket: boolean;
  /** Its JSON control messages, MARK_MEDIA, `transport_data`. */
  readonly chanWebSocketJson: boolean;
  /** StasisBroadcast with claims, and variables with `report_events`. */
  readonly stasisBroadcast: boolean;
  /** A read-only user cannot write: GHSA-wcvv-g26m-wx5c is fixed. The floor for all the newer modes. */
  readonly readOnlyEnforced: boolean;
}

type Release = readonly [major: number, minor: number, patch: number];

/** First release of each branch with the feature. Later branches have it; 21, which ended before most of them, is taken not to. */
const SINCE: Readonly<Record<keyof AriFeatures, readonly Release[]>> = {
  restOverWebSocket: [
    [20, 14, 0],
    [22, 4, 0],
    [23, 0, 0],
  ],
  outboundWebSocket: [
    [20, 15, 0],
    [22, 5, 0],
    [23, 0, 0],
  ],
  chanWebSocket: [
    [20, 16, 0],
    [22, 6, 0],
    [23, 0, 0],
  ],
  chanWebSocketJson: [
    [20, 18, 0],
    [22, 8, 0],
    [23, 2, 0],
  ],
  stasisBroadcast: [
    [20, 20, 0],
    [22, 10, 0],
    [23, 4, 0],
  ],
  readOnlyEnforced: [
    [20, 20, 1],
    [22, 10, 1],
    [23, 4, 1],
  ],
};

/** What the api-docs of an Asterisk show of its features. */
export interface DocumentedFeatures {
  /** Names of the models in `events.json`. */
  readonly models: ReadonlySet<string>;
  /** Names of the parameters of `externalMedia`. */
  readonly mediaParameters: ReadonlySet<string>;
  /** Values that `externalMedia` allows for `transport`. */
  readonly mediaTransports: ReadonlySet<string>;
}

/**
 * The features of a release. Where its api-docs are at hand they decide, since they hold for patched packages and builds from git too;
 * what no document shows, a fix, goes by the release's number. A version that names no release has what its docs show.
 */
export function featuresOf({ release }: AsteriskVersion, docs?: DocumentedFeatures): AriFeatures {
  const released = (feature: keyof AriFeatures) => release !== undefined && isSince(release, SINCE[feature]);
  return {
    restOverWebSocket: docs?.models.has('RESTRequest') ?? released('restOverWebSocket'),
    outboundWebSocket: docs?.models.has('ApplicationRegistered') ?? released('outboundWebSocket'),
    chanWebSocket: docs?.mediaTransports.has('websocket') ?? released('chanWebSocket'),
    chanWebSocketJson: docs?.mediaParameters.has('transport_data') ?? released('chanWebSocketJson'),
    stasisBroadcast: docs?.models.has('CallBroadcast') ?? released('stasisBroadcast'),
    readOnlyEnforced: released('readOnlyEnforced'),
  };
}

/** An Asterisk that has said who it is. */
export interface KnownAsterisk {
  readonly version: AsteriskVersion;
  readonly entityId: string | undefined;
  readonly features: AriFeatures;
}

const SystemInfo = z.object({ system: z.object({ version: z.string(), entity_id: z.string().optional() }) });

/**
 * Asks an Asterisk who it is, for its version, `entityid` and api-docs. Packages may leave the api-docs out; then the version alone
 * decides.
 * @throws AriError; AriUnexpectedError where it is no Asterisk
 */
export async function readFeatures(ari: AriRequester): Promise<KnownAsterisk> {
  const answer = await ari.request(asterisk.getInfo({ only: 'system' }));
  const info = SystemInfo.safeParse(expectOk(answer));
  if (!info.success)
    throw new AriUnexpectedError(`${answer.url} does not answer GET /asterisk/info as an Asterisk does`, {
      url: answer.url,
    });
  const { version: text, entity_id: entityId } = info.data.system;
  const version = parseAsteriskVersion(text);
  const events = await ari.request(apiDocs('events.json'));
  const channels = await ari.request(apiDocs('channels.json'));
  return { version, entityId, features: featuresOf(version, documentedFeatures(events, channels)) };
}

const EventDocs = z.object({ models: z.record(z.string(), z.unknown()) });

const ChannelDocs = z.object({
  apis: z.array(
    z.object({
      path: z.string(),
      operations: z.array(
        z.object({
          parameters: z
            .array(
              z.object({
                name: z.string(),
                allowableValues: z.object({ values: z.array(z.string()).default([]) }).optional(),
              }),
            )
            .default([]),
        }),
      ),
    }),
  ),
});

function documentedFeatures(
  events: AriResponse<unknown>,
  channels: AriResponse<unknown>,
): DocumentedFeatures | undefined {
  const eventDocs = EventDocs.safeParse(events.body);
  const channelDocs = ChannelDocs.safeParse(channels.body);
  if (!events.ok || !channels.ok || !eventDocs.success || !channelDocs.success) return undefined;
  const media = channelDocs.data.apis
    .filter(({ path }) => path === '/channels/externalMedia')
    .flatMap(({ operations }) => operations.flatMap(({ parameters }) => parameters));
  return {
    models: new Set(Object.keys(eventDocs.data.models)),
    mediaParameters: new Set(media.map(({ name }) => name)),
    mediaTransports: new Set(media.find(({ name }) => name === 'transport')?.allowableValues?.values),
  };
}

/** The api-docs are served beside the resources they describe, over the event socket too. */
function apiDocs(file: string): AriRequest<unknown> {
  return ariRequest('GET', `/api-docs/${file}`);
}

function isSince(release: Release, since: readonly Release[]): boolean {
  const newest = Math.max(...since.map(([major]) => major));
  const [major, minor, patch] = release;
  if (major > newest) return true;
  const first = since.find(([branch]) => branch === major);
  return first !== undefined && (minor > first[1] || (minor === first[1] && patch >= first[2]));
}
