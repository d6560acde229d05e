import { randomUUID } from 'node:crypto';
import { type Answer, created, NO_CONTENT, ok, Refusal } from './answer.ts';
import type { Bridges } from './bridges.ts';
import type { Parameters } from './parameters.ts';
import type { Playbacks } from './playbacks.ts';
import type { Recordings } from './recordings.ts';
import type { Ids, Routes } from './rest-routes.ts';

export interface BridgeRoutesParts {
  readonly bridges: Bridges;
  readonly playbacks: Playbacks;
  readonly recordings: Recordings;
}

/** `/bridges`, `/playbacks` and `/recordings` of ARI. */
export function bridgeRoutes({ bridges, playbacks, recordings }: BridgeRoutesParts): Routes {
  const create = ({ bridgeId }: Ids, parameters: Parameters) =>
    ok(
      bridges.create(
        bridgeId ?? parameters.text('bridgeId') ?? randomUUID(),
        parameters.text('name') ?? '',
        parameters.text('type') ?? 'mixing',
      ),
    );
  const play = ({ bridgeId = '', playbackId }: Ids, parameters: Parameters) => {
    const bridge = bridges.get(bridgeId);
    const media = parameters.list('media');
    if (media.length === 0) throw new Refusal(400, 'media is required');
    const sound = (uri: string | undefined) => {
      for (const member of bridge.members) member.end.sound?.(uri);
    };
    const id = playbackId ?? parameters.text('playbackId') ?? randomUUID();
    return created(playbacks.play(id, media, { source: bridge.source, control: bridge.control, sound }));
  };
  const live = (act: (name: string) => void) => (ids: Ids) => {
    act(ids.recordingName as string);
    return NO_CONTENT;
  };

  return {
    'GET bridges': () => ok(bridges.list()),
    'POST bridges': create,
    'POST bridges/{bridgeId}': create,
    'GET bridges/{bridgeId}': ({ bridgeId = '' }) => ok(bridges.get(bridgeId)),
    'DELETE bridges/{bridgeId}': ({ bridgeId = '' }) => {
      bridges.destroy(bridges.get(bridgeId));
      return NO_CONTENT;
    },
    'POST bridges/{bridgeId}/addChannel': ({ bridgeId = '' }, parameters) =>
      noContent(bridges.addChannels(bridges.get(bridgeId), parameters.list('channel'))),
    'POST bridges/{bridgeId}/removeChannel': ({ bridgeId = '' }, parameters) =>
      noContent(bridges.removeChannels(bridges.get(bridgeId), parameters.list('channel'))),
    'POST bridges/{bridgeId}/play': play,
    'POST bridges/{bridgeId}/play/{playbackId}': play,
    'POST bridges/{bridgeId}/record': ({ bridgeId = '' }, parameters) => {
      const bridge = bridges.get(bridgeId);
      const name = parameters.required('name', 'Missing recording name');
      const format = parameters.required('format', 'Missing recording format');
      const maxMs = parameters.number('maxDurationSeconds', 0) * 1000;
      return created(recordings.record(name, format, maxMs, parameters.text('ifExists') === 'overwrite', bridge));
    },
    'GET playbacks/{playbackId}': ({ playbackId = '' }) => ok(playbacks.get(playbackId)),
    'DELETE playbacks/{playbackId}': ({ playbackId = '' }) => {
      playbacks.get(playbackId).stop();
      return NO_CONTENT;
    },
    'GET recordings/live/{recordingName}': ({ recordingName = '' }) => ok(recordings.live(recordingName)),
    'DELETE recordings/live/{recordingName}': live((name) => recordings.live(name).cancel()),
    'POST recordings/live/{recordingName}/stop': live((name) => recordings.live(name).stop()),
    'POST recordings/live/{recordingName}/pause': live((name) => recordings.live(name).pause()),
    'DELETE recordings/live/{recordingName}/pause': live((name) => recordings.live(name).unpause()),
    'GET recordings/stored': () => ok([...recordings.stored].map(([name, format]) => ({ name, format }))),
  };
}

function noContent(result: Promise<unknown> | undefined): Answer | Promise<Answer> {
  return result ? result.then(() => NO_CONTENT) : NO_CONTENT;
}
