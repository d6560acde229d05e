/** What a number stands on. */
type Basis = 'measured' | 'assumed';

interface Cost {
  readonly value: number;
  readonly basis: Basis;
  /** Where it was measured, or why it is taken so. */
  readonly from: string;
}

const measured = (value: number, from: string): Cost => ({ value, basis: 'measured', from });
const assumed = (value: number, from: string): Cost => ({ value, basis: 'assumed', from });

/**
 * What calls cost, on the cores that the benches ran on (docs/benchmarks.md); docs/capacity.md says how they were taken. CPU in
 * core-milliseconds, memory in MiB.
 */
export const COSTS = {
  /** Of each call, from StasisStart to its record. */
  gatewayMsPerCall: measured(2.7, 'bench cluster, 2 gateways: each event comes twice, for the mirror'),
  workerMsPerCall: measured(4.9, 'bench cluster, a program that answers and waits'),
  natsMsPerCall: measured(2.9, 'bench cluster'),
  redisMsPerCall: measured(0.18, 'bench cluster'),
  natsMessagesPerCall: measured(48, 'bench cluster, in and out'),
  redisCommandsPerCall: measured(9, 'bench cluster'),
  /** Of each further event of a call: digits, sounds, legs. */
  gatewayMsPerEvent: measured(0.027, 'bench gateway'),
  workerMsPerEvent: assumed(0.1, 'between an event of the gateway and a whole operation'),
  natsMsPerEvent: assumed(0.05, 'stored once, sent to one worker'),
  eventsPerCall: assumed(20, 'a conversation of some turns with a few digits or sounds; beyond answer and end'),
  /** Of a call that is only there. */
  gatewayMiBPerCall: measured(0.017, 'bench scale, 10,000 calls'),
  workerMiBPerCall: measured(0.078, 'bench scale, 10,000 calls'),
  natsMiBPerCall: measured(0.0081, 'bench scale, 10,000 calls'),
  gatewayCoresIdle: measured(0.016, 'bench scale, each gateway'),
  workerCoresIdle: measured(0.014, 'bench scale, each worker'),
  gatewayMiB: measured(177, 'bench scale, each gateway without calls'),
  workerMiB: measured(252, 'bench scale, each worker without calls'),
  redisIdlePerProcess: measured(20, 'bench scale: commands a second of each gateway and worker for its sessions'),
  /** Of a conversation. */
  relayCoresEcho: measured(0.00073, 'bench media, RTP, echo, 500 calls: audio both ways all the time'),
  relayCoresAi: measured(0.00178, 'bench media, RTP, OpenAI, 100 and 200 calls that talk in turns'),
  relayMiBPerCall: measured(0.164, 'bench media'),
  relayMiB: measured(260, 'bench soak, 30 minutes of 200 calls, less those: with the garbage that its heap may hold'),
  /** G.711 over RTP: 50 packets a second of 160 bytes and their headers, each way. */
  rtpMbitPerCall: assumed(0.19, '2 × 95 kbit/s with Ethernet, IP and UDP'),
  aiMbitPerCall: assumed(0.35, 'base64 of 24 kHz PCM one way most of the time, JSON around it'),
  natsBytesPerMessage: assumed(700, 'an event of 550 bytes with subject, headers and trace'),
  /** What one of each may carry: above it another one is needed. */
  busyShare: assumed(0.5, 'of a core, so that p99 holds and another may die'),
  natsMessagesPerServer: assumed(
    60_000,
    'a third of what a bench made one server do without replicas; three replicas and fsync cost',
  ),
  natsThreadsPerServer: assumed(4, 'of four cores; its connections are served side by side'),
  redisCommandsPerServer: assumed(60_000, 'one thread, small commands; half of what is commonly measured'),
  callsPerPbx: assumed(1000, 'an Asterisk with audio on a machine of its own'),
  callsPerSecondPerPbx: assumed(50, 'an Asterisk with PJSIP'),
  callsPerRelayThread: measured(400, 'bench media: pacing error p99 of 3 ms or less'),
  callsPerWorker: assumed(500, '`worker.maxCalls` as it is by default'),
} as const satisfies Record<string, Cost>;
