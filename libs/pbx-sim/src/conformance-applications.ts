import type { ConformanceCase } from './conformance-case.ts';

const APP = 'bot';

/** Which application is told what, over which socket. */
export const applicationCases: readonly ConformanceCase[] = [
  {
    title: 'another application that is subscribed to a channel hears of its end, and why',
    async run(stage) {
      await stage.connect(APP);
      await stage.connect('mirror');
      const { id } = await stage.call();
      await stage.rest(`POST applications/mirror/subscription?eventSource=channel:${id}`);
      await stage.rest(`POST channels/${id}/answer`);
      await stage.rest(`DELETE channels/${id}?reason=busy`, { until: 'ChannelDestroyed' });
    },
    expected: `
  bot: StasisStart caller []
POST applications/mirror/subscription?eventSource=channel:caller -> 200
POST channels/caller/answer -> 204
  bot: ChannelStateChange caller Up
  mirror: ChannelStateChange caller Up
DELETE channels/caller?reason=busy -> 204
  bot: ChannelHangupRequest caller cause 32 soft
  bot: StasisEnd caller
  mirror: ChannelHangupRequest caller cause 32 soft
  mirror: ChannelVarset caller STASISSTATUS=SUCCESS
  mirror: ChannelHangupRequest caller cause 16 soft
  mirror: ChannelDestroyed caller cause 17 User busy`,
  },
  {
    title: 'a newer socket takes the application over; the older is told, and its close takes nothing away',
    async run(stage) {
      await stage.connect(APP, 'older');
      await stage.connect(APP, 'newer');
      await stage.settle();
      const { id } = await stage.call();
      const ping = await stage.overSocket('older', 'GET asterisk/ping');
      stage.note(`the older one may still ask: ${ping.status}`);
      await stage.disconnect('older');
      await stage.rest(`POST channels/${id}/answer`);
      await stage.rest(`GET applications/${APP}`);
    },
    expected: `
  older: ApplicationReplaced
  newer: StasisStart caller []
the older one may still ask: 200
POST channels/caller/answer -> 204
  newer: ChannelStateChange caller Up
GET applications/bot -> 200`,
  },
  {
    title: 'a socket that was away is told of its calls again, and not what it missed',
    async run(stage) {
      await stage.connect(APP, 'first');
      const { id } = await stage.call();
      await stage.disconnect('first');
      await stage.rest(`POST channels/${id}/answer`);
      await stage.connect(APP, 'second');
      await stage.rest(`POST channels/${id}/play/p1?media=sound:beep`, { until: 'PlaybackFinished' });
      await stage.rest(`DELETE channels/${id}`, { until: 'StasisEnd' });
    },
    expected: `
  first: StasisStart caller []
POST channels/caller/answer -> 204
POST channels/caller/play/p1?media=sound:beep -> 201
  second: PlaybackStarted p1 sound:beep playing
  second: PlaybackFinished p1 sound:beep done
DELETE channels/caller -> 204
  second: ChannelHangupRequest caller cause 32 soft
  second: StasisEnd caller`,
  },
  {
    title: 'an event filter holds what it names back',
    async run(stage) {
      await stage.connect(APP);
      await stage.rest(`PUT applications/${APP}/eventFilter`, {
        body: { disallowed: [{ type: 'ChannelStateChange' }, { type: 'ChannelVarset' }] },
      });
      const { id } = await stage.call();
      await stage.rest(`POST channels/${id}/answer`);
      await stage.rest(`POST channels/${id}/variable?variable=X&value=1`);
      await stage.rest(`GET channels/${id}/variable?variable=X`);
      await stage.rest(`GET channels/${id}/variable?variable=Y`);
    },
    expected: `
PUT applications/bot/eventFilter -> 200
  bot: StasisStart caller []
POST channels/caller/answer -> 204
POST channels/caller/variable?variable=X&value=1 -> 204
GET channels/caller/variable?variable=X -> 200
GET channels/caller/variable?variable=Y -> 404 Provided variable was not found`,
  },
];
