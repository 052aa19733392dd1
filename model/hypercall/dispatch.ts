/** Which rule answers which hypercall, and the telling of each call. */
import { HYPERCALL_ARGS, HYPERCALL_NAME, type HypercallName, suboperation } from '#spec/abi/hypercall.ts';
import type { VcpuRef } from '#spec/event.ts';
import { RAX } from '../cpu/x86/state.ts';
import { emit } from '../journal.ts';
import { vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { toBigInt, toHex, type Word } from '../word/word.ts';
import { beginCall, outsideCalls } from '../work.ts';
import { callback_op } from './callback/callback_op.ts';
import { set_callbacks } from './callback/set_callbacks.ts';
import { console_io } from './console/console_io.ts';
import { absent } from './control/absent.ts';
import { domctl, paging_domctl_cont } from './control/domctl.ts';
import { kexec_op } from './control/kexec_op.ts';
import { mca } from './control/mca.ts';
import { sysctl } from './control/sysctl.ts';
import { xenoprof_op } from './control/xenoprof_op.ts';
import { xenpmu_op } from './control/xenpmu_op.ts';
import { set_gdt } from './descriptor/set_gdt.ts';
import { update_descriptor } from './descriptor/update_descriptor.ts';
import { event_channel_op } from './event_channel/event_channel_op.ts';
import { grant_table_op } from './grant_table/grant_table_op.ts';
import { dm_op } from './hvm/dm_op.ts';
import { hvm_op } from './hvm/hvm_op.ts';
import { hypfs_op } from './hypfs/hypfs_op.ts';
import { memory_op } from './memory/memory_op.ts';
import { get_debugreg, set_debugreg } from './misc/debugreg.ts';
import { fpu_taskswitch } from './misc/fpu_taskswitch.ts';
import { iret } from './misc/iret.ts';
import { set_segment_base } from './misc/set_segment_base.ts';
import { set_timer_op } from './misc/set_timer_op.ts';
import { set_trap_table } from './misc/set_trap_table.ts';
import { stack_switch } from './misc/stack_switch.ts';
import { vm_assist } from './misc/vm_assist.ts';
import { mmu_update } from './mm/mmu_update.ts';
import { mmuext_op } from './mm/mmuext_op.ts';
import { update_va_mapping, update_va_mapping_otherdomain } from './mm/update_va_mapping.ts';
import { type Call, multicall } from './multicall/multicall.ts';
import { notModelled } from './not_modelled.ts';
import { event_channel_op_compat, nmi_op, physdev_op_compat, sched_op_compat } from './old/old_forms.ts';
import { physdev_op } from './physdev/physdev_op.ts';
import { platform_op } from './platform/platform_op.ts';
import { fail, type HypercallResult, type Perform } from './result.ts';
import { sched_op } from './sched/sched_op.ts';
import { vcpu_op } from './vcpu/vcpu_op.ts';
import { xen_version } from './version/xen_version.ts';

/** The rules of the slice, by Xen's name of the call. */
export const HYPERCALLS: Readonly<Partial<Record<HypercallName, Perform>>> = {
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
  nmi_op,
  physdev_op,
  physdev_op_compat,
  paging_domctl_cont,
  platform_op,
  sched_op,
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
  xen_version,
  xenoprof_op,
  xsm_op: absent,
  xenpmu_op,
};

/** A number that names a call: its rule, if the slice has one, and how many arguments are told of it. */
type Known = { readonly name: HypercallName; readonly rule: Perform | undefined; readonly told: number };

/** How many arguments of a call are told of which nobody knows how many it has. */
const UNKNOWN_ARGS = 5;

const KNOWN: ReadonlyMap<number, Known> = new Map(
  [...HYPERCALL_NAME].map(([number, name]) => [number, { name, rule: HYPERCALLS[name], told: HYPERCALL_ARGS[name] ?? UNKNOWN_ARGS }]),
);

/** Carry out call number `number`. `depth` is 1 for an entry of a multicall. */
export const callHypercall: Call = (machine, caller, number, args, depth) => {
  const known = number.hi === 0 ? KNOWN.get(number.lo) : undefined;
  if (known) beginCall(machine, caller.domid, known.name, args[0].lo, depth);
  const result = known ? perform(machine, caller, known, args, depth) : fail(machine, 'ENOSYS', 'hypercall/number-unknown');
  if (depth === 0) outsideCalls(result.machine, caller.domid);
  const told = new Array<string>(known ? known.told : UNKNOWN_ARGS);
  for (let i = 0; i < told.length; i++) told[i] = toHex(args[i]);
  return tell(result, caller, known ? known.name : `hypercall_${toBigInt(number)}`, told, depth);
};

const perform = (machine: Machine, caller: VcpuRef, { name, rule }: Known, args: readonly Word[], depth: number): HypercallResult => {
  if (name === 'multicall') return depth > 0 ? fail(machine, 'EINVAL', 'multicall/nested') : carryOutAll(machine, caller, args);
  if (rule) return rule(machine, caller, args, depth);
  return notModelled(machine, caller, [name, suboperation(name, args[0].lo)].filter(Boolean).join('/'));
};

const carryOutAll: Perform = multicall((machine, caller, number, args, depth) => callHypercall(machine, caller, number, args, depth));

const tell = (result: HypercallResult, at: VcpuRef, call: string, args: string[], depth: number): HypercallResult => {
  // An iret inside a multicall leaves the multicall with the frame's RAX.
  const left = result.kind === 'no_reply' && call === 'multicall' ? vcpuOf(result.machine, at).cpu.regs[RAX] : null;
  const value = result.kind === 'reply' && !result.ending ? result.value : left;
  const machine = emit(result.machine, { kind: 'hypercall', at, call, args, result: value && toHex(value), depth });
  return result.kind === 'reply' && !result.ending ? { kind: 'reply', machine, value: result.value } : { ...result, machine };
};
