import type { SimulatedClock } from './simulated-clock.ts';
import type { When } from './simulation-options.ts';
import { fits, type Transcript } from './transcript.ts';

/** Has a list of things done, one after the other, each at its time. @param isOver nothing is done any more */
export function doInTurn<Doing extends When>(
  doings: readonly Doing[],
  { clock, transcript, isOver }: { clock: SimulatedClock; transcript: Transcript; isOver: () => boolean },
  act: (doing: Doing) => void,
): void {
  const next = (index: number): void => {
    const doing = doings[index];
    if (!doing || isOver()) return;
    const wait = () =>
      void clock.after(doing.after ?? 0, () => {
        if (isOver()) return;
        act(doing);
        next(index + 1);
      });
    const { at } = doing;
    if (at === undefined) {
      wait();
      return;
    }
    const stop = transcript.onLine((line) => {
      if (!fits(line, at)) return;
      stop();
      wait();
    });
  };
  next(0);
}
