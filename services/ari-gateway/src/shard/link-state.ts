import { whyAway } from './why-away.ts';

/** How a shard's link is; `away` with what keeps it, and what mends that. */
export type LinkState = { readonly state: 'syncing' | 'connected' } | { readonly state: 'away'; readonly why: string };

export const awayFor = (error: unknown): LinkState => ({ state: 'away', why: whyAway(error) });
