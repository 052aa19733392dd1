/** Whose a frame is, and which are a device's. */
import { IOMEM_READ_ONLY, LOW_MIB_FRAMES } from '#spec/abi/iomem.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { frame } from '../lens.ts';
import type { Machine } from '../machine.ts';

/** A frame of RAM or of the first MiB: one that Xen has a record of. */
export const isKnown = (machine: Machine, mfn: number): boolean => mfn < machine.config.frames;

const isM2p = (machine: Machine, mfn: number): boolean => {
  const { layout, frames } = machine.config;
  return (mfn >= layout.m2p_first && mfn < layout.m2p_first + Math.ceil(frames / 512)) || isCompatM2p(machine, mfn);
};

/** compat/m2p-table: the table of 32-bit domains, when there are any. */
const isCompatM2p = ({ config: { layout, frames }, domains }: Machine, mfn: number): boolean => {
  const first = layout.compat_m2p_first;
  if (first === undefined || mfn < first || mfn >= first + Math.ceil(frames / 1024)) return false;
  return domains.some(({ pv32 }) => pv32 !== undefined);
};

/**
 * The owner for whom references can be taken: a domain, DOMID_IO for the first MiB, DOMID_XEN for the machine-to-phys table. Null
 * for free frames and Xen's own, and for frames that Xen has no record of.
 */
export const ownerOf = (machine: Machine, mfn: number): number | null => {
  if (!isKnown(machine, mfn)) return null;
  if (mfn < LOW_MIB_FRAMES) return DOMID.IO;
  if (isM2p(machine, mfn)) return DOMID.XEN;
  return frame(machine, mfn)!.owner;
};

/** References to these frames are not counted: nobody can tell, because they never change hands. */
export const isCounted = (machine: Machine, mfn: number): boolean => mfn >= LOW_MIB_FRAMES && !isM2p(machine, mfn);

export const isIoMemory = (machine: Machine, mfn: number): boolean => !isKnown(machine, mfn) || mfn < LOW_MIB_FRAMES;

/** Pages of Xen's that guests map: shared info, grant tables, machine-to-phys table. */
export const isXenPage = (machine: Machine, mfn: number): boolean => {
  const { xenheap_first, xenheap_end } = machine.config.layout;
  return isM2p(machine, mfn) || (mfn >= xenheap_first && mfn < xenheap_end);
};

export const isReadOnlyIo = (mfn: number): boolean => IOMEM_READ_ONLY.includes(mfn);
