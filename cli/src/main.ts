import { Command, InvalidArgumentError, Option } from 'commander';

const program = new Command('callfleet')
  .description('AI voice bots on Asterisk, as a fleet: gateways, workers and media relays over NATS and Redis.')
  .showHelpAfterError();

// Each command is loaded when it is called: `pbx-config` must not need what `demo` needs.
program
  .command('demo')
  .description('the whole system on this machine, with real calls through it')
  .option('--once', 'calls, a report, and an exit code', false)
  .addOption(
    new Option('--provider <name>', 'the calls talk with this voice AI, instead of hearing their tones').choices([
      'local',
    ]),
  )
  .action(async (options) => {
    const { demoCommand } = await import('./demo/command.ts');
    process.exitCode = await demoCommand(options);
  });
program
  .command('test')
  .description('types, lint, borders, dead code, and every test on real NATS, Redis, Asterisk and sipp')
  .argument('[filters...]', 'only test files whose path contains one of these')
  .action(async (filters: string[]) => {
    const { testCommand } = await import('./test/command.ts');
    process.exitCode = await testCommand({ filters });
  });
program
  .command('test-call')
  .description('run a call program in simulated time, without a PBX, and print what it does')
  .argument('<program>', "the program's file")
  .option('--dtmf <digits>', 'what the caller presses each time the program waits for digits, `1,42#`')
  .option('--press-after <duration>', 'how long after the program began to wait', '1s')
  .option('--hangup-after <duration>', 'when the caller hangs up, if the call is not over by then')
  .option('--outbound', 'the call is placed: the program talks to who answers at `--called`', false)
  .option('--caller <number>', "the caller's number; withheld without it")
  .option('--called <number>', 'the dialled extension', '100')
  .option('--arg <value>', 'what the dialplan gives to the program; may be repeated', appended)
  .option('--var <NAME=value>', 'a channel variable; may be repeated', appended)
  .option(
    '--answer <endpoint=answer>',
    'PJSIP/agent=answers, busy, no-answer, rejects, congested or unreachable; may be repeated',
    appended,
  )
  .option('--step <name=json>', 'what a step returns, instead of being done; may be repeated', appended)
  .option('--json', 'for machines', false)
  .action(async (file: string, options) => {
    const { testCallCommand } = await import('./test-call/command.ts');
    process.exitCode = await testCallCommand(file, options);
  });
program
  .command('chaos')
  .description(
    'kill parts of the fleet under live calls, or replace all of them, and show what became of the calls; `chaos worker`, `chaos rollout`',
  )
  .argument(
    '<what>',
    'what is killed: worker, gateway, gateway-without-mirror, relay or nats; or rollout: everything is replaced, one after another',
  )
  .action(async (what: string) => {
    const { chaosCommand } = await import('./chaos/command.ts');
    process.exitCode = await chaosCommand(what);
  });
program
  .command('bench')
  .description(
    'measure a part of the fleet on this machine: `bench gateway`, `bench command`, `bench control`, `bench media`, `bench soak`, `bench cluster`, `bench scale`',
  )
  .argument(
    '<what>',
    'what is measured: gateway, command, control, media, soak, cluster or scale; or `report`: results into docs/benchmarks.md',
  )
  .argument('[results...]', 'for `report`: the files; none: the newest of each bench')
  .option('--check', 'fail when a target is missed', false)
  .option('--threads <number>', 'for `media` and `soak`: `relay.threads`', positive)
  .option('--minutes <number>', 'for `soak`: how long; 9 without it', positive)
  .action(async (what: string, results: string[], options) => {
    const { benchCommand } = await import('./bench/command.ts');
    process.exitCode = await benchCommand(what, results, options);
  });
program
  .command('loadtest')
  .description(
    'k6 places calls through simulated PBXs and checks them from outside; k6 is built if Go is there and k6 is not',
  )
  .option(
    '--scenario <name>',
    'ramp, ramp-2000, audio, spike, mixed, chaos, soak or smoke; without it ramp, spike, mixed and chaos',
  )
  .option('--check', 'fail when a target is missed', false)
  .option('--compare', 'show what has changed since the result before', false)
  .option('--minutes <number>', 'for `soak`: how long; 8 without it', positive)
  .option('--calls <number>', 'for `audio`: how many at once; 300 without it', positive)
  .action(async (options) => {
    const { loadTestCommand } = await import('./loadtest/command.ts');
    process.exitCode = await loadTestCommand(options);
  });
