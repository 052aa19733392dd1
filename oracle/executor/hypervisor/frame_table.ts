/** What Xen keeps about each machine frame: owner, references, type and type references. One typed array a field. */

import { DOMID } from '#spec/abi/xen.ts';
import { FRAME_TYPES, type FrameObservation } from '#spec/observation.ts';

/** Values of `FrameTable.type`: indices into the specification's FRAME_TYPES. */
export const PGT = { none: 0, writable: 1, l1: 2, l2: 3, l3: 4, l4: 5, seg_desc: 6, shared: 7 } as const;

/** `FrameTable.owner` of a frame that nobody owns. */
export const NO_OWNER = -1;

/** Bits of `FrameTable.flags`. */
export const PGF = {
  /** Pinned as its type by mmuext_op. */
  pinned: 1,
  /** The contents were checked against the type. */
  validated: 2,
  /** Belongs to its owner's allocation; that is one of `refs`. */
  allocated: 4,
  /** Comes from Xen's heap (shared info, grant frames, machine-to-physical table). */
  xenheap: 8,
  /** A page table that is validated up to `nrValidated`; holds one of `refs` more. */
  partial: 16,
} as const;

export class FrameTable {
  readonly count: number;
  /** Domid; DOMID.XEN for Xen's own, DOMID.IO for device memory; NO_OWNER when free. */
  readonly owner: Int32Array;
  readonly refs: Int32Array;
  readonly type: Uint8Array;
  readonly typeRefs: Int32Array;
  readonly flags: Uint8Array;
  /** Page tables: entries validated so far, and whether the one after them holds a reference. */
  readonly nrValidated: Uint16Array;
  readonly partialSet: Uint8Array;
  /** Page tables: positive, how many tables of the same kind it refers to; negative, how many refer to it. */
  readonly linear: Int16Array;

  constructor(count: number) {
    this.count = count;
    this.owner = new Int32Array(count).fill(NO_OWNER);
    this.refs = new Int32Array(count);
    this.type = new Uint8Array(count);
    this.typeRefs = new Int32Array(count);
    this.flags = new Uint8Array(count);
    this.nrValidated = new Uint16Array(count);
    this.partialSet = new Uint8Array(count);
    this.linear = new Int16Array(count);
  }

  /** The frame as the judge sees it; null when no domain has a part in it. A type without references reads as `none`. */
  observe(mfn: number): FrameObservation | null {
    const owner = this.owner[mfn];
    if (owner < 0 || owner >= DOMID.FIRST_RESERVED) return null;
    const typeRefs = this.typeRefs[mfn];
    return {
      mfn,
      owner,
      refs: this.refs[mfn],
      type: typeRefs === 0 ? 'none' : FRAME_TYPES[this.type[mfn]],
      type_refs: typeRefs,
      pinned: (this.flags[mfn] & PGF.pinned) !== 0,
    };
  }
}
