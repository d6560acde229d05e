import { connectBus, originateCall } from '@callfleet/bus';
import { loadConfig } from '@callfleet/config';
import { inSpan, runService } from '@callfleet/telemetry';

/** A service of somebody else's, with a trace of its own in which it places a call: `campaign.ts <endpoint> <caller id>`. */
await runService('campaign', loadConfig, async ({ nats, pbxs }, service) => {
  const [to = '', number = ''] = process.argv.slice(2);
  const bus = await connectBus({ ...nats, name: 'campaign' });
  service.onStop('bus', () => bus.close());
  await inSpan('spring', {}, async () => {
    const call = await originateCall(bus, { program: 'outbound', to, pbxs, callerId: { number } });
    await call.outcome();
  });
  process.kill(process.pid, 'SIGTERM');
});
