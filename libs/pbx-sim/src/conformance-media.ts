import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { AudioSocketReader, audioFrame } from '@callfleet/media';
import { WebSocket } from 'ws';
import type { ConformanceCase } from './conformance-case.ts';
import type { ConformanceStage } from './conformance-stage.ts';

const UUID = '0b6d2c2e-0a3f-4b7e-9c55-3c7c6f2e1a11';

/** A caller, answered and in a bridge. */
async function bridgedCaller(stage: ConformanceStage) {
  await stage.connect('bot');
  const call = await stage.call();
  await stage.ask(`POST channels/${call.id}/answer`);
  await stage.ask('POST bridges/b1?type=mixing');
  await stage.settle();
  stage.lines.length = 0;
  return call;
}

function leg(parameters: Readonly<Record<string, string>>): string {
  return `POST channels/externalMedia?${new URLSearchParams({ app: 'bot', channelId: 'm1', ...parameters })}`;
}

async function makeLeg(stage: ConformanceStage, parameters: Readonly<Record<string, string>>, until?: string) {
  const { status, body } = await stage.ask(leg(parameters));
  const { channelvars = {} } = body as { channelvars?: Record<string, string> };
  const names = Object.keys(channelvars).filter((name) => name !== 'STASISSTATUS');
  stage.note(`externalMedia -> ${status} ${names.sort().join(' ')}`);
  await stage.settle(until);
  return channelvars;
}

const BRIDGED = `
POST bridges/b1/addChannel?channel=caller,m1 -> 204
  bot: ChannelEnteredBridge caller in b1 of 1
  bot: ChannelEnteredBridge m1 in b1 of 2
hears itself: true`;

const OVER = `
DELETE channels/m1 -> 204
  bot: ChannelHangupRequest m1 cause 32 soft
  bot: ChannelLeftBridge m1 in b1 of 1
  bot: StasisEnd m1
  bot: ChannelVarset m1 STASISSTATUS=SUCCESS
  bot: ChannelDestroyed m1 cause 16 Normal Clearing`;

async function bridge(stage: ConformanceStage, { id, caller }: Awaited<ReturnType<typeof bridgedCaller>>) {
  await stage.rest(`POST bridges/b1/addChannel?channel=${id},m1`);
  stage.note(`hears itself: ${await caller.hearsItself()}`);
}

