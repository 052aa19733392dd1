/** The hypercalls of 32-bit guests by number: those that differ have a handler of their own, the others that of 64-bit guests. */

import { HYPERCALL, type HypercallName, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { sched, vcpu as vcpuLayouts } from '#spec/abi/sched.ts';
import { copyToGuest, scratch } from '../guest_access.ts';
import type { Handler } from '../hypercall/dispatch.ts';
import { physdev_op } from '../hypercall/physdev_op.ts';
import { vm_assist } from '../hypercall/processor.ts';
import { sched_op } from '../hypercall/sched_op.ts';
import { HANDLERS } from '../hypercall/table.ts';
import { set_timer_op } from '../hypercall/timer_op.ts';
import { vcpu_op } from '../hypercall/vcpu_op.ts';
import { xen_version } from '../hypercall/xen_version.ts';
import { minus } from '../result.ts';
import { compat_dm_op, compat_kexec_op, compat_physdev_op_compat } from './control.ts';
import { compat_grant_table_op } from './grants.ts';
import { compat_iret } from './iret.ts';
import { compat_memory_op } from './memory.ts';
import {
  compat_mmuext_op,
  compat_set_gdt,
  compat_update_descriptor,
  compat_update_va_mapping,
  compat_update_va_mapping_otherdomain,
} from './mm.ts';
import { compat_multicall } from './multicall.ts';
import { OWN_PHYSDEV } from './physdev.ts';
import { translated } from './structure.ts';
import { compat_callback_op, compat_nmi_op, compat_set_callbacks, compat_set_trap_table, compat_stack_switch } from './traps.ts';
import { narrow } from './xlat.ts';

/** Handlers by operation, others by `rest`; `missing`: operations that a 32-bit guest has in a form that is not modelled. */
const byOperation =
  (name: string, own: ReadonlyMap<number, Handler>, rest: Handler, missing: readonly (readonly [number, string])[] = []): Handler =>
  (machine, vcpu, args) => {
    const handler = own.get(args[0]);
    if (handler) return handler(machine, vcpu, args);
    const lacking = missing.find(([operation]) => operation === args[0]);
    if (lacking === undefined) return rest(machine, vcpu, args);
    machine.notModelled(vcpu, `compat/${name}/${lacking[1]}`);
    return minus('ENOSYS');
  };

const { poll } = sched;
const compat_sched_op = byOperation(
  'sched_op',
  new Map([
    [
      SUBOPERATIONS.sched_op.poll,
      translated(
        {
          size: 16,
          rows: [
            [0, 4, poll.fields.ports.at, 8],
            [4, 4, poll.fields.nr_ports.at, 4],
            [8, 8, poll.fields.timeout.at, 8],
          ],
        },
        1,
        sched_op,
      ),
    ],
  ]),
  sched_op,
);

/** A pointer alone. */
const AREA = { size: 4, rows: [[0, 4, 0, 8]] } as const;
const VCPU = SUBOPERATIONS.vcpu_op;
const exists =
  (handler: Handler): Handler =>
  (machine, vcpu, args) =>
    args[2] >>> 0 < vcpu.domain.vcpus.length ? handler(machine, vcpu, args) : minus('ENOENT');
const compat_vcpu_op = byOperation(
  'vcpu_op',
  new Map([
    [VCPU.register_runstate_memory_area, exists(translated(AREA, 2, vcpu_op))],
    [VCPU.register_vcpu_time_memory_area, exists(translated(AREA, 2, vcpu_op))],
    [
      VCPU.set_singleshot_timer,
      exists(
        translated(
          {
            size: 12,
            rows: [
              [0, 8, 0, 8],
              [8, 4, vcpuLayouts.set_singleshot_timer.fields.flags.at, 4],
            ],
          },
          2,
          vcpu_op,
        ),
      ),
    ],
  ]),
  vcpu_op,
);

const compat_xen_version = byOperation(
  'xen_version',
  new Map<number, Handler>([
    [
      SUBOPERATIONS.xen_version.platform_parameters,
      (machine, vcpu, args) => {
        scratch.setUint32(0, vcpu.domain.hypervisorStart, true);
        return copyToGuest(machine, vcpu, args[2], 0, 4) ? 0 : minus('EFAULT');
      },
    ],
  ]),
  xen_version,
);

const compat_physdev_op = byOperation('physdev_op', OWN_PHYSDEV, physdev_op);

/** Assists of 32-bit guests have numbers of one word. */
const compat_vm_assist: Handler = (machine, vcpu, args) => (args[2] >>> 0 < 32 ? vm_assist(machine, vcpu, args) : minus('EINVAL'));

/** The deadline by halves. */
const compat_set_timer_op: Handler = (machine, vcpu, args) => {
  const native = narrow(args[0]);
  native[1] = args[2];
  return set_timer_op(machine, vcpu, native);
};

const OWN: Partial<Record<HypercallName, Handler>> = {
  set_trap_table: compat_set_trap_table,
  set_gdt: compat_set_gdt,
  stack_switch: compat_stack_switch,
  set_callbacks: compat_set_callbacks,
  update_descriptor: compat_update_descriptor,
  memory_op: compat_memory_op,
  // Through a function: multicall's module and the dispatcher's import each other.
  multicall: (machine, vcpu, args) => compat_multicall(machine, vcpu, args),
  update_va_mapping: compat_update_va_mapping,
  update_va_mapping_otherdomain: compat_update_va_mapping_otherdomain,
  set_timer_op: compat_set_timer_op,
  xen_version: compat_xen_version,
  grant_table_op: compat_grant_table_op,
  vm_assist: compat_vm_assist,
  iret: compat_iret,
  vcpu_op: compat_vcpu_op,
  // Of 64-bit guests alone.
  set_segment_base: () => minus('ENOSYS'),
  mmuext_op: compat_mmuext_op,
  nmi_op: compat_nmi_op,
  sched_op: compat_sched_op,
  callback_op: compat_callback_op,
  physdev_op: compat_physdev_op,
  physdev_op_compat: compat_physdev_op_compat,
  dm_op: compat_dm_op,
  kexec_op: compat_kexec_op,
};

/** Structures are the same, or nothing is read of them. */
const SHARED: readonly HypercallName[] = [
  'mmu_update',
  'fpu_taskswitch',
  'sched_op_compat',
  'set_debugreg',
  'get_debugreg',
  'event_channel_op_compat',
  'console_io',
  'event_channel_op',
  'hvm_op',
  'sysctl',
  'domctl',
  'paging_domctl_cont',
  'tmem_op',
  'xsm_op',
  'argo_op',
  'xenpmu_op',
  'hypfs_op',
  'mca',
  'platform_op',
  'xenoprof_op',
];

/** Handler by number; holes are numbers that are not modelled, or that nobody has. */
export const COMPAT_HANDLERS: readonly (Handler | undefined)[] = Array.from({ length: 64 }, (_, number): Handler | undefined => {
  const own = Object.entries(OWN).find(([name]) => HYPERCALL[name as HypercallName] === number)?.[1];
  if (own) return own;
  if (!SHARED.some((name) => HYPERCALL[name] === number)) return undefined;
  return (machine, vcpu, args) => HANDLERS[number]?.(machine, vcpu, args) ?? minus('ENOSYS');
});
