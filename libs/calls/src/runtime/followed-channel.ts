import type { CallEvent } from '@callfleet/bus';

/**
 * A channel, and whatever takes its place in Stasis: a phone that transfers its call, or one that picks it up. The party is the
 * same to a program; only its id is another.
 */
export class FollowedChannel {
  /** Every id that it has had, the present one last. */
  readonly ids: string[];

  constructor(id: string) {
    this.ids = [id];
  }

  get id(): string {
    return this.ids.at(-1) as string;
  }

  /** Told every event of the call, before anybody else who goes by its id. */
  hear(event: CallEvent): void {
    if (event.type !== 'ari.StasisStart') return;
    const { channel, replace_channel: replaced } = event.data as Record<string, { readonly id?: string } | undefined>;
    if (replaced?.id === this.id && channel?.id !== undefined) this.ids.push(channel.id);
  }
}
