// The demo's calls through the services of an image: `node_modules/.bin/node k8s/image-demo.ts <root of the image>`, as root. NATS, Redis, Asterisk and
// sipp are this machine's; each service runs in the image's root as its user, with the image's environment, and may write to
// /tmp alone. k8s/build-image.sh prints the root.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectBus } from '@callfleet/bus';
import { dialplanFor } from '@callfleet/pbx';
import { installParts, startLocalFleet } from '@callfleet/testkit';
import { CallRecords } from '../cli/src/call-records.ts';
import { renderReports, shortcomings } from '../cli/src/demo/call-report.ts';
import { demoCalls, runDemoCall } from '../cli/src/demo/demo-calls.ts';
import { HEALTH_CHECK } from './testing/image.ts';

const [root = ''] = process.argv.slice(2);
if (!existsSync(join(root, 'app/sbom.cdx.json'))) {
  console.error(
    'image-demo: give the root of an image: node_modules/.bin/node k8s/image-demo.ts "$(k8s/build-image.sh)"',
  );
  process.exit(1);
}
/** Of gateway-1: the image's own. */
const HTTP_PORT = 9464;

const program = (name: string, extension: string) => ({
  name,
  file: `/app/examples/${name}.ts`,
  extensions: [extension],
});
const folder = mkdtempSync(join(tmpdir(), 'callfleet-image-'));
const serviceMain = (kind: string) => {
  const main = join(folder, `${kind}.ts`);
  const [shim, where] = [join(import.meta.dirname, 'testing/service-in-image.ts'), root];
  writeFileSync(
    main,
    `import { runInImage } from ${JSON.stringify(shim)};\nrunInImage(${JSON.stringify(kind)}, ${JSON.stringify(where)}, ${HTTP_PORT});\n`,
  );
  return main;
};

await installParts((step) => console.log(step));
const system = await startLocalFleet({
  serviceMain,
  programs: [program('echo-bot', '100'), program('parrot-bot', '200'), program('ivr', '300')],
  dialplan: dialplanFor,
  config: {
    telemetry: { level: 'warn' },
    gateway: { spillFolder: '/tmp/spill' },
    relay: { spillFolder: '/tmp/spill', rtp: { bindAddress: '127.0.0.1', advertisedAddress: '127.0.0.1' } },
  },
  onProgress: (step) => console.log(step),
  onLine: (name, line) => console.log(`${name}: ${line}`),
});
try {
  const services = [...system.fleet.gateways, ...system.fleet.workers, ...system.fleet.relays];
  for (const { name, pid } of services) console.log(`${name}: ${describe(pid as number)}`);
  execFileSync('chroot', ['--userspec=10001:10001', root, ...HEALTH_CHECK], {
    env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin', CALLFLEET_TELEMETRY__HTTP__PORT: String(HTTP_PORT) },
    timeout: 10_000,
  });
  console.log('health check of gateway-1: good');

  const bus = await connectBus({ servers: [system.nats.url], name: 'image-demo' });
  const calls = demoCalls(system.pbxs, 2);
  const reports = await Promise.all(calls.map((call) => runDemoCall(call, calls, new CallRecords(bus), () => {})));
  console.log(renderReports(reports));
  await bus.close();
  const failures = reports.flatMap(shortcomings);
  for (const failure of failures) console.log(`FAILED: ${failure}`);
  console.log(failures.length === 0 ? 'image-demo: every call did what it should' : 'image-demo: failed');
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  await system.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Who the service's process is, and where its root is, from /proc. */
function describe(shim: number): string {
  const [pid = ''] = readFileSync(`/proc/${shim}/task/${shim}/children`, 'utf8').trim().split(' ');
  const user = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
  return `user ${user}, ${command}`;
}
