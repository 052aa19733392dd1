/** Descriptors that Xen lets a guest have in its tables: those that cannot lead into Xen. */
import { COMPAT_KERNEL_CS } from '../compat/selectors.ts';
import type { Domain } from '../domain.ts';
import type { Machine } from '../machine.ts';

/** Bits of a descriptor's upper half. */
const PRESENT = 0x8000;
const DPL = 0x6000;
const ORDINARY = 0x1000;
const TYPE = 0xf00;
const CALL_GATE = 0xc00;
/** Of a call gate's upper half; zero. */
const GATE_RESERVED = 0xff;
const DPL_SHIFT = 13;

/** Selectors from here on are Xen's own, and the one of them that a gate may lead to. */
const FIRST_RESERVED = 0xe000;
const GUEST_CODE = 0xe033;
const IN_LDT = 4;

const DESCRIPTORS = 512;

/** The descriptor as Xen would have it; what `checkDescriptor` has made of the last one. */
export const checked = { lo: 0, hi: 0 };

const isGateTarget = (selector: number): boolean => selector < FIRST_RESERVED || selector === GUEST_CODE || (selector & IN_LDT) !== 0;

/**
 * Whether Xen accepts the descriptor, which is in `checked` then: for ring 3 whatever it asked for. A call gate is made to fault whoever uses
 * it, and keeps the privilege it asked for in its selector.
 */
export const checkDescriptor = (lo: number, hi: number, owner?: Domain): boolean => {
  if (owner?.compat) return checkCompatDescriptor(lo, hi, owner.hypervisorStart);
  checked.lo = lo;
  checked.hi = hi;
  if ((hi & PRESENT) === 0) return true;
  if ((hi & ORDINARY) !== 0) {
    checked.hi = hi | DPL;
    return true;
  }
  const type = hi & TYPE;
  if (type === 0) return true;
  if (type !== CALL_GATE || !isGateTarget(lo >>> 16) || (hi & GATE_RESERVED) !== 0) return false;
  checked.hi = hi & ~DPL;
  checked.lo = lo | ((DPL >> DPL_SHIFT) << 16);
  return true;
};

/** Bits of a 32-bit guest's descriptors. */
const LONG = 1 << 21;
const GRANULAR = 1 << 23;
const COMPAT_GATE_RESERVED = 0xe0;
const KERNEL_RING = 1;

/** The same for a 32-bit domain: rings 1 to 3, no 64-bit code. A flat segment that reaches into Xen's part reaches all of it. */
const checkCompatDescriptor = (lo: number, hi: number, hypervisor: number): boolean => {
  checked.lo = lo;
  checked.hi = hi;
  if ((hi & PRESENT) === 0) return true;
  const dpl = Math.max((hi >>> DPL_SHIFT) & 3, KERNEL_RING);
  const type = hi & TYPE;
  if ((hi & ORDINARY) !== 0) {
    if ((hi & LONG) !== 0) return false;
    checked.hi = (hi & ~DPL) | (dpl << DPL_SHIFT);
    const base = (hi & 0xff000000) | ((hi & 0xff) << 16) | (lo >>> 16);
    const units = ((hi & 0xf0000) | (lo & 0xffff)) + 1;
    if (base !== 0 || ((hi & GRANULAR) !== 0 ? units * 4096 : units) <= hypervisor) return true;
    checked.lo |= 0xffff;
    checked.hi |= 0xf0000;
    return true;
  }
  if (type === 0) return true;
  const selector = lo >>> 16;
  const leads = selector < FIRST_RESERVED || selector === COMPAT_KERNEL_CS || (selector & IN_LDT) !== 0;
  if (type !== CALL_GATE || !leads || (hi & COMPAT_GATE_RESERVED) !== 0) return false;
  checked.hi = hi & ~DPL;
  checked.lo = (lo & 0xffff) | (((selector & ~3) | dpl) << 16);
  return true;
};

/** All descriptors of a frame, put right in place up to the first that Xen refuses. */
export const checkDescriptorPage = (machine: Machine, mfn: number): boolean => {
  const { memory } = machine;
  const owner = machine.domainById(machine.frames.owner[mfn]);
  const start = mfn * 4096;
  const { words } = memory;
  for (let at = start; at < start + 8 * DESCRIPTORS; at += 8) {
    // What is not present is let be.
    if ((words[(at >> 2) + 1] & PRESENT) === 0) continue;
    const lo = memory.view.getInt32(at, true);
    const hi = memory.view.getInt32(at + 4, true);
    if (!checkDescriptor(lo, hi, owner)) return false;
    if (checked.lo !== lo || checked.hi !== hi) memory.writeHalves(at, checked.lo, checked.hi);
  }
  return true;
};
