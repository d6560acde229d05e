import { ControlServer, startSimulatedPbx } from '@callfleet/pbx-sim';
import { claimPort } from '@callfleet/testkit';

/** Several simulated PBXs in one process: their names are its arguments. Prints one line of JSON: where each is. */
const pbxs = [];
for (const name of process.argv.slice(2)) {
  // Ports that outgoing connections never get: a PBX that crashed must find its own free.
  const pbx = await startSimulatedPbx({ name, port: await claimPort() });
  const control = await ControlServer.start(pbx, 0);
  pbxs.push({ name, httpUrl: pbx.httpUrl, username: pbx.username, password: pbx.password, controlUrl: control.url });
}
console.log(JSON.stringify({ pbxs }));
process.once('SIGTERM', () => process.exit());