/** A leg of each transport, whose other end sends back what it hears. */
export const mediaCases: readonly ConformanceCase[] = [
  {
    title: 'RTP: the leg is there at once; its caller hears itself',
    async run(stage) {
      const call = await bridgedCaller(stage);
      const echo = createSocket('udp4');
      echo.bind(0, '127.0.0.1');
      await once(echo, 'listening');
      stage.onEnd(() => echo.close());
      let peer = 0;
      echo.on('message', (datagram, from) => {
        // Its audio alone: a payload type of 0.
        if (((datagram[1] as number) & 0x7f) === 0) echo.send(datagram, from.port, from.address);
        peer = from.port;
      });
      const variables = await makeLeg(
        stage,
        { external_host: `127.0.0.1:${echo.address().port}`, format: 'ulaw' },
        'StasisStart m1',
      );
      await bridge(stage, call);
      stage.note(`its audio comes from where it said: ${peer === Number(variables.UNICASTRTP_LOCAL_PORT)}`);
      const again = await stage.ask(leg({ external_host: `127.0.0.1:${echo.address().port}`, format: 'ulaw' }));
      stage.note(`made again -> ${again.status}`);
      await stage.rest('DELETE channels/m1', { until: 'ChannelDestroyed m1' });
    },
    expected: `
externalMedia -> 200 UNICASTRTP_LOCAL_ADDRESS UNICASTRTP_LOCAL_PORT
  bot: Dial m1 begins
  bot: ChannelStateChange m1 Up
  bot: Dial m1 ANSWER
  bot: ChannelVarset m1 STASISSTATUS=
  bot: StasisStart m1 []${BRIDGED}
its audio comes from where it said: true
made again -> 500${OVER}`,
  },
  {
    title: 'WebSocket: the leg waits for its peer, is played what it is sent, and tells when',
    async run(stage) {
      const call = await bridgedCaller(stage);
      const variables = await makeLeg(stage, {
        external_host: 'INCOMING',
        encapsulation: 'none',
        transport: 'websocket',
        connection_type: 'server',
        transport_data: 'f(json)',
        format: 'ulaw',
      });
      await stage.rest('POST bridges/b1/addChannel?channel=m1');
      const id = variables.MEDIA_WEBSOCKET_CONNECTION_ID;
      const socket = new WebSocket(`${stage.pbx.httpUrl.replace('http', 'ws')}/media/${id}`, 'media');
      const told: Array<Record<string, unknown>> = [];
      socket.on('message', (data: Buffer, isBinary) => {
        if (isBinary) socket.send(data);
        else told.push(JSON.parse(data.toString()));
      });
      await once(socket, 'open');
      await stage.settle('StasisStart m1');
      await bridge(stage, call);
      call.caller.press('7');
      await stage.settle('ChannelDtmfReceived');
      for (const command of [
        { command: 'FLUSH_MEDIA' },
        { command: 'MARK_MEDIA', correlation_id: 'one' },
        { command: 'GET_STATUS' },
      ])
        socket.send(JSON.stringify(command));
      await stage.settle();
      const events = told.map(({ event }) => event).filter((event) => event !== 'MEDIA_XON');
      const [start] = told;
      const key = told.find(({ event }) => event === 'DTMF_END');
      const mark = told.find(({ event }) => event === 'MEDIA_MARK_PROCESSED');
      // The mark is passed by another thread than the one that tells of the queue.
      stage.note(`told: ${[...events.slice(0, 2), ...events.slice(2).sort()].join(' ')}`);
      stage.note(`frames of ${start?.optimal_frame_size}, ${start?.format}, id ${start?.connection_id === id}`);
      stage.note(`key ${key?.digit}, mark ${mark?.correlation_id}`);
      socket.close(1000);
      await stage.settle('ChannelDestroyed m1');
    },
    expected: `
externalMedia -> 200 MEDIA_WEBSOCKET_CONNECTION_ID MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE
  bot: Dial m1 begins
POST bridges/b1/addChannel?channel=m1 -> 422 Channel not in Stasis application
  bot: ChannelStateChange m1 Up
  bot: Dial m1 ANSWER
  bot: ChannelVarset m1 STASISSTATUS=
  bot: StasisStart m1 []${BRIDGED}
  bot: ChannelDtmfReceived caller 7
told: MEDIA_START DTMF_END MEDIA_MARK_PROCESSED STATUS
frames of 160, ulaw, id true
key 7, mark one
  bot: ChannelHangupRequest m1
  bot: ChannelLeftBridge m1 in b1 of 1
  bot: StasisEnd m1
  bot: ChannelVarset m1 STASISSTATUS=SUCCESS
  bot: ChannelDestroyed m1 cause 16 Normal Clearing`,
  },
  {
    title: 'AudioSocket: the PBX connects, and says whose audio it is first',
    async run(stage) {
      const call = await bridgedCaller(stage);
      const kinds: string[] = [];
      const server = createServer((socket) => {
        const reader = new AudioSocketReader();
        socket.on('error', () => {});
        socket.on('data', (chunk) => {
          for (const frame of reader.read(chunk)) {
            const kind = frame.kind === 'uuid' ? `uuid ${frame.uuid === UUID}` : frame.kind;
            if (kinds.at(-1) !== kind) kinds.push(kind);
            if (frame.kind === 'audio') socket.write(audioFrame(frame.sampleRate, frame.audio));
          }
        });
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      stage.onEnd(() => server.close());
      const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      const asked = { encapsulation: 'audiosocket', transport: 'tcp', connection_type: 'client', format: 'slin' };
      await makeLeg(stage, { ...asked, external_host: host, data: UUID }, 'StasisStart m1');
      await bridge(stage, call);
      await stage.rest('DELETE channels/m1', { until: 'ChannelDestroyed m1' });
      stage.note(`it sent: ${kinds.join(', ')}`);
      server.close();
      const nobody = await stage.ask(leg({ ...asked, external_host: host, data: UUID, channelId: 'm2' }));
      stage.note(`to nobody -> ${nobody.status}`);
    },
    expected: `
externalMedia -> 200 AUDIOSOCKET_SERVICE AUDIOSOCKET_UUID
  bot: Dial m1 begins
  bot: ChannelStateChange m1 Up
  bot: Dial m1 ANSWER
  bot: ChannelVarset m1 STASISSTATUS=
  bot: StasisStart m1 ["${UUID}"]${BRIDGED}${OVER}
it sent: uuid true, audio
to nobody -> 500`,
  },
];
