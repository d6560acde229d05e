import { TimedOpenAi } from './timed-openai.ts';
import type { TimedAiWord } from './timed-openai-process.ts';

const ai = await TimedOpenAi.start();
// Nobody may be there any more to be told.
const tell = (word: TimedAiWord) => void process.send?.(word, () => {});

// Whoever started us is gone, or wants us no more.
process.once('disconnect', () => process.exit());
process.on('message', () => tell({ turns: ai.take() }));
tell({ url: ai.url, key: ai.key });
