import type { ConformanceStage } from './conformance-stage.ts';

/** Something that is done to a PBX, and what is to come of it, line for line. */
export interface ConformanceCase {
  readonly title: string;
  readonly run: (stage: ConformanceStage) => Promise<void>;
  readonly expected: string;
}
