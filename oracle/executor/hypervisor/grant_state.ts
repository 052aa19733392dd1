/** What Xen keeps about a domain's grants besides the entries in guest memory. */
import { GRANT_V1_PER_FRAME, GRANT_V2_PER_FRAME } from '#spec/abi/grant_table.ts';
import type { ActiveGrantObservation, MaptrackObservation } from '#spec/observation.ts';
import { Maptrack } from './grant_table/maptrack.ts';

/** A grant reference that somebody uses; counts by kind of mapping as Xen keeps them (a copy counts as a host mapping while it lasts). */
export class ActiveGrant {
  mfn = 0;
  domid = 0;
  hostRead = 0;
  hostWrite = 0;
  deviceRead = 0;
  deviceWrite = 0;
  /** Bytes of the frame that may be used; all of them unless `isSubPage`, which bars mappings. */
  isSubPage = false;
  start = 0;
  length = 4096;
  /** Whose grant it passes on, and which; itself when it is none such. */
  transDomid = 0;
  transRef = 0;

  isPinned(): boolean {
    return (this.hostRead | this.hostWrite | this.deviceRead | this.deviceWrite) !== 0;
  }
  /** One of the counts has no room for another use. */
  isAnyFull(): boolean {
    return ((this.hostRead | this.hostWrite | this.deviceRead | this.deviceWrite) & 0x80) !== 0;
  }
  isWritePinned(): boolean {
    return (this.hostWrite | this.deviceWrite) !== 0;
  }
}

export class GrantState {
  version: 1 | 2 = 1;
  /** Frames of the shared table, in order. */
  readonly frames: number[] = [];
  /** Frames with the marks of use of version 2; none in version 1. */
  readonly statusFrames: number[] = [];
  /** By reference; only those that are pinned. */
  readonly active = new Map<number, ActiveGrant>();
  readonly maptrack = new Maptrack();

  /** How many references the table has room for. */
  entries(): number {
    return this.frames.length * (this.version === 1 ? GRANT_V1_PER_FRAME : GRANT_V2_PER_FRAME);
  }

  observeActive(): ActiveGrantObservation[] {
    return [...this.active.entries()]
      .sort(([a], [b]) => a - b)
      .map(([ref, { mfn, domid, hostRead, hostWrite, deviceRead, deviceWrite }]) => ({
        ref,
        mfn,
        domid,
        host_read: hostRead,
        host_write: hostWrite,
        device_read: deviceRead,
        device_write: deviceWrite,
      }));
  }

  observeMaptrack(): MaptrackObservation[] {
    return this.maptrack.observe();
  }
}
