/** Control registers as a PV guest sees them. Chapter: spec/chapters/emulation.md. */
import type { VcpuRef } from '#spec/event.ts';
import { newBaseptr } from '../hypercall/mm/baseptr.ts';
import { cite } from '../journal.ts';
import { domainOf, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { readWord } from '../memory/memory.ts';
import { ownerOf } from '../page_type/owner.ts';
import { frameOf } from '../page_type/pte.ts';
import { setVcpuInfoWord } from '../vcpu_info.ts';
import { fromNumber, type Word, word } from '../word/word.ts';

/** CR0 but for TS: PE MP ET NE WP AM PG. */
const CR0 = 0x80050033 | 0;
const CR0_TS = 8;
/** Bits of CR4 that the guest chooses: TSD DE FSGSBASE OSXSAVE; and those that it sees as Xen has them: PAE MCE OSFXSR OSXMMEXCPT. */
const CR4_GUEST = 0x5000c;
const CR4_XEN = 0x660;

/** The frame that a value of CR3 names: all bits from 12 up. */
export const frameOfCr3 = (cr3: Word): number => (cr3.hi >>> 0) * 0x100000 + (cr3.lo >>> 12);

/** The frame that a CR3 of four bytes names: its low twelve bits are the uppermost of the frame's number. */
export const frameOfNarrowCr3 = (cr3: number): number => ((cr3 >>> 12) | (cr3 << 20)) >>> 0;

const narrowCr3Of = (mfn: number): Word => word(0, (mfn << 12) | (mfn >>> 20));

/** compat/cr3: a 32-bit guest sees the L3 in the first entry of the L4, which is Xen's. */
const readCr3 = (machine: Machine, at: VcpuRef): Word => {
  const { kernelTable } = vcpuOf(machine, at);
  return domainOf(machine, at.domid).pv32 ? narrowCr3Of(frameOf(readWord(machine.memory, kernelTable, 0))) : fromNumber(kernelTable * 4096);
};

/** CR4 after the guest asked for `value`: what it may not choose stays. */
export const fixGuestCr4 = (value: Word): Word => {
  return word(0, (value.lo & CR4_GUEST) | CR4_XEN);
};

/** CR0, CR2, CR3 or CR4; null for any other. */
export const readControlRegister = (machine: Machine, at: VcpuRef, number: number): Word | null => {
  const vcpu = vcpuOf(machine, at);
  switch (number) {
    case 0:
      return word(0, vcpu.taskSwitched ? CR0 | CR0_TS : CR0);
    case 2:
      return vcpu.cr2;
    case 3:
      return readCr3(machine, at);
    case 4:
      return vcpu.cr4;
    default:
      return null;
  }
};

/** `retry`: page tables were interrupted half way, and the instruction is to run again. */
export type ControlWrite = { readonly machine: Machine; readonly ok: boolean; readonly retry?: true };

/** Write a control register. Not ok: the guest gets #GP(0). */
export const writeControlRegister = (machine: Machine, at: VcpuRef, number: number, value: Word): ControlWrite => {
  switch (number) {
    case 0: {
      const onlyTs = value.hi === 0 && ((value.lo ^ CR0) & ~CR0_TS) === 0;
      if (!onlyTs) return { machine: cite(machine, 'emulation/cr0-fixed'), ok: false };
      return { machine: updateVcpu(cite(machine, 'emulation/cr0-ts'), at, { taskSwitched: (value.lo & CR0_TS) !== 0 }), ok: true };
    }
    case 2:
      return { machine: setVcpuInfoWord(updateVcpu(cite(machine, 'emulation/cr2'), at, { cr2: value }), at, 'cr2', value), ok: true };
    case 3: {
      const { pv32 } = domainOf(machine, at.domid);
      const mfn = pv32 ? frameOfNarrowCr3(value.lo) : frameOfCr3(value);
      if (ownerOf(machine, mfn) !== at.domid) return { machine: cite(machine, 'emulation/cr3-refused'), ok: false };
      const taken = newBaseptr(pv32 ? cite(machine, 'compat/cr3') : machine, at, mfn);
      if (taken.errno === 'ERESTART') return { machine: cite(taken.machine, 'emulation/cr3-preempted'), ok: true, retry: true };
      return { machine: cite(taken.machine, taken.errno ? 'emulation/cr3-refused' : 'emulation/cr3'), ok: !taken.errno };
    }
    case 4:
      return { machine: updateVcpu(cite(machine, 'emulation/cr4'), at, { cr4: fixGuestCr4(value) }), ok: true };
    default:
      return { machine: cite(machine, 'emulation/cr_other'), ok: false };
  }
};
