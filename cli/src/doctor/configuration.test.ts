import { describe, expect, test } from 'vitest';
import { checkConfiguration, checkProgramFile } from './configuration.ts';
import { configOf } from './fake-pbx.ts';

const here = import.meta.filename;
const PROGRAM = JSON.stringify([{ name: 'bot', file: here, extensions: ['_X.'] }]);

function warnings(pbx: Parameters<typeof configOf>[0][number], env: NodeJS.ProcessEnv = {}): string[] {
  const findings = checkConfiguration(configOf([pbx], { CALLFLEET_PROGRAMS: PROGRAM, ...env }));
  return findings.filter(({ level }) => level !== 'ok').map(({ check }) => check);
}

describe('a configuration', () => {
  test('for one machine is fine', () => {
    expect(warnings({})).toEqual([]);
  });

  test('without a program, with one shard, or for another pool is warned of', () => {
    expect(warnings({}, { CALLFLEET_PROGRAMS: '[]' })).toEqual(['programs']);
    expect(warnings({ shards: ['only'] })).toEqual(['shards']);
    expect(warnings({ pool: 'sales' })).toEqual(['pool']);
  });

  test('that sends the audio of a far PBX to its own loopback is warned of', () => {
    const far = { url: 'http://10.0.0.5:8088' };
    expect(warnings(far)).toEqual(['relay address']);
    expect(warnings(far, { CALLFLEET_RELAY__RTP__ADVERTISED_ADDRESS: '10.0.0.9' })).toEqual([]);
    expect(warnings(far, { CALLFLEET_RELAY__TRANSPORT: 'websocket' })).toEqual([]);
    const audiosocket = { CALLFLEET_RELAY__TRANSPORT: 'audiosocket' };
    expect(warnings(far, audiosocket)).toEqual(['relay address']);
    const reachable = { CALLFLEET_RELAY__AUDIOSOCKET__ADVERTISED_ADDRESS: '10.0.0.9' };
    expect(warnings(far, { ...audiosocket, ...reachable })).toEqual([]);
  });

  test('that has PBXs connect with their media legs without TLS is warned of', () => {
    const legs = (listen: object, transport = 'websocket') =>
      warnings(
        {},
        { CALLFLEET_RELAY__TRANSPORT: transport, CALLFLEET_RELAY__WEBSOCKET__LISTEN: JSON.stringify(listen) },
      );
    expect(legs({ port: 8443 })).toEqual(['relay.websocket.listen']);
    expect(legs({ port: 8443, tls: { certFile: here, keyFile: here } })).toEqual([]);
    expect(legs({ port: 8443, host: '127.0.0.1' }), 'a proxy before it').toEqual([]);
    expect(legs({ port: 8443 }, 'rtp'), 'nobody listens').toEqual([]);
  });
});

test('a program file is there or not', async () => {
  const program = { name: 'bot', extensions: ['1'] };
  expect(await checkProgramFile({ ...program, file: here })).toMatchObject([{ level: 'ok' }]);
  expect(await checkProgramFile({ ...program, file: `${here}.none` })).toMatchObject([
    { subject: 'program bot', level: 'problem', found: expect.stringMatching(/does not exist$/) },
  ]);
});
