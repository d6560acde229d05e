import type { MediaEndKind } from './media-end.ts';
import { MediaEnds } from './media-ends.ts';
import type { EndsOrder, EndsWord } from './media-ends-process.ts';

const [, , kind, turns] = process.argv;
const ends = await MediaEnds.start(kind as MediaEndKind, turns === undefined ? undefined : JSON.parse(turns));
const tell = (word: EndsWord) => void process.send?.(word);

// Whoever started us is gone, or wants us no more.
process.once('disconnect', () => process.exit());
process.on('message', (order: EndsOrder) => {
  if ('add' in order) void ends.add(order.add).then((legs) => tell({ legs }));
  else if ('renew' in order) void ends.renew(order.renew).then((legs) => tell({ legs }));
  else if ('meet' in order) {
    ends.meet(order.meet, order.calls);
    tell({ done: true });
  } else {
    ends.begin(order.measureMs);
    setTimeout(() => tell({ report: ends.report }), order.measureMs);
  }
});
tell({ url: ends.url ?? '' });
