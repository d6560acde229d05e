import { TimedOpenAi } from './timed-openai.ts';
import type { TimedAiWord } from './timed-openai-process.ts';

const ai = await TimedOpenAi.start();
const tell = (word: TimedAiWord) => void process.send?.(word);

// Whoever started us is gone, or wants us no more.
process.once('disconnect', () => process.exit());
process.on('message', () => tell({ turns: ai.take() }));
tell({ url: ai.url, key: ai.key });
