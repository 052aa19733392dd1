/** What is delivered through the interrupt descriptor table. */

/**
 * `fault`: an exception of the instruction at RIP; `trap`: one of the instruction before; `software`: INT n, INT3, INTO; `int1`;
 * `external`: an interrupt that was acknowledged; `nmi`.
 */
export type EventSource = 'fault' | 'trap' | 'software' | 'int1' | 'external' | 'nmi';

export type Event = { readonly vector: number; readonly error: number | null; readonly source: EventSource };
