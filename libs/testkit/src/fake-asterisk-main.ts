import { FakeAsterisk } from './fake-asterisk.ts';
import type { FakeAsteriskProcessOptions, FakeOrder, FakeWord } from './fake-asterisk-process.ts';
import { FakeTraffic } from './fake-traffic.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as FakeAsteriskProcessOptions;
const fake = await FakeAsterisk.start(options);
const traffic = new FakeTraffic(fake, options);
const tell = (word: FakeWord) => void process.send?.(word);

// Whoever started us is gone, or wants us no more.
process.once('disconnect', () => process.exit());
process.on('message', (order: FakeOrder) => {
  if ('acknowledged' in order) traffic.acknowledged(order.acknowledged);
  else void traffic.run(order.run).then((report) => tell({ report }));
});
tell({ httpUrl: fake.httpUrl });
