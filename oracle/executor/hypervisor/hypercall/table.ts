/** The hypercalls of the slice by number. One line a call; each handler lives in a file of its own. */
import { HYPERCALL, type HypercallName } from '#spec/abi/hypercall.ts';
import { domctl, paging_domctl_cont, sysctl } from '../control/domctl.ts';
import { dm_op, hvm_op } from '../control/hvm_op.ts';
import { hypfs_op } from '../control/hypfs/hypfs_op.ts';
import { kexec_op } from '../control/kexec_op.ts';
import { mca } from '../control/mca.ts';
import { xenoprof_op } from '../control/xenoprof_op.ts';
import { event_channel_op } from '../event_channel/event_channel_op.ts';
import { grant_table_op } from '../grant_table/grant_table_op.ts';
import { memory_op } from '../memory/memory_op.ts';
import { mmu_update } from '../mm/mmu_update.ts';
import { mmuext_op } from '../mm/mmuext_op.ts';
import { update_va_mapping, update_va_mapping_otherdomain } from '../mm/update_va_mapping.ts';
import { minus } from '../result.ts';
import { console_io } from './console_io.ts';
import { set_gdt, update_descriptor } from './descriptor_tables.ts';
import type { Handler } from './dispatch.ts';
import { iret } from './iret.ts';
import { event_channel_op_compat, nmi_op, physdev_op_compat, sched_op_compat } from './legacy.ts';
import { multicall } from './multicall.ts';
import { physdev_op } from './physdev_op.ts';
import { platform_op } from './platform_op.ts';
import { fpu_taskswitch, get_debugreg, set_debugreg, set_segment_base, stack_switch, vm_assist } from './processor.ts';
import { sched_op } from './sched_op.ts';
import { set_timer_op } from './timer_op.ts';
import { callback_op, set_callbacks, set_trap_table } from './trap_table.ts';
import { vcpu_op } from './vcpu_op.ts';
import { xen_version } from './xen_version.ts';

const rows: Partial<Record<HypercallName, Handler>> = {
  set_trap_table,
  mmu_update,
  set_gdt,
  stack_switch,
  set_callbacks,
  fpu_taskswitch,
  set_debugreg,
  get_debugreg,
  update_descriptor,
  // Through a function: multicall's module and the dispatcher's import each other.
  multicall: (machine, vcpu, args) => multicall(machine, vcpu, args),
  memory_op,
  update_va_mapping,
  update_va_mapping_otherdomain,
  set_timer_op,
  xen_version,
  console_io,
  grant_table_op,
  vm_assist,
  iret,
  vcpu_op,
  set_segment_base,
  mmuext_op,
  sched_op,
  callback_op,
  event_channel_op,
  sched_op_compat,
  event_channel_op_compat,
  physdev_op,
  physdev_op_compat,
  nmi_op,
  platform_op,
  // Xen was not told to share the performance counters.
  xenpmu_op: () => minus('EOPNOTSUPP'),
  domctl,
  sysctl,
  paging_domctl_cont,
  kexec_op,
  hypfs_op,
  mca,
  xenoprof_op,
  hvm_op,
  dm_op,
  // Not built in, or taken out of Xen.
  xsm_op: () => minus('ENOSYS'),
  tmem_op: () => minus('ENOSYS'),
  argo_op: () => minus('ENOSYS'),
};

/** Handler by number; holes are numbers that the slice lacks. */
export const HANDLERS: readonly (Handler | undefined)[] = Array.from(
  { length: 64 },
  (_, number) => Object.entries(rows).find(([name]) => HYPERCALL[name as HypercallName] === number)?.[1],
);
