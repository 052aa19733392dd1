/** Which rule answers which hypercall of a 32-bit domain, and the telling of each call. Chapter: spec/chapters/compat.md. */
import { COMPAT_HYPERCALL_ARGS } from '#spec/abi/compat.ts';
import { HYPERCALL_ARGS, HYPERCALL_NAME, type HypercallName, SUBOPERATIONS, suboperation } from '#spec/abi/hypercall.ts';
import type { VcpuRef } from '#spec/event.ts';
import { RAX } from '../../cpu/x86/state.ts';
import { cite, emit } from '../../journal.ts';
import { vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { toBigInt, toHex, type Word, word } from '../../word/word.ts';
import { beginCall, outsideCalls } from '../../work.ts';
import { console_io } from '../console/console_io.ts';
import { absent } from '../control/absent.ts';
import { domctl, paging_domctl_cont } from '../control/domctl.ts';
import { mca } from '../control/mca.ts';
import { sysctl } from '../control/sysctl.ts';
import { xenoprof_op } from '../control/xenoprof_op.ts';
import { xenpmu_op } from '../control/xenpmu_op.ts';
import { event_channel_op } from '../event_channel/event_channel_op.ts';
import { hvm_op } from '../hvm/hvm_op.ts';
import { hypfs_op } from '../hypfs/hypfs_op.ts';
import { get_debugreg, set_debugreg } from '../misc/debugreg.ts';
import { fpu_taskswitch } from '../misc/fpu_taskswitch.ts';
import { vm_assist } from '../misc/vm_assist.ts';
import { mmu_update } from '../mm/mmu_update.ts';
import type { Call } from '../multicall/multicall.ts';
import { notModelled } from '../not_modelled.ts';
import { event_channel_op_compat, sched_op_compat } from '../old/old_forms.ts';
import { platform_op } from '../platform/platform_op.ts';
import { fail, type HypercallResult, type Perform } from '../result.ts';
import { sched_op } from '../sched/sched_op.ts';
import { xen_version } from '../version/xen_version.ts';
import { callback_op, nmi_op, set_callbacks } from './callbacks.ts';
import { dm_op, kexec_op, physdev_op_compat } from './control.ts';
import { set_gdt, update_descriptor } from './descriptors.ts';
import { grant_table_op } from './grant_table_op.ts';
import { iret } from './iret.ts';
import { memory_op } from './memory/memory_op.ts';
import { mmuext_op } from './mmuext_op.ts';
import { multicall } from './multicall.ts';
import { platformParameters, poll } from './narrow.ts';
import { physdev_op } from './physdev_op.ts';
import { set_trap_table } from './set_trap_table.ts';
import { set_timer_op, stack_switch, update_va_mapping, update_va_mapping_otherdomain } from './two_words.ts';
import { vcpu_op } from './vcpu_op.ts';

const { sched_op: SCHED, xen_version: VERSION } = SUBOPERATIONS;

/** A call that looks the same to a 32-bit domain, but for some operations. */
const besides =
  (rule: Perform, own: ReadonlyMap<number, Perform>): Perform =>
  (machine, caller, args) => {
    const special = own.get(args[0].lo);
    return special ? special(machine, caller, args.slice(1)) : rule(machine, caller, args);
  };

/** Bases of segments belong to 64-bit code. */
const set_segment_base: Perform = (machine) => fail(machine, 'ENOSYS', 'compat/set_segment_base');

const RULES: Readonly<Partial<Record<HypercallName, Perform>>> = {
  argo_op: absent,
  callback_op,
  console_io,
  dm_op,
  domctl,
  event_channel_op,
  event_channel_op_compat,
  fpu_taskswitch,
  get_debugreg,
  grant_table_op,
  hvm_op,
  hypfs_op,
  iret,
  kexec_op,
  mca,
  memory_op,
  mmu_update,
  mmuext_op,
  paging_domctl_cont,
  nmi_op,
  physdev_op,
  physdev_op_compat,
  platform_op,
  sched_op: besides(sched_op, new Map([[SCHED.poll, poll]])),
  sched_op_compat,
  set_callbacks,
  set_debugreg,
  set_gdt,
  set_segment_base,
  set_timer_op,
  set_trap_table,
  stack_switch,
  sysctl,
  tmem_op: absent,
  update_descriptor,
  update_va_mapping,
  update_va_mapping_otherdomain,
  vcpu_op,
  vm_assist,
  xen_version: besides(xen_version, new Map([[VERSION.platform_parameters, platformParameters]])),
  xenoprof_op,
  xenpmu_op,
  xsm_op: absent,
};

/** Carry out call number `number` of a 32-bit domain. `depth` is 1 for an entry of a multicall. */
export const callCompat: Call = (machine, caller, number, args, depth) => {
  const name = HYPERCALL_NAME.get(number.lo);
  if (name) beginCall(machine, caller.domid, name, args[0].lo, depth);
  const result = perform(machine, caller, name, args, depth);
  if (depth === 0) outsideCalls(result.machine, caller.domid);
  const count = (name && ((COMPAT_HYPERCALL_ARGS as Readonly<Record<string, number>>)[name] ?? HYPERCALL_ARGS[name])) ?? UNKNOWN_ARGS;
  return tell(result, caller, name ?? `hypercall_${toBigInt(number)}`, args.slice(0, count).map(toHex), depth);
};

const UNKNOWN_ARGS = 5;

const perform = (
  machine: Machine,
  caller: VcpuRef,
  name: HypercallName | undefined,
  args: readonly Word[],
  depth: number,
): HypercallResult => {
  if (!name) return fail(machine, 'ENOSYS', 'hypercall/number-unknown');
  if (name === 'multicall') return depth > 0 ? fail(machine, 'EINVAL', 'multicall/nested') : multicall(callCompat)(machine, caller, args);
  const rule = RULES[name];
  if (rule) return rule(machine, caller, args);
  const what = ['compat', name, suboperation(name, args[0].lo)].filter(Boolean).join('/');
  return notModelled(cite(machine, 'compat/call-not_modelled'), caller, what);
};

const tell = (result: HypercallResult, at: VcpuRef, call: string, args: string[], depth: number): HypercallResult => {
  const left = result.kind === 'no_reply' && call === 'multicall' ? vcpuOf(result.machine, at).cpu.regs[RAX] : null;
  const answer = result.kind === 'reply' && !result.ending ? word(0, result.value.lo) : left;
  const machine = emit(result.machine, { kind: 'hypercall', at, call, args, result: answer && toHex(answer), depth });
  return result.kind === 'reply' && !result.ending ? { kind: 'reply', machine, value: word(0, result.value.lo) } : { ...result, machine };
};
