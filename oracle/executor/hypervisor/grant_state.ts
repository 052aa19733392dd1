/** What Xen keeps about a domain's grants besides the entries in guest memory. */

/** A grant reference that somebody maps; counts by kind of mapping as Xen keeps them. */
export class ActiveGrant {
  mfn = 0;
  domid = 0;
  hostRead = 0;
  hostWrite = 0;
  deviceRead = 0;
  deviceWrite = 0;
}

/** One mapping that this domain holds of another's grant; the handle is its index in `GrantState.maptrack`. */
export type Maptrack = { domid: number; ref: number; flags: number };

export class GrantState {
  /** Frames of the shared table, in order. */
  readonly frames: number[] = [];
  readonly active = new Map<number, ActiveGrant>();
  readonly maptrack: (Maptrack | null)[] = [];
  version = 1;
}
