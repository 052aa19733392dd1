/** What Xen keeps about each machine frame: owner, references, type and type references. One typed array a field. */

import { DOMID } from '#spec/abi/xen.ts';
import { digestText, mixFirst, mixSecond, packFrame } from '#spec/digest.ts';
import { FRAME_TYPES, type FrameObservation } from '#spec/observation.ts';

/**
 * Values of `FrameTable.type`: indices into the specification's FRAME_TYPES; and the kind of L2 whose upper slots are Xen's, to which slot 3 of a
 * 32-bit domain's L3 leads.
 */
export const PGT = { none: 0, writable: 1, l1: 2, l2: 3, l3: 4, l4: 5, seg_desc: 6, shared: 7, xen_l2: 8 } as const;
const typeName = (type: number) => FRAME_TYPES[type === PGT.xen_l2 ? PGT.l2 : type];

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
  /** Time of the TLB clock at which the last use ended; whether a free frame was some domain's. */
  readonly lastUse: Uint32Array;
  readonly needFlush: Uint8Array;
  /** What is to happen when a frame's last reference is given back. */
  onLastReference: (mfn: number) => void = () => undefined;
  /** Frames touched since the last digest, each once; null before the first one, which looks at all. */
  private stale: number[] | null = null;
  private readonly isStale: Uint8Array;
  private readonly firstTerms: Int32Array;
  private readonly secondTerms: Int32Array;
  private first = 0;
  private second = 0;

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
    this.lastUse = new Uint32Array(count);
    this.needFlush = new Uint8Array(count);
    this.isStale = new Uint8Array(count);
    this.firstTerms = new Int32Array(count);
    this.secondTerms = new Int32Array(count);
  }

  /** The frame's owner, references, type or pin are about to change. */
  touch(mfn: number): void {
    if (this.stale === null || this.isStale[mfn] === 1) return;
    this.isStale[mfn] = 1;
    this.stale.push(mfn);
  }

  /** Digest of all frame states (spec/digest.ts). Costs time in proportion to the frames touched since the last call. */
  digest(): string {
    if (this.stale === null) for (let mfn = 0; mfn < this.count; mfn++) this.refresh(mfn);
    else for (const mfn of this.stale) this.refresh(mfn);
    this.stale = [];
    return digestText(this.first, this.second);
  }

  private refresh(mfn: number): void {
    const frame = this.observe(mfn);
    let first = 0;
    let second = 0;
    if (frame !== null) {
      const [lo0, hi0, lo1, hi1] = packFrame(frame);
      first = (mixFirst(mfn, 0, lo0, hi0) + mixFirst(mfn, 1, lo1, hi1)) | 0;
      second = (mixSecond(mfn, 0, lo0, hi0) + mixSecond(mfn, 1, lo1, hi1)) | 0;
    }
    this.first = (this.first + first - this.firstTerms[mfn]) | 0;
    this.second = (this.second + second - this.secondTerms[mfn]) | 0;
    this.firstTerms[mfn] = first;
    this.secondTerms[mfn] = second;
    this.isStale[mfn] = 0;
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
      type: typeRefs === 0 ? 'none' : typeName(this.type[mfn]),
      type_refs: typeRefs,
      pinned: (this.flags[mfn] & PGF.pinned) !== 0,
      ...((this.flags[mfn] & PGF.allocated) === 0 && { allocated: false as const }),
      partial: (this.flags[mfn] & PGF.partial) === 0 ? null : { entries: this.nrValidated[mfn], nested: this.partialSet[mfn] !== 0 },
    };
  }
}
