/** Frames that are not RAM, and who may map them. */
import { ERRNO } from '#spec/abi/errno.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { type FrameTable, PGF, PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import { CACHE_ATTRIBUTES, INVALID_FRAME, PTE } from './entry.ts';

/** Frames below 1 MiB: Xen takes them all for device memory, the RAM among them too. */
const LOW_END = 0x100;
export const IO_APIC_FRAME = 0xfec00;
/** Mapped read-only whatever the entry says: I/O APIC, HPET. */
const READ_ONLY: readonly number[] = [IO_APIC_FRAME, 0xfed00];

/** Whether a device is one that domain 0 may map, but never write. */
export const isReadOnlyIo = (mfn: number): boolean => READ_ONLY.includes(mfn);

/** Give the first megabyte to the pseudo-domain that owns device memory; done once, when the machine is made. */
export const assignIoFrames = (frames: FrameTable): void => {
  for (let mfn = 0; mfn < LOW_END; mfn++) {
    frames.owner[mfn] = DOMID.IO;
    frames.refs[mfn] = 1;
    frames.type[mfn] = PGT.writable;
    frames.typeRefs[mfn] = 1;
    frames.flags[mfn] = PGF.validated | PGF.allocated;
  }
};

/** Device memory: the first megabyte, and all beyond RAM. */
export const isIoFrame = (frames: FrameTable, mfn: number): boolean => mfn >= frames.count || frames.owner[mfn] === DOMID.IO;

/** Whether a domain may map the frame as device memory. */
const permitted = (machine: Machine, domid: number, mfn: number): boolean =>
  machine.domainById(domid)?.ioFrames.contains(mfn, mfn) === true;

/**
 * May an L1 entry of `tableOwner` with flags `lo` lead to this device frame, which `pgOwner` hands over? A negative errno, or the flags that
 * have to be flipped: device memory is never cached, and some is never writable.
 */
export const checkIoMapping = (machine: Machine, lo: number, mfn: number, tableOwner: number, pgOwner: number): number => {
  if (!permitted(machine, pgOwner, mfn) || (pgOwner !== tableOwner && !permitted(machine, tableOwner, mfn))) {
    return mfn === INVALID_FRAME ? -ERRNO.EINVAL : -ERRNO.EPERM;
  }
  const flip = READ_ONLY.includes(mfn) ? lo & PTE.RW : 0;
  switch (lo & CACHE_ATTRIBUTES) {
    case 0:
      return flip | PTE.PWT | PTE.PCD;
    case PTE.PWT:
    case PTE.PWT | PTE.PAT:
      return flip | PTE.PCD | (lo & PTE.PAT);
    default:
      return flip;
  }
};
