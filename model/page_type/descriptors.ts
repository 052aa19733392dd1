/** Descriptors that a PV guest may have in its tables. Chapter: spec/chapters/descriptor.md, "Which descriptors Xen accepts". */
import { DESCRIPTOR, DESCRIPTORS_PER_PAGE, XEN_GDT_FIRST } from '#spec/abi/descriptor.ts';
import { FLAT } from '#spec/abi/xen.ts';
import { cite } from '../journal.ts';
import { findDomain, setMemory } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { readWord, writeWord } from '../memory/memory.ts';
import { equal, type Word, word } from '../word/word.ts';
import { accepted32 } from './descriptors32.ts';
import { ownerOf } from './owner.ts';
import { allow, refuse, type Verdict } from './verdict.ts';

const LOCAL = 4;
const RPL = 3;
/** Bits of a gate's upper half that must be zero: the parameter count, and those beside it. */
const GATE_RESERVED = 0xff;

/** A gate may lead to the guest's own segments and to Xen's flat code segment. */
const isGateTarget = (selector: number): boolean => selector < XEN_GDT_FIRST || selector === FLAT.RING3_CS64 || (selector & LOCAL) !== 0;

/** The descriptor as Xen lets it stand in a table of this domain, or null when it does not. */
export const acceptedOf = (machine: Machine, domid: number, descriptor: Word): Word | null => {
  const pv32 = pv32Of(machine, domid);
  return pv32 ? accepted32(descriptor, pv32.virtStart) : accepted(descriptor);
};

const pv32Of = (machine: Machine, domid: number) => findDomain(machine, domid)?.pv32;

/** For a domain with a 64-bit kernel. */
export const accepted = (descriptor: Word): Word | null => {
  const { hi, lo } = descriptor;
  if ((hi & DESCRIPTOR.P) === 0) return descriptor;
  if ((hi & DESCRIPTOR.S) !== 0) return word(hi | DESCRIPTOR.DPL, lo);
  if ((hi & DESCRIPTOR.TYPE) === 0) return descriptor;
  const target = lo >>> 16;
  if ((hi & DESCRIPTOR.TYPE) !== DESCRIPTOR.CALL_GATE || !isGateTarget(target) || (hi & GATE_RESERVED) !== 0) return null;
  return word(hi & ~DESCRIPTOR.DPL, (lo & 0xffff) | ((target | RPL) << 16));
};

/** A frame is to become a descriptor page: each of its descriptors is looked at, and written as Xen lets it stand. */
export const validateDescriptors = (machine: Machine, mfn: number): Verdict => {
  let { memory } = machine;
  const owner = ownerOf(machine, mfn)!;
  for (let index = 0; index < DESCRIPTORS_PER_PAGE; index++) {
    const found = readWord(memory, mfn, index);
    const adjusted = acceptedOf(machine, owner, found);
    if (adjusted === null) return refuse(setMemory(machine, memory), 'EINVAL', 'descriptor/page-refused');
    if (!equal(found, adjusted)) memory = writeWord(memory, mfn, index, adjusted);
  }
  const validated = cite(setMemory(machine, memory), 'descriptor/page-validated');
  return allow(pv32Of(machine, owner) ? cite(validated, 'compat/descriptor-accepted') : validated);
};
