import type { ConformanceCase } from './conformance-case.ts';

const APP = 'bot';

/** Calls that come, are made, end and go back, and what is refused. */
export const callCases: readonly ConformanceCase[] = [
  {
    title: 'what is not there is refused, each in its own words',
    async run(stage) {
      await stage.connect(APP);
      for (const request of [
        'GET applications/nobody',
        'GET nonsense',
        'GET channels/none',
        'POST channels/none/answer',
        'DELETE channels/none',
        'GET bridges/none',
        'DELETE bridges/none',
        'POST bridges/none/addChannel?channel=none',
        'GET playbacks/none',
        'DELETE playbacks/none',
        'POST recordings/live/none/stop',
        'GET channels/none/variable?variable=X',
        `POST applications/${APP}/subscription?eventSource=channel:none`,
        `POST applications/${APP}/subscription?eventSource=bogus:none`,
        'POST applications/nobody/subscription?eventSource=channel:none',
        'POST channels?app=bot',
        'POST channels/create?endpoint=Bogus/x&app=bot',
        'POST channels/externalMedia?app=bot&format=ulaw',
        'POST channels/externalMedia?app=bot&format=nope&external_host=127.0.0.1:9',
        'PATCH channels',
      ])
        await stage.rest(request);
    },
    expected: `
GET applications/nobody -> 404 Application not found
GET nonsense -> 404 Resource not found
GET channels/none -> 404 Channel not found
POST channels/none/answer -> 404 Channel not found
DELETE channels/none -> 404 Channel not found
GET bridges/none -> 404 Bridge not found
DELETE bridges/none -> 404 Bridge not found
POST bridges/none/addChannel?channel=none -> 404 Bridge not found
GET playbacks/none -> 404 Playback not found
DELETE playbacks/none -> 404 Playback not found
POST recordings/live/none/stop -> 404 Recording not found
GET channels/none/variable?variable=X -> 404 Provided channel was not found
POST applications/bot/subscription?eventSource=channel:none -> 422 Event source does not exist
POST applications/bot/subscription?eventSource=bogus:none -> 400 Invalid event source URI scheme
POST applications/nobody/subscription?eventSource=channel:none -> 404 Application not found
POST channels?app=bot -> 400 Endpoint must be specified
POST channels/create?endpoint=Bogus/x&app=bot -> 500 Allocation failed
POST channels/externalMedia?app=bot&format=ulaw -> 400 external_host is required for all but websocket server connections
POST channels/externalMedia?app=bot&format=nope&external_host=127.0.0.1:9 -> 500 An internal error prevented this request from being handled
PATCH channels -> 405 Invalid method`,
  },
  {
    title: 'a call comes, is answered, hears a sound, presses a key, and is hung up by the application',
    async run(stage) {
      await stage.connect(APP);
      const { id, caller } = await stage.call();
      await stage.settle();
      await stage.rest(`POST channels/${id}/ring`);
      await stage.rest(`POST channels/${id}/answer`);
      await stage.rest(`POST channels/${id}/answer`);
      await stage.rest(`POST channels/${id}/play/p1?media=sound:beep`, { until: 'PlaybackFinished' });
      caller.press('5');
      await stage.settle('ChannelDtmfReceived');
      await stage.rest(`DELETE channels/${id}`, { until: 'StasisEnd' });
      await stage.rest(`DELETE channels/${id}`);
    },
    expected: `
  bot: StasisStart caller []
POST channels/caller/ring -> 204
POST channels/caller/answer -> 204
  bot: ChannelStateChange caller Up
POST channels/caller/answer -> 204
POST channels/caller/play/p1?media=sound:beep -> 201
  bot: PlaybackStarted p1 sound:beep playing
  bot: PlaybackFinished p1 sound:beep done
  bot: ChannelDtmfReceived caller 5
DELETE channels/caller -> 204
  bot: ChannelHangupRequest caller cause 32 soft
  bot: StasisEnd caller
DELETE channels/caller -> 404 Channel not found`,
  },
  {
    title: 'a caller who goes before it is answered was cancelled',
    async run(stage) {
      await stage.connect(APP);
      const { caller } = await stage.call();
      await caller.hangUp();
      await stage.settle('StasisEnd');
    },
    expected: `
  bot: StasisStart caller []
  bot: ChannelHangupRequest caller cause 127
  bot: StasisEnd caller`,
  },
  {
    title: 'a call that is given back goes to the fallback, and takes no command any more',
    async run(stage) {
      await stage.connect(APP);
      const { id } = await stage.call();
      await stage.rest(`POST channels/${id}/variable?variable=CALLFLEET_STATUS&value=failed`);
      await stage.rest(`POST channels/${id}/continue`, { until: 'StasisEnd' });
      await stage.rest(`POST channels/${id}/answer`);
      const { dialplan, state } = (await stage.ask(`GET channels/${id}`)).body as {
        state: string;
        dialplan: { context: string; app_name: string };
      };
      stage.note(`${state} in ${dialplan.context}, ${dialplan.app_name}`);
    },
    expected: `
  bot: StasisStart caller []
POST channels/caller/variable?variable=CALLFLEET_STATUS&value=failed -> 204
  bot: ChannelVarset caller CALLFLEET_STATUS=failed
POST channels/caller/continue -> 204
  bot: StasisEnd caller
POST channels/caller/answer -> 409 Channel not in Stasis application
Up in callfleet-fallback, Wait`,
  },
  {
    title: 'somebody is dialled, and answers',
    async run(stage) {
      await stage.connect(APP);
      const endpoint = await stage.pbx.endpoint('answers');
      const query = new URLSearchParams({ endpoint, app: APP, appArgs: 'leg,1', channelId: 'leg1' });
      const made = await stage.ask(`POST channels/create?${query}`);
      stage.note(`create -> ${made.status}`);
      await stage.settle('StasisStart');
      stage.note(`create again -> ${(await stage.ask(`POST channels/create?${query}`)).status}`);
      await stage.rest('POST channels/leg1/dial?timeout=10', { until: 'ANSWER' });
      await stage.rest('POST channels/leg1/dial');
      await stage.rest('DELETE channels/leg1', { until: 'ChannelDestroyed' });
    },
    expected: `
create -> 200
  bot: ChannelDialplan leg1 Stasis(bot,leg,1)
  bot: ChannelVarset leg1 STASISSTATUS=
  bot: StasisStart leg1 ["leg","1"]
create again -> 409
POST channels/leg1/dial?timeout=10 -> 204
  bot: Dial leg1 begins
  bot: ChannelStateChange leg1 Ringing
  bot: Dial leg1 RINGING
  bot: ChannelStateChange leg1 Up
  bot: Dial leg1 ANSWER
POST channels/leg1/dial -> 409 Channel is not in the 'Down' state
DELETE channels/leg1 -> 204
  bot: ChannelHangupRequest leg1 cause 32 soft
  bot: StasisEnd leg1
  bot: ChannelVarset leg1 STASISSTATUS=SUCCESS
  bot: ChannelDestroyed leg1 cause 16 Normal Clearing`,
  },
  {
    title: 'somebody is dialled who is busy',
    async run(stage) {
      await stage.connect(APP);
      const endpoint = await stage.pbx.endpoint('busy');
      await stage.ask(`POST channels/create?${new URLSearchParams({ endpoint, app: APP, channelId: 'leg1' })}`);
      await stage.settle('StasisStart');
      await stage.rest('POST channels/leg1/dial?timeout=10', { until: 'ChannelDestroyed' });
    },
    expected: `
  bot: ChannelDialplan leg1 Stasis(bot)
  bot: ChannelVarset leg1 STASISSTATUS=
  bot: StasisStart leg1 []
POST channels/leg1/dial?timeout=10 -> 204
  bot: Dial leg1 begins
  bot: ChannelHangupRequest leg1 cause 17
  bot: StasisEnd leg1
  bot: ChannelVarset leg1 STASISSTATUS=SUCCESS
  bot: ChannelDestroyed leg1 cause 17 User busy`,
  },
];
