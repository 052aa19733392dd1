/** What the vCPUs of a dying domain hold: page tables, descriptor tables. Xen's name: vcpu_destroy_pagetables. */
import type { VcpuRef } from '#spec/event.ts';
import { dropGdt, unmapLdt } from '../../descriptor_tables.ts';
import { cite } from '../../journal.ts';
import { domainOf, refOf, setDomain, setMemory, updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { readWord, writeWord } from '../../memory/memory.ts';
import { deferPut, putOldGuestTable } from '../../page_type/old_table.ts';
import { frameOf, isPresent } from '../../page_type/pte.ts';
import { putPageAndType } from '../../page_type/references.ts';
import { putPageAndTable } from '../../page_type/table_entry.ts';
import { ZERO } from '../../word/word.ts';
import type { Progress, Stage } from './kill.ts';

/** domctl/destroydomain-vcpus: each vCPU in turn lets go of its kernel's tables, then its user's; after that go all descriptor tables. */
export const dropVcpuTables: Stage = (machine, caller, domid) => {
  let m = cite(machine, 'domctl/destroydomain-vcpus');
  const vcpus = domainOf(m, domid).vcpus.map(refOf);
  for (const at of vcpus) {
    const dropped = dropTables(m, caller, at);
    if (!dropped.over) return dropped;
    m = dropped.machine;
  }
  for (const at of vcpus) m = dropGdt(unmapLdt(m, at), at);
  return { machine: dropEoiMap(m, domid), over: true };
};

const dropTables = (machine: Machine, caller: VcpuRef, at: VcpuRef): Progress => {
  const settled = putOldGuestTable(machine, caller, at);
  if (settled.errno) return { machine: settled.machine, over: false };
  if (domainOf(machine, at.domid).pv32) return dropPaeTable(settled.machine, caller, at);
  let m = settled.machine;
  for (const which of ['kernelTable', 'userTable'] as const) {
    const mfn = vcpuOf(m, at)[which];
    if (mfn === 0) continue;
    const put = putPageAndTable(updateVcpu(m, at, { [which]: 0 }), caller, mfn);
    if (put.errno) return { machine: deferPut(put.machine, at, { mfn, table: null, partial: true }), over: false };
    m = put.machine;
  }
  return { machine: m, over: true };
};

/** compat/teardown-tables: what the first entry of the vCPU's L4 leads to; that table itself is Xen's. */
const dropPaeTable = (machine: Machine, caller: VcpuRef, at: VcpuRef): Progress => {
  const { kernelTable } = vcpuOf(machine, at);
  const entry = readWord(machine.memory, kernelTable, 0);
  if (!isPresent(entry)) return { machine, over: true };
  const mfn = frameOf(entry);
  const emptied = cite(setMemory(machine, writeWord(machine.memory, kernelTable, 0, ZERO)), 'compat/teardown-tables');
  const put = putPageAndTable(emptied, caller, mfn);
  return put.errno
    ? { machine: deferPut(put.machine, at, { mfn, table: null, partial: true }), over: false }
    : { machine: put.machine, over: true };
};

const dropEoiMap = (machine: Machine, domid: number): Machine => {
  const { eoiMap, ...domain } = domainOf(machine, domid);
  return eoiMap === undefined ? machine : putPageAndType(setDomain(machine, domain), eoiMap);
};
