import type { ConfPart } from './conf-file.ts';

export interface DialplanOptions {
  /** Stasis applications of the PBX, at least one. */
  readonly shards: readonly string[];
  /** The context that calls are sent to. Default `callfleet`. */
  readonly context?: string | undefined;
  /** The context that a call goes to when Callfleet does not serve it, or gives it back. Default `callfleet-fallback`. */
  readonly fallback?: string | undefined;
}

/** Any number, with or without "+": all that `_X.` and `_+X.` fit, and a single digit. */
const ANY_NUMBER = '_[+0-9]!';

/** When nobody serves any shard, all are tried again half a second later; for so many rounds in all. */
const ROUNDS = 7;

/**
 * The context that hands calls to the shards. A call starts at one by chance, so that they share the load, and tries the
 * next while Stasis() says that nobody serves it, for three seconds: a gateway's death costs no new call, even if it had all.
 */
export function dialplanFor({
  shards,
  context = 'callfleet',
  fallback = 'callfleet-fallback',
}: DialplanOptions): string {
  const lines = [
    `[${context}]`,
    '; No Answer() here: the call program answers, so nobody pays for a call that no bot can take.',
    '; The number stays in ${EXTEN}: it decides which call program runs.',
    `exten => ${ANY_NUMBER},1,Set(CALLFLEET_STATUS=)`,
    ' same => n,Set(CALLFLEET_ROUND=0)',
    ' same => n(round),Set(CALLFLEET_TRIED=0)',
    ` same => n,Goto(shard\${RAND(1,${shards.length})})`,
    ...shards.flatMap((shard, index) => tryShard(shard, index + 1, shards.length)),
    '; No gateway holds any of the shards now; when one has died, another has them within a second.',
    ` same => n(unserved),GotoIf($[\${INC(CALLFLEET_ROUND)} >= ${ROUNDS}]?nobody)`,
    ' same => n,Wait(0.5)',
    ' same => n,Goto(round)',
    ' same => n(nobody),Set(CALLFLEET_STATUS=NOGATEWAY)',
    '; Here come also the calls that Callfleet gives back. A call that was hung up comes no further than Stasis().',
    ` same => n(back),Goto(${fallback},\${EXTEN},1)`,
    '; Add no "h" extension for clean-up of bot calls (it runs at every hang-up, with EXTEN=h), and no "i" or "t": nothing',
    '; here waits for digits.',
  ];
  return `${lines.join('\n')}\n`;
}

function tryShard(shard: string, number: number, count: number): string[] {
  const lines = [
    ` same => n(shard${number}),Stasis(${shard})`,
    ' same => n,GotoIf($["${STASISSTATUS}" != "FAILED"]?back)',
  ];
  if (count === 1) return lines;
  // The last falls through to "not served" once all were tried; the others go on there as soon as they are the last.
  return number < count
    ? [...lines, ` same => n,GotoIf($[\${INC(CALLFLEET_TRIED)} >= ${count}]?unserved)`]
    : [...lines, ` same => n,GotoIf($[\${INC(CALLFLEET_TRIED)} < ${count}]?shard1)`];
}

/** What a caller gets whom Callfleet does not serve, to be replaced by the user's own. `humans` are example lines. */
export function fallbackContext(humans: readonly string[], fallback = 'callfleet-fallback'): string {
  const lines = [
    `[${fallback}]`,
    '; CALLFLEET_STATUS says why the call is here:',
    ';   NOGATEWAY         no gateway holds a shard of this PBX (set by the dialplan)',
    ';   NOWORKER          no worker took the call in time',
    ';   NOPROGRAM         no call program is for this number',
    ';   PROGRAM_FAILED    the call program stopped with an error',
    ';   PROGRAM_DIVERGED  the call program was changed under the call, and could not go on',
    ';   PROGRAM_STUCK     the call program did not give its thread back',
    ';   anything else     what the call program set before it gave the call back; empty if it set nothing',
    '; A call program can also choose the place itself: call.continueInDialplan({ context, extension, priority }).',
    `exten => ${ANY_NUMBER},1,NoOp(Callfleet gave back \${EXTEN}: \${CALLFLEET_STATUS})`,
    '; To people:',
    ...humans.map((line) => `; ${line}`),
    '; Otherwise a prompt, then 503 for a call that is not answered: a carrier or a proxy can then try your next PBX.',
    ' same => n,Playback(all-circuits-busy-now&pls-try-call-later,noanswer)',
    ' same => n,Hangup(34)',
  ];
  return `${lines.join('\n')}\n`;
}

export function extensionsConf(shards: readonly string[]): ConfPart {
  const humans = ['same => n,Queue(people,,,,120)', 'same => n,Dial(PJSIP/reception,30)'];
  return { title: 'extensions.conf', text: `${dialplanFor({ shards })}\n${fallbackContext(humans)}` };
}
