import type { ConformanceStage } from './conformance-stage.ts';

/** Something that is done to a PBX, and what is to come of it, line for line. */
export interface ConformanceCase {
  readonly title: string;
  readonly run: (stage: ConformanceStage) => Promise<void>;
  readonly expected: string;
}

const APP = 'bot';

/** Calls, sounds and bridges: what needs no media but the caller's own. */
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
    title: 'a caller hangs up in a bridge; its application stays subscribed to the bridge',
    async run(stage) {
      await stage.connect(APP);
      const { id, caller } = await stage.call();
      await stage.rest(`POST channels/${id}/answer`);
      await stage.rest('POST bridges/b1?type=mixing');
      await stage.rest(`POST bridges/b1/addChannel?channel=${id}`);
      await caller.hangUp();
      await stage.settle('StasisEnd');
      await stage.rest('DELETE bridges/b1', { until: 'BridgeDestroyed' });
    },
    expected: `
  bot: StasisStart caller []
POST channels/caller/answer -> 204
  bot: ChannelStateChange caller Up
POST bridges/b1?type=mixing -> 200
POST bridges/b1/addChannel?channel=caller -> 204
  bot: ChannelEnteredBridge caller in b1 of 1
  bot: ChannelHangupRequest caller
  bot: ChannelLeftBridge caller in b1 of 0
  bot: StasisEnd caller
DELETE bridges/b1 -> 204
  bot: BridgeDestroyed in b1 of 0`,
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
    title: 'a bridge takes whom it can, and says why not',
    async run(stage) {
      await stage.connect(APP);
      const { id } = await stage.call();
      await stage.rest(`POST channels/${id}/answer`);
      await stage.rest('POST bridges/b1?type=mixing');
      await stage.rest('POST bridges?type=mixing&bridgeId=b1');
      await stage.rest('POST bridges/b1/addChannel?channel=none');
      await stage.rest(`POST bridges/b1/removeChannel?channel=${id}`);
      await stage.rest(`POST bridges/b1/addChannel?channel=${id}`);
      await stage.rest(`POST bridges/b1/addChannel?channel=${id}`);
      await stage.rest(`POST bridges/b1/removeChannel?channel=${id}`);
      await stage.rest('DELETE bridges/b1');
      await stage.rest('POST bridges/b2?type=holding');
      await stage.rest(`POST bridges/b2/addChannel?channel=${id}`);
      await stage.rest('DELETE bridges/b2');
    },
    expected: `
  bot: StasisStart caller []
POST channels/caller/answer -> 204
  bot: ChannelStateChange caller Up
POST bridges/b1?type=mixing -> 200
POST bridges?type=mixing&bridgeId=b1 -> 409 Bridge with id 'b1' already exists
POST bridges/b1/addChannel?channel=none -> 400 Channel not found
POST bridges/b1/removeChannel?channel=caller -> 422 Channel not in this bridge
POST bridges/b1/addChannel?channel=caller -> 204
  bot: ChannelEnteredBridge caller in b1 of 1
POST bridges/b1/addChannel?channel=caller -> 204
  bot: ChannelLeftBridge caller in b1 of 0
  bot: ChannelEnteredBridge caller in b1 of 1
POST bridges/b1/removeChannel?channel=caller -> 204
  bot: ChannelLeftBridge caller in b1 of 0
DELETE bridges/b1 -> 204
POST bridges/b2?type=holding -> 200
POST bridges/b2/addChannel?channel=caller -> 204
  bot: ChannelEnteredBridge caller in b2 of 1
DELETE bridges/b2 -> 204
  bot: ChannelLeftBridge caller in b2 of 0`,
  },
  {
    title: 'sounds are played one after the other, and stopped; a missing one fails',
    async run(stage) {
      await stage.connect(APP);
      const { id } = await stage.call();
      await stage.rest(`POST channels/${id}/answer`);
      await stage.rest(`POST channels/${id}/play/p1?media=tone:ring`);
      await stage.rest(`POST channels/${id}/play/p2?media=sound:beep,sound:beep`);
      await stage.rest('GET playbacks/p2');
      await stage.rest('DELETE playbacks/p1', { until: 'PlaybackFinished p2' });
      await stage.rest('GET playbacks/p2');
      await stage.rest(`POST channels/${id}/play/p3?media=sound:nope`, { until: 'PlaybackFinished p3' });
      await stage.rest(`POST channels/${id}/play/p4?media=tone:ring`);
      await stage.rest(`DELETE channels/${id}`, { until: 'StasisEnd' });
    },
    expected: `
  bot: StasisStart caller []
POST channels/caller/answer -> 204
  bot: ChannelStateChange caller Up
POST channels/caller/play/p1?media=tone:ring -> 201
  bot: PlaybackStarted p1 tone:ring playing
POST channels/caller/play/p2?media=sound:beep,sound:beep -> 201
GET playbacks/p2 -> 200
DELETE playbacks/p1 -> 204
  bot: PlaybackFinished p1 tone:ring done
  bot: PlaybackStarted p2 sound:beep playing
  bot: PlaybackContinuing p2 sound:beep continuing
  bot: PlaybackStarted p2 sound:beep playing
  bot: PlaybackFinished p2 sound:beep done
GET playbacks/p2 -> 404 Playback not found
POST channels/caller/play/p3?media=sound:nope -> 201
  bot: PlaybackStarted p3 sound:nope playing
  bot: PlaybackFinished p3 sound:nope failed
POST channels/caller/play/p4?media=tone:ring -> 201
  bot: PlaybackStarted p4 tone:ring playing
DELETE channels/caller -> 204
  bot: ChannelHangupRequest caller cause 32 soft
  bot: PlaybackFinished p4 tone:ring failed
  bot: StasisEnd caller`,
  },
  {
    title: 'a command waits for the sound that plays, and all requests of its socket with it',
    async run(stage) {
      await stage.connect(APP);
      const { id } = await stage.call();
      await stage.rest(`POST channels/${id}/answer`);
      await stage.rest(`POST channels/${id}/play/p1?media=tone:ring`);
      const answers: string[] = [];
      const answered = (what: string) => () => void answers.push(what);
      const first = stage.overSocket(APP, `POST channels/${id}/variable?variable=X&value=1`).then(answered('variable'));
      const second = stage.overSocket(APP, 'GET asterisk/ping').then(answered('ping'));
      await stage.settle();
      stage.note(`answered while it plays: ${answers.join(', ') || 'nothing'}`);
      await stage.rest('DELETE playbacks/p1', { until: 'PlaybackFinished' });
      await Promise.all([first, second]);
      stage.note(`answered after it: ${answers.join(', ')}`);
    },
    expected: `
  bot: StasisStart caller []
POST channels/caller/answer -> 204
  bot: ChannelStateChange caller Up
POST channels/caller/play/p1?media=tone:ring -> 201
  bot: PlaybackStarted p1 tone:ring playing
answered while it plays: nothing
DELETE playbacks/p1 -> 204
  bot: PlaybackFinished p1 tone:ring done
  bot: ChannelVarset caller X=1
answered after it: variable, ping`,
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
  {
    title: 'a call is recorded, snooped on, and both end with it',
    async run(stage) {
      await stage.connect(APP);
      const { id } = await stage.call();
      await stage.rest(`POST channels/${id}/answer`);
      const name = 'r1';
      const status = async (request: string) => (await stage.ask(request)).status;
      stage.note(`record -> ${await status(`POST channels/${id}/record?name=${name}&format=wav`)}`);
      stage.note(`again -> ${await status(`POST channels/${id}/record?name=${name}&format=wav`)}`);
      stage.note(`pause -> ${await status(`POST recordings/live/${name}/pause`)}`);
      stage.note(`go on -> ${await status(`DELETE recordings/live/${name}/pause`)}`);
      stage.note(`stop -> ${await status(`POST recordings/live/${name}/stop`)}`);
      stage.note(`stop again -> ${await status(`POST recordings/live/${name}/stop`)}`);
      await stage.rest(`POST channels/${id}/snoop/s1?app=${APP}`);
      await stage.rest(`POST channels/${id}/snoop/s1?app=${APP}&spy=in`, { until: 'StasisStart' });
      await stage.rest(`POST channels/${id}/snoop/s1?app=${APP}&spy=in`);
      await stage.rest('DELETE channels/s1', { until: 'StasisEnd' });
    },
    expected: `
  bot: StasisStart caller []
POST channels/caller/answer -> 204
  bot: ChannelStateChange caller Up
record -> 201
again -> 409
pause -> 204
go on -> 204
stop -> 204
stop again -> 404
POST channels/caller/snoop/s1?app=bot -> 400 Direction must be specified for at least spy or whisper
  bot: RecordingStarted r1 recording
  bot: RecordingFinished r1 done
POST channels/caller/snoop/s1?app=bot&spy=in -> 200
  bot: StasisStart s1 []
POST channels/caller/snoop/s1?app=bot&spy=in -> 500 Snoop channel could not be created
DELETE channels/s1 -> 204
  bot: ChannelHangupRequest s1 cause 32 soft
  bot: StasisEnd s1`,
  },
];
