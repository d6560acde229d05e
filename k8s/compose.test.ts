import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@callfleet/config';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { IMAGE_ENV, IMAGE_USER } from './testing/image.ts';
import { SERVICES, type ServiceName, stopLimitMs } from './testing/stop-limits.ts';

const ROOT = join(import.meta.dirname, '..');

interface ComposeService {
  image: string;
  command: string[];
  environment: Record<string, string | number>;
  stop_grace_period: string;
  read_only: boolean;
  cap_drop: string[];
  security_opt: string[];
  tmpfs?: string[];
  ports?: string[];
}

const { services } = parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8'), { merge: true }) as {
  services: Record<ServiceName | 'nats' | 'redis', ComposeService>;
};

describe.each(Object.keys(SERVICES) as ServiceName[])('%s in compose.yaml', (name) => {
  const service = services[name];
  const env = Object.fromEntries(
    Object.entries(service.environment).map(([key, value]) => [key, String(value).replace(/^\$\{.*\}$/, '192.0.2.7')]),
  );
  const pbxs = '[{ name: pbx-a, url: "http://192.0.2.5:8088", username: callfleet, password: secret }]';
  const { CALLFLEET_CONFIG, ...keys } = env;
  const config = loadConfig({ env: { ...IMAGE_ENV, ...keys, CALLFLEET_PBXS: pbxs } });

  it('sets keys that there are, to the other containers', () => {
    expect(CALLFLEET_CONFIG).toBe('/app/callfleet.yaml');
    expect(config.nats.servers).toEqual(['nats:4222']);
    expect(config.redis.url).toBe('redis://redis:6379');
    expect(service.command).toEqual([`services/${SERVICES[name]}/src/main.ts`]);
  });

  it('has the time to stop that it may take', () => {
    expect(Number.parseInt(service.stop_grace_period, 10) * 1000).toBeGreaterThan(stopLimitMs(name, config));
  });

  it('can write to the folder of its events alone, as the image’s user, and has no rights', () => {
    const [uid, gid] = (IMAGE_USER ?? '').split(':');
    if (name !== 'worker')
      expect(service.tmpfs).toEqual([`${config[name].spillFolder}:uid=${uid},gid=${gid},mode=0700`]);
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
  });

  if (name === 'relay')
    it('is reached at all its ports', () => {
      const { portMin, portMax, advertisedAddress } = config.relay.rtp;
      expect(service.ports).toEqual([`${portMin}-${portMax}:${portMin}-${portMax}/udp`]);
      expect(advertisedAddress).toBe('192.0.2.7');
    });
});

it('every image in compose.yaml has a version', () => {
  for (const { image } of Object.values(services)) expect(image).toMatch(/:\d/);
});
