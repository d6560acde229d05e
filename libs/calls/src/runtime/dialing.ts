import { bridges, channels } from '@callfleet/ari';
import { type CallEvent, dialOutcomeOf } from '@callfleet/bus';
import { ORIGINATED } from '@callfleet/identity';
import type { DialAttempt, Dialed, DialOptions } from '../dial.ts';
import { CallCancelledError, TrunkRefusedError } from '../errors.ts';
import { BRIDGE_TYPE } from './bridge-type.ts';
import type { CallScope } from './call-scope.ts';
import { endOf } from './channel-end.ts';
import { type ChannelEventData, isEndOf, isOf, isStartOf } from './channel-events.ts';
import type { Operation } from './operation.ts';

/** What the journal keeps of a `dial`. */
export interface KeptDial {
  /** Which endpoint answered: the index of its attempt. */
  readonly answered?: number | undefined;
  readonly attempts: readonly DialAttempt[];
}

export interface DialingOptions {
  readonly scope: CallScope;
  /** The channel that they are called for; absent: the call itself is placed. */
  readonly originator?: string | undefined;
  readonly endpoints: readonly string[];
  /** Of the channel of each endpoint. */
  readonly channelIds: readonly string[];
  /** Where the caller hears what the other side plays before it answers. */
  readonly earlyBridgeId?: string | undefined;
  readonly dial: DialOptions;
  /** When it has rung for long enough, where that is known already; milliseconds since the epoch. */
  readonly ringsUntil?: number | undefined;
  /** Told when that is, once it rings. */
  readonly onRinging?: ((until: number) => Promise<void>) | undefined;
}

const RING_TIMEOUT_MS = 30_000;

/** Calls endpoints until one of them answers. */
export class Dialing {
  readonly #options: DialingOptions;

  constructor(options: DialingOptions) {
    this.#options = options;
  }

  async run(operation: Operation): Promise<KeptDial> {
    const { endpoints, dial } = this.#options;
    const attempts =
      dial.order === 'in-turn'
        ? await this.#inTurn(operation)
        : await this.#atOnce(operation, new Array<DialAttempt>(endpoints.length));
    const answered = attempts.findIndex(({ outcome }) => outcome === 'answered');
    if (answered < 0) await this.#dropEarlyBridge(operation);
    return { attempts, ...(answered >= 0 && { answered }) };
  }

  /** Hangs up whatever was called. */
  async undo(operation: Operation): Promise<void> {
    const { channelIds } = this.#options;
    await Promise.all([
      ...channelIds.map((channelId) => operation.remove(channels.hangup({ channelId }))),
      this.#dropEarlyBridge(operation),
    ]);
  }

