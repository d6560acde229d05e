import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { MediaEnds, type MediaEndsReport } from './media-ends.ts';

const closing: Array<() => void> = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Two callers on RTP whose packets a relay answers as `answer` says. */
async function twoCallers(answer: (send: (to: number, packet: Buffer) => void, packet: Buffer, from: number) => void) {
  const ends = await MediaEnds.start('rtp');
  closing.push(() => ends.stop());
  const legs = (await ends.add(2)).map(({ UNICASTRTP_LOCAL_PORT }) => Number(UNICASTRTP_LOCAL_PORT));
  const relays = legs.map(() => createSocket('udp4'));
  for (const [n, socket] of relays.entries()) {
    closing.push(() => socket.close());
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    socket.on('message', (packet: Buffer, _from: RemoteInfo) =>
      answer((to, back) => relays[to]?.send(back, legs[to], '127.0.0.1'), packet, n),
    );
  }
  ends.meet(relays.map((socket) => ({ external_host: `127.0.0.1:${socket.address().port}` })));
  ends.begin(10_000);
  return ends;
}

async function until(ends: MediaEnds, holds: (report: MediaEndsReport) => boolean): Promise<MediaEndsReport> {
  while (!holds(ends.report)) await new Promise((resolve) => setTimeout(resolve, 20));
  return ends.report;
}

test('callers who hear themselves find nothing wrong', async () => {
  const ends = await twoCallers((send, packet, from) => send(from, packet));
  const report = await until(ends, ({ listenedTo }) => listenedTo === 2);
  expect(report).toMatchObject({
    lostPackets: 0,
    repeatedPackets: 0,
    missing: 0,
    repeated: 0,
    foreign: 0,
    wrongTone: 0,
  });
});

test('callers who hear each other find it out, by marks and by tones', async () => {
  const ends = await twoCallers((send, packet, from) => send(1 - from, packet));
  const report = await until(ends, ({ foreign }) => foreign > 50);
  expect(report.echoed).toBe(0);
  // Of a stranger's tone too: marks are no part of it.
  expect(report.wrongTone).toBe(2);
});

test('packets that never come, and that come twice, are counted', async () => {
  let count = 0;
  const ends = await twoCallers((send, packet, from) => {
    if (from === 1) return;
    count += 1;
    if (count % 5 === 0) return;
    send(from, packet);
    if (count % 7 === 0) send(from, packet);
  });
  const report = await until(ends, ({ lostPackets, repeatedPackets }) => lostPackets > 0 && repeatedPackets > 0);
  expect(report.missing).toBeGreaterThan(0);
  expect(report.repeated).toBeGreaterThan(0);
});
