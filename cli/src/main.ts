import { Command } from 'commander';

const program = new Command('callfleet')
  .description('AI voice bots on Asterisk, as a fleet: gateways, workers and media relays over NATS and Redis.')
  .showHelpAfterError();

// Each command is loaded when it is called: `pbx-config` must not need what `demo` needs.
program
  .command('demo')
  .description('the whole system on this machine, with real calls through it')
  .option('--once', 'ten calls, a report, and an exit code', false)
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
  .command('chaos')
  .description('kill parts of the fleet under live calls, and show what callers heard; `chaos worker`')
  .argument('<what>', 'what is killed: worker')
  .action(async (what: string) => {
    const { chaosCommand } = await import('./chaos/command.ts');
    process.exitCode = await chaosCommand(what);
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

try {
  await program.parseAsync();
} catch (error) {
  const code = (error as { code?: unknown }).code;
  if (!(error instanceof Error && typeof code === 'string' && code.startsWith('CF_'))) throw error;
  console.error(`callfleet: ${error.message} [${code}]`);
  process.exitCode = 1;
}
// Services and their pipes are closed by now; a library's idle timer must not hold the shell.
process.exit();