  async #inTurn(operation: Operation): Promise<DialAttempt[]> {
    const attempts: DialAttempt[] = [];
    for (const n of this.#options.endpoints.keys()) {
      const attempt = await this.#attempt(operation, n, operation.signal);
      attempts.push(attempt);
      if (attempt.outcome === 'answered') break;
    }
    return attempts;
  }

  /** The first to answer has it; who answers a moment later is hung up like those who still ring. */
  async #atOnce(operation: Operation, attempts: DialAttempt[]): Promise<DialAttempt[]> {
    const won = new AbortController();
    const signal = AbortSignal.any([operation.signal, won.signal]);
    await Promise.all(
      [...this.#options.endpoints.keys()].map(async (n) => {
        const attempt = await this.#attempt(operation, n, signal);
        const isLate = attempt.outcome === 'answered' && won.signal.aborted;
        if (isLate) await this.#hangUp(operation, n, 'answered_elsewhere');
        attempts[n] = isLate ? { ...attempt, outcome: 'cancelled' } : attempt;
        if (attempts[n]?.outcome === 'answered') won.abort();
      }),
    );
    return attempts;
  }

  async #attempt(operation: Operation, n: number, signal: AbortSignal): Promise<DialAttempt> {
    const { scope, dial, endpoints, channelIds } = this.#options;
    const endpoint = endpoints[n] as string;
    const channelId = channelIds[n] as string;
    const rung = new AbortController();
    const until = AbortSignal.any([signal, rung.signal, scope.over]);
    // After a takeover it may be over already: nobody is called twice, though the gateway may be another one too.
    const wasDecided = scope.events.has((event) => isDecision(event, channelId));
    const decided = scope.events.first((event) => isDecision(event, channelId), until);
    decided.catch(() => {});
    const { clock } = scope.host;
    const ringTimeoutMs = dial.ringTimeoutMs ?? RING_TIMEOUT_MS;
    let cancelTimer = clock.after(ringTimeoutMs, () => rung.abort());
    try {
      if (!wasDecided && !(await this.#call(operation, n, until))) return { endpoint, outcome: 'unreachable' };
      const ringsUntil = this.#options.ringsUntil ?? clock.now() + ringTimeoutMs;
      if (this.#options.ringsUntil === undefined) await this.#options.onRinging?.(ringsUntil);
      cancelTimer();
      cancelTimer = clock.after(Math.max(1, ringsUntil - clock.now()), () => rung.abort());
      const event = await decided;
      if (!isEndOf(event, channelId)) return { endpoint, outcome: 'answered' };
      const { cause } = await endOf(scope, channelId, event);
      return { endpoint, outcome: dialOutcomeOf(cause?.code), ...(cause && { cause }) };
    } catch (error) {
      if (error instanceof TrunkRefusedError)
        return { endpoint, outcome: 'congested', error: { code: error.code, message: error.message } };
      if (error instanceof CallCancelledError) return { endpoint, outcome: 'cancelled' };
      if (operation.signal.aborted || scope.over.aborted || !until.aborted) throw error;
      await this.#hangUp(operation, n, rung.signal.aborted ? 'no_answer' : 'answered_elsewhere');
      return { endpoint, outcome: rung.signal.aborted ? 'no-answer' : 'cancelled' };
    } finally {
      cancelTimer();
    }
  }

  /** Makes the channel, and lets it ring. @returns false when the PBX does not know a way to the endpoint */
  async #call(operation: Operation, n: number, signal: AbortSignal): Promise<boolean> {
    const { scope, originator, dial, endpoints, channelIds, earlyBridgeId } = this.#options;
    const channelId = channelIds[n] as string;
    const { status } = await operation.command(
      channels.create({
        endpoint: endpoints[n] as string,
        app: scope.host.app,
        channelId,
        ...(originator === undefined ? { appArgs: ORIGINATED } : { originator }),
        variables: { ...dial.variables, ...callerIdVariables(dial.callerId) },
      }),
    );
    if (status >= 400 && status !== EXISTS) return false;
    // It is made before it is in our application; until then Asterisk answers 409 to all that is asked of it.
    const isThere = (event: CallEvent) => isStartOf(event, channelId) || isDecision(event, channelId);
    await scope.events.first(isThere, signal);
    if (earlyBridgeId !== undefined) {
      await operation.make(bridges.createWithId({ bridgeId: earlyBridgeId, type: BRIDGE_TYPE }));
      const channel = [scope.caller.id, channelId];
      // Or the bridge would show the caller's number, whatever is wanted.
      const inhibitConnectedLineUpdates = dial.callerId !== undefined;
      await operation.commandOk(bridges.addChannel({ bridgeId: earlyBridgeId, channel, inhibitConnectedLineUpdates }));
    }
    // Without `caller` nothing of the caller's identity is passed on.
    const caller = dial.callerId === undefined ? originator : undefined;
    const dialled = await operation.command(channels.dial({ channelId, caller }));
    // 409: it rings already, since an earlier gateway had it dialled.
    return dialled.status < 400 || dialled.status === EXISTS;
  }

  async #hangUp(operation: Operation, n: number, reason: 'answered_elsewhere' | 'no_answer'): Promise<void> {
    await operation.remove(channels.hangup({ channelId: this.#options.channelIds[n] as string, reason }));
  }

  async #dropEarlyBridge(operation: Operation): Promise<void> {
    const { earlyBridgeId } = this.#options;
    if (earlyBridgeId !== undefined) await operation.remove(bridges.destroy({ bridgeId: earlyBridgeId }));
  }
}

const EXISTS = 409;

/** It answered, or it is over. */
function isDecision(event: CallEvent, channelId: string): boolean {
  if (isEndOf(event, channelId)) return true;
  const isUp = (event.data as ChannelEventData).channel?.state === 'Up';
  return isUp && isOf(event, channelId);
}

/** What Asterisk shows to the other side is the channel's connected line. */
function callerIdVariables(callerId: DialOptions['callerId']): Record<string, string> {
  if (!callerId) return {};
  return {
    'CONNECTEDLINE(num,i)': callerId.number,
    ...(callerId.name !== undefined && { 'CONNECTEDLINE(name,i)': callerId.name }),
  };
}

/** The most telling of what became of all. */
export function reasonOf(attempts: readonly DialAttempt[]): Exclude<Dialed, { answered: true }>['reason'] {
  const order = ['busy', 'no-answer', 'rejected', 'congested'] as const;
  return order.find((reason) => attempts.some(({ outcome }) => outcome === reason)) ?? 'unreachable';
}
