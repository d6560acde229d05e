import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type AudioSocketFrame, audioFrame, hangupFrame, keyFrame, uuidFrame } from '@callfleet/media';
import { SimulatedTime } from '@callfleet/media/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { AudioSocketServer } from './audiosocket-server.ts';

const UUID = 'f2a5fd18-87f0-4c2e-9a3d-6d3f0f4c1a55';
const closers: Array<() => Promise<void> | void> = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function listening() {
  const time = new SimulatedTime();
  const server = await AudioSocketServer.listen({ bindAddress: '127.0.0.1', port: 0, time });
  closers.push(() => server.close());
  const owner = { sockets: [] as Socket[], frames: [] as AudioSocketFrame[], ends: [] as string[] };
  const stopExpecting = server.expect(UUID, {
    connected: (socket) => owner.sockets.push(socket),
    frame: (frame) => owner.frames.push(frame),
    gone: (detail) => owner.ends.push(detail),
  });
  const call = (...bytes: Uint8Array[]) => {
    const socket = connect(server.port, '127.0.0.1');
    closers.push(() => {
      socket.destroy();
    });
    const got: Buffer[] = [];
    socket.on('data', (chunk) => got.push(chunk));
    socket.on('error', () => {});
    for (const each of bytes) socket.write(each);
    return {
      socket,
      refused: async () => {
        if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
        expect(Buffer.concat(got)).toEqual(Buffer.from(hangupFrame()));
      },
    };
  };
  return { server, time, owner, call, stopExpecting };
}

describe('the AudioSocket server', () => {
  test('gives a connection to the session whose UUID it names, with all that follows', async () => {
    const { owner, call, server } = await listening();
    call(uuidFrame(UUID), keyFrame('1'));
    await vi.waitFor(() => expect(owner.frames).toEqual([{ kind: 'key', key: '1' }]));
    expect(owner.sockets).toHaveLength(1);
    expect(server.refused).toBe(0);
  });

  test('hangs up on who names no session, or says something else first', async () => {
    const { owner, call, server } = await listening();
    await call(uuidFrame(UUID.replace('f', '0'))).refused();
    await call(audioFrame(8000, new Uint8Array(320)), uuidFrame(UUID)).refused();
    await call(keyFrame('1')).refused();
    expect(server.refused).toBe(3);
    expect(owner).toEqual({ sockets: [], frames: [], ends: [] });
  });

  test('takes a UUID for one connection only', async () => {
    const { owner, call } = await listening();
    call(uuidFrame(UUID));
    await vi.waitFor(() => expect(owner.sockets).toHaveLength(1));
    await call(uuidFrame(UUID), keyFrame('9')).refused();
    expect(owner.frames).toEqual([]);
  });

  test('takes a UUID no longer than it is waited for', async () => {
    const { owner, call, stopExpecting } = await listening();
    stopExpecting();
    await call(uuidFrame(UUID)).refused();
    expect(owner.sockets).toEqual([]);
  });

  test('hangs up on who does not say who he is in time', async () => {
    const { time, call, server } = await listening();
    const { refused, socket } = call(uuidFrame(UUID).subarray(0, 10));
    await once(socket, 'connect');
    await vi.waitFor(() => expect(time.timers).toBe(1));
    time.pass(2000);
    await refused();
    expect(server.refused).toBe(1);
    expect(time.timers).toBe(0);
  });

  test('lets only so many be about to say who they are', async () => {
    const { call, server } = await listening();
    const calls = Array.from({ length: 101 }, () => call());
    await vi.waitFor(() => expect(server.refused).toBe(1));
    for (const { socket } of calls) socket.destroy();
  });

  test('tells when a connection is over', async () => {
    const { owner, call } = await listening();
    const { socket } = call(uuidFrame(UUID));
    await vi.waitFor(() => expect(owner.sockets).toHaveLength(1));
    socket.destroy();
    await vi.waitFor(() => expect(owner.ends).toEqual(['closed by the PBX']));
  });

  test('says so when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const time = new SimulatedTime();
    await expect(AudioSocketServer.listen({ bindAddress: '127.0.0.1', port, time })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    other.close();
  });
});
