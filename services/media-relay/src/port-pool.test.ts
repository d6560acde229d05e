import { describe, expect, test } from 'vitest';
import { PortPool } from './port-pool.ts';

function pool(portMin: number, portMax: number) {
  let now = 0;
  const ports = new PortPool({ portMin, portMax, portRestMs: 10_000, now: () => now });
  return {
    ports,
    pass(ms: number) {
      now += ms;
    },
  };
}

describe('the port pool', () => {
  test('gives out each even port of its range once', () => {
    const { ports } = pool(20_001, 20_008);
    expect([ports.take(), ports.take(), ports.take(), ports.take()]).toEqual([20_002, 20_004, 20_006, 20_008]);
  });

  test('says so when none is left', () => {
    const { ports } = pool(20_000, 20_001);
    ports.take();
    expect(() => ports.take()).toThrow(expect.objectContaining({ code: 'CF_RELAY_PORTS_EXHAUSTED' }));
    expect(() => ports.take()).toThrow('20000-20001');
  });

  test('lets a port rest before it is used again', () => {
    const { ports, pass } = pool(20_000, 20_001);
    ports.giveBack(ports.take());
    pass(9999);
    expect(() => ports.take()).toThrow(expect.objectContaining({ code: 'CF_RELAY_PORTS_EXHAUSTED' }));
    pass(1);
    expect(ports.take()).toBe(20_000);
  });

  test('takes the one that is free for longest', () => {
    const { ports, pass } = pool(20_000, 20_005);
    const [first, second] = [ports.take(), ports.take()];
    ports.giveBack(second);
    ports.giveBack(first);
    expect(ports.take()).toBe(20_004);
    pass(10_000);
    expect([ports.take(), ports.take()]).toEqual([second, first]);
  });
});
