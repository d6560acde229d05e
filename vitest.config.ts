import { defineConfig } from 'vitest/config';

// `*.test.ts` needs nothing but Node; `*.it.test.ts` needs real parts (NATS, Redis, Asterisk, sipp), which the testkit starts.
export default defineConfig({
  test: {
    // What was printed belongs to a failure.
    silent: 'passed-only',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{libs,services,pbx,cli,examples,tests,k8s}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.it.test.ts'],
          // Some wait for clocks. Vitest itself would leave one of two cores unused.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['{libs,services,pbx,cli,examples,tests,k8s}/**/*.it.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          // Seen once each in some forty runs, and not explained: an Asterisk that answered nothing on one socket for eight seconds
          // (tests/relay-failover), and the lease of a call that was cancelled in its first milliseconds (tests/hangup).
          retry: 1,
        },
      },
    ],
  },
});