program
  .command('capacity')
  .description('what a load takes: cores, memory, NATS, Redis and network, computed from what was measured')
  .requiredOption('--calls <number>', 'at once, when it is fullest', positive)
  .option('--calls-per-second <number>', 'new ones; without it each call is there for three minutes', positive)
  .option('--audio-share <share>', 'calls with audio through a relay, 0 to 1', share, 1)
  .option('--ai-share <share>', 'of those, the ones with a voice AI', share, 1)
  .option('--events-per-call <number>', 'digits, sounds, legs and the like of each call', positive, 20)
  .option(
    '--regions <number>',
    'regions, each with a fleet of its own and room for the calls of one that is lost',
    positive,
    1,
  )
  .option('--simulate', 'play it event by event, too: who waits, and for how long', false)
  .option('--json', 'for machines, with every cost and what it stands on', false)
  .action(async (options) => {
    const { capacityCommand } = await import('./capacity/command.ts');
    capacityCommand(options);
  });
program
  .command('originate')
  .description('place a call through the running fleet, and say what becomes of it')
  .requiredOption('--program <name>', 'the program that talks to whoever answers')
  .requiredOption('--to <endpoint>', 'PJSIP/alice, or a number through a trunk: trunk-a:+4930123')
  .option('--pbx <name>', 'on which PBX; any, by weight, without it')
  .option('--caller-id <number>', 'who is shown to be calling')
  .option('--timeout <duration>', 'how long it may ring', '30s')
  .option('--variable <NAME=value>', 'a channel variable; may be repeated', appended)
  .option('--no-wait', 'do not wait until it is answered, or is not')
  .option('--config <file>', 'configuration file', 'callfleet.yaml')
  .action(async (options) => {
    const { originateCommand } = await import('./originate/command.ts');
    process.exitCode = await originateCommand(options);
  });
program
  .command('cancel')
  .description('take back a call that was placed: it is not dialled any more, stops ringing, or is hung up')
  .argument('<call>', 'its id, as `originate` prints it')
  .option('--config <file>', 'configuration file', 'callfleet.yaml')
  .action(async (call: string, options) => {
    const { cancelCommand } = await import('./originate/cancel-command.ts');
    await cancelCommand(call, options);
  });
program
  .command('up')
  .description('start the fleet against your own PBXs, NATS and Redis')
  .option('--config <file>', 'configuration file', 'callfleet.yaml')
  .action(async (options) => {
    const { upCommand } = await import('./up/command.ts');
    process.exitCode = await upCommand(options);
  });
program
  .command('doctor')
  .description('try every connection of a configuration, and say what is wrong and how to mend it')
  .option('--config <file>', 'configuration file', 'callfleet.yaml')
  .option('--json', 'for machines', false)
  .action(async (options) => {
    const { doctorCommand } = await import('./doctor/command.ts');
    process.exitCode = await doctorCommand(options);
  });
program
  .command('pbxs')
  .description('how the PBXs of a running fleet are: state, since when, why, shards and calls')
  .option('--config <file>', 'configuration file', 'callfleet.yaml')
  .option('--json', 'for machines', false)
  .action(async (options) => {
    const { pbxsCommand } = await import('./pbxs/command.ts');
    process.exitCode = await pbxsCommand(options);
  });
program
  .command('pbx-config')
  .description("print the PBX's side of the configuration")
  .requiredOption('--pbx <name>', 'which PBX of the configuration')
  .option('--config <file>', 'configuration file', 'callfleet.yaml')
  .option('--variant <variant>', 'asterisk or freepbx', 'asterisk')
  .option('--show-secrets', 'print the ARI password too', false)
  .action(async (options) => {
    const { pbxConfigCommand } = await import('./pbx-config/command.ts');
    process.exitCode = await pbxConfigCommand(options);
  });

program
  .command('nats-permissions')
  .description(
    "print NATS's side: a user for each service, with only the subjects that it needs; makes their keys where there are none",
  )
  .requiredOption('--keys <folder>', "where the seeds of the users' nkeys are kept")
  .option('--helm', "as values for NATS's Helm chart", false)
  .action(async (options) => {
    const { natsPermissionsCommand } = await import('./security/nats-permissions.ts');
    natsPermissionsCommand(options);
  });
program
  .command('redis-acl')
  .description(
    "print Redis's side: a user for each service, with only its keys and commands; makes their passwords where there are none",
  )
  .requiredOption('--passwords <folder>', "where the users' passwords are kept")
  .action(async (options) => {
    const { redisAclCommand } = await import('./security/redis-acl.ts');
    redisAclCommand(options);
  });

try {
  await program.parseAsync();
} catch (error) {
  const code = (error as { code?: unknown }).code;
  if (!(error instanceof Error && typeof code === 'string' && code.startsWith('CF_'))) throw error;
  console.error(`callfleet: ${error.message} [${code}]`);
  process.exitCode = 1;
}
/** @throws InvalidArgumentError */
function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return number;
}

/** @throws InvalidArgumentError */
function share(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !(number >= 0 && number <= 1))
    throw new InvalidArgumentError('It must be a number from 0 to 1.');
  return number;
}

/** Options that may be given several times. */
function appended(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

// Services and their pipes are closed by now; a library's idle timer must not hold the shell.
process.exit();
