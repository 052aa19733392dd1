/** How small the machine is in which a domain dies: its ports, what it grants or maps, and where its end may stop. */
import { HOST_READ, HOST_WRITE } from '../grants/scope.ts';

export type DeathScope = {
  /** Domains that domain 0 may destroy, at any point. */
  readonly mortals: readonly number[];
  /** The two ends of channels; one of them is mortal. */
  readonly domids: readonly [number, number];
  /** Ports 1 to this one of each; a transition that wants a further one is cut off. */
  readonly ports: number;
  /** Who grants a frame to whom, by one grant at one entry; null: nobody. */
  readonly grant: { readonly granter: number; readonly mapper: number } | null;
  /** A call of destroydomain may stop at its question of this number (from 1), again and again until it is over; none: it never stops. */
  readonly stops: readonly number[];
};

/** Mappings that a granted frame may have. */
export const KINDS = [HOST_WRITE, HOST_READ] as const;
export const HANDLES = 1;
