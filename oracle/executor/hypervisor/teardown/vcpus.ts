/** What the vCPUs of a dying domain hold: top-level tables, descriptor tables; and the page that tells of interrupts' ends. */
import type { Domain } from '../domain.ts';
import { destroyGdt } from '../global_descriptor_table.ts';
import type { Machine } from '../machine.ts';
import { frameOf, PTE } from '../mm/entry.ts';
import { dropLdtPages } from '../mm/local_descriptor_table.ts';
import { leaveOldGuestTable, putOldGuestTable } from '../mm/old_guest_table.ts';
import { putPageAndType } from '../mm/page_type.ts';
import type { Vcpu } from '../vcpu.ts';

/** Answers 0 or -ERESTART. */
export const loseTables = (machine: Machine, caller: Vcpu, domain: Domain): number => {
  for (const vcpu of domain.vcpus) {
    const answer = loseTopTables(machine, caller, vcpu);
    if (answer !== 0) return answer;
  }
  for (const vcpu of domain.vcpus) {
    dropLdtPages(machine, vcpu);
    destroyGdt(machine, caller, vcpu);
  }
  if (domain.eoiMapMfn >= 0) {
    putPageAndType(machine, caller, domain.eoiMapMfn);
    domain.eoiMapMfn = -1;
  }
  return 0;
};

const loseTopTables = (machine: Machine, caller: Vcpu, vcpu: Vcpu): number => {
  const waiting = putOldGuestTable(machine, caller, vcpu);
  if (waiting !== 0) return waiting;
  const kernel = takeKernelTable(machine, vcpu);
  const answer = kernel === 0 ? 0 : lose(machine, caller, vcpu, kernel);
  if (answer !== 0 || vcpu.domain.compat) return answer;
  const user = vcpu.userTable;
  vcpu.userTable = 0;
  return user === 0 ? 0 : lose(machine, caller, vcpu, user);
};

/** The guest's own table: what is loaded, or with a 32-bit guest, what stands in slot 0 of the one that Xen made for it. */
const takeKernelTable = (machine: Machine, vcpu: Vcpu): number => {
  const loaded = vcpu.kernelTable;
  if (!vcpu.domain.compat) {
    vcpu.kernelTable = 0;
    return loaded;
  }
  const { view } = machine.memory;
  const lo = view.getInt32(loaded * 4096, true);
  const mfn = (lo & PTE.PRESENT) === 0 ? 0 : frameOf(lo, view.getInt32(loaded * 4096 + 4, true));
  machine.memory.writeHalves(loaded * 4096, 0, 0);
  return mfn;
};

const lose = (machine: Machine, caller: Vcpu, vcpu: Vcpu, mfn: number): number => {
  const answer = putPageAndType(machine, caller, mfn);
  if (answer !== 0) leaveOldGuestTable(vcpu, mfn, true);
  return answer;
};
