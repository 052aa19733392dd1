/** One of the two pages of a copy, in use from one element to the next. */
import { GNTST } from '#spec/abi/grant_table.ts';
import { DOMID } from '#spec/abi/xen.ts';
import type { Domain } from '../domain.ts';
import { PGT } from '../frame_table.ts';
import { scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { getPage, putPage } from '../mm/page.ts';
import { getPageType, putPageType } from '../mm/page_type.ts';
import { unsigned } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { ACQUIRED, acquireForCopy, releaseForCopy } from './acquire_for_copy.ts';

export class CopyBuffer {
  readonly readonly: boolean;
  /** Where in the element its frame or reference is, and its domain's number. */
  readonly at: number;
  readonly domidAt: number;
  domain: Domain | null = null;
  domid = 0;
  /** Where the bytes are; the reference is held of `page`, which 4.14 lets be another frame. */
  mfn = 0;
  private page = 0;
  /** What is held: everything (`isReady`), or some of it after a failure. */
  private isReady = false;
  private hasPage = false;
  private hasGrant = false;
  private hasType = false;
  /** Frame, or in the lower half the reference, that it was claimed for last. */
  private nameLo = 0;
  private nameHi = 0;
  private start = 0;
  private length = 0;

  constructor(readonly: boolean, at: number, domidAt: number) {
    this.readonly = readonly;
    this.at = at;
    this.domidAt = domidAt;
  }

  /** Whether the element in the scratch buffer names the same domain as the one before. */
  isOfSameDomain(): boolean {
    return this.domain !== null && scratch.getUint16(this.domidAt, true) === this.domid;
  }

  covers(from: number, bytes: number): boolean {
    return from >= this.start && from + bytes <= this.start + this.length;
  }

  /** Have the page of the element in the scratch buffer ready. Answers a GNTST or RESTART; what was taken before a failure is released later. */
  claim(machine: Machine, vcpu: Vcpu, byGrant: boolean): number {
    const lo = scratch.getInt32(this.at, true);
    const hi = scratch.getInt32(this.at + 4, true);
    if (this.isReady && this.isNamedBy(machine, byGrant, lo, hi)) return GNTST.okay;
    this.release(machine, vcpu);
    const { frames } = machine;
    const domain = this.domain!;
    if (byGrant) {
      const status = acquireForCopy(machine, domain, lo >>> 0, vcpu.domain.domid, this.readonly, true);
      if (status !== GNTST.okay) return status;
      this.hasGrant = true;
      this.mfn = ACQUIRED.mfn;
      this.page = ACQUIRED.page;
      this.start = ACQUIRED.start;
      this.length = ACQUIRED.length;
    } else {
      // By a frame a caller names pages of its own only, as DOMID_SELF.
      if (this.domid !== DOMID.SELF) {
        if (machine.ways['copy-others_frame'] !== 'with its domain') return GNTST.permission_denied;
        // The domains were looked up for an element before, which named them by grants.
        if (domain !== vcpu.domain) machine.notModelled(vcpu, 'grant_table_op/copy-frame_of_other');
      }
      const mfn = unsigned(lo, hi);
      if (!getPage(frames, mfn, domain.domid)) return GNTST.bad_page;
      this.mfn = mfn;
      this.page = mfn;
      this.nameHi = hi;
      this.start = 0;
      this.length = 4096;
    }
    this.nameLo = lo;
    this.hasPage = true;
    if (!this.readonly) {
      if (getPageType(machine, vcpu, this.page, PGT.writable) !== 0) return GNTST.general_error;
      this.hasType = true;
    }
    this.isReady = true;
    return GNTST.okay;
  }

  /** A new batch: nothing is held, no name is known. What a batch that came to no end held is no longer anybody's. */
  reset(): void {
    this.isReady = false;
    this.hasGrant = false;
    this.hasType = false;
    this.hasPage = false;
    this.nameLo = 0;
    this.nameHi = 0;
    this.domain = null;
  }

  /** A reference lies in the lower half of where a frame's number lies. */
  private isNamedBy(machine: Machine, byGrant: boolean, lo: number, hi: number): boolean {
    if (byGrant) return this.hasGrant && lo === this.nameLo;
    const isSameKind = !this.hasGrant || machine.ways['copy-kept'] === 'by number';
    return isSameKind && lo === this.nameLo && hi === this.nameHi;
  }

  release(machine: Machine, vcpu: Vcpu): void {
    this.isReady = false;
    if (this.hasGrant) releaseForCopy(machine, this.domain!, this.nameLo >>> 0, this.readonly);
    if (this.hasType) putPageType(machine, vcpu, this.page);
    if (this.hasPage) putPage(machine.frames, this.page);
    this.hasGrant = false;
    this.hasType = false;
    this.hasPage = false;
  }
}
