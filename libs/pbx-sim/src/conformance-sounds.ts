import type { ConformanceCase } from './conformance-case.ts';

const APP = 'bot';

/** What a call hears, and who hears and records it. */
export const soundCases: readonly ConformanceCase[] = [
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
