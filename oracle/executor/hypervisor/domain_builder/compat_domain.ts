/** What is other about a domain with a 32-bit kernel when it is built. */
import { XEN_DESCRIPTORS_PV32 } from '#spec/abi/descriptor.ts';
import { BadInput } from '#spec/failure.ts';
import { CS, DS, ES, FS, GS, SS_REG } from '../../cpu/interface.ts';
import { COMPAT_KERNEL_CS, COMPAT_KERNEL_DS } from '../compat/selectors.ts';
import type { Domain } from '../domain.ts';
import { INFO_32 } from '../info_layout.ts';
import type { Machine } from '../machine.ts';
import { COMPAT_START, hypervisorStart } from '../mm/compat_slots.ts';
import { allocateCompatL4, buildCompatTables } from './compat_tables.ts';
import type { VirtualLayout } from './layout.ts';
import type { XenNotes } from './notes.ts';

const LARGE_PAGE = 0x200000n;

/** Where Xen begins for the kernel. Throws BadInput when it wants Xen to begin too high. */
export const compatHypervisor = ({ hvStartLow }: XenNotes, frames: number): number => {
  const low = hvStartLow === null ? null : ((hvStartLow + LARGE_PAGE - 1n) / LARGE_PAGE) * LARGE_PAGE;
  if (low !== null && low > BigInt(COMPAT_START)) throw new BadInput('ELF image: expects too high a hypervisor start address');
  return hypervisorStart(frames, low === null ? null : Number(low));
};

export const beCompat = (domain: Domain, hypervisor: number): void => {
  domain.compat = true;
  domain.info = INFO_32;
  domain.hypervisorStart = hypervisor;
};

/** An L4 of Xen's for each vCPU; the first one's has the initial tables. Answers that one. */
export const startCompatTables = (machine: Machine, domain: Domain, layout: VirtualLayout, first: number): number => {
  for (const vcpu of domain.vcpus) {
    vcpu.kernelTable = vcpu.userTable = allocateCompatL4(machine);
    vcpu.cpu.root = vcpu.kernelTable;
    vcpu.cpu.tables.useXenPage(XEN_DESCRIPTORS_PV32);
  }
  const l4 = domain.vcpus[0].kernelTable;
  buildCompatTables(machine, layout, first, l4, domain.hypervisorStart);
  return l4;
};

/** Segments of the first vCPU, and the code segments of its callbacks. */
export const startCompat = (domain: Domain): void => {
  const boot = domain.vcpus[0];
  boot.cpu.setSelector(CS, COMPAT_KERNEL_CS);
  for (const segment of [SS_REG, DS, ES, FS, GS]) boot.cpu.setSelector(segment, COMPAT_KERNEL_DS);
  boot.eventCallbackCs = boot.failsafeCallbackCs = COMPAT_KERNEL_CS;
};
