/** Themes out of the table of operations: right calls, and calls wrong in one way or two. */
import type { Call } from '#spec/program.ts';
import { anyCall } from '../families/wild.ts';
import { type DomainKind, operationsFor } from '../operations/index.ts';
import { callOf, type Operation } from '../operations/operation.ts';
import type { Generation } from '../state.ts';
import type { Theme } from './theme.ts';

/** What would close or silence the port over which two domains hand over to each other. */
const OWN_CHANNEL: readonly string[] = ['close', 'reset', 'reset_cont', 'bind_vcpu', 'unmask', 'init_control'].map(
  (name) => `event_channel_op/${name}`,
);

/** Calls that Xen answers by another processor's hands, once the caller waits: not in a multicall, which gets no such answer. */
const ALONE: readonly string[] = ['sysctl/cpu_hotplug'];

/**
 * What undoes the work of others is rarer than that, and what succeeds only in a state that other themes bring about; in its place the first operation,
 * which makes a port.
 */
const RARE: readonly string[] = [
  ...['reset', 'reset_cont', 'close', 'bind_ipi', 'bind_virq', 'bind_interdomain', 'init_control'].map(
    (name) => `event_channel_op/${name}`,
  ),
  ...[1, 2, 3, 4].map((level) => `mmuext_op/pin_l${level}_table`),
  'memory_op/exchange',
];
const RARELY = 4;

const COMMANDS: readonly string[] = [
  'domctl',
  'sysctl',
  'platform_op',
  'physdev_op',
  'physdev_op_compat',
  'kexec_op',
  'hypfs_op',
  'mca',
  'memory_op',
];

/** Right most of the time, with one mistake in every fourth, with two in every twelfth. */
const callFrom = ({ r }: Generation, operation: Operation): Call | null => {
  const { faults, args, variants, onlyWrong } = operation;
  const mistakes = faults.length === 0 ? 0 : onlyWrong ? r.int(1, 2) : r.one(12) ? 2 : r.one(4) ? 1 : 0;
  if (mistakes === 0) return onlyWrong ? null : callOf(operation, r.pick([args, ...variants]));
  const chosen = Array.from({ length: mistakes }, () => r.pick(faults));
  // What is wrong may depend on which of several right forms it is in. Domain 0's commands are spared: some forms change the machine for good.
  const before = COMMANDS.includes(String(operation.call)) ? args : r.pick([args, ...variants]);
  return callOf(
    operation,
    chosen.reduce((made, fault) => fault.apply(made), before),
  );
};

const listed = (name: string, weight: number, calls: readonly string[]): Theme => ({
  name,
  weight,
  needs: [],
  prepare: () => [],
  call: (g: Generation, caller: DomainKind) => {
    const possible = operationsFor(caller).filter(
      ({ call, row, asStep }) =>
        calls.includes(String(call)) && asStep === undefined && !ALONE.includes(row) && !(g.state.two && OWN_CHANNEL.includes(row)),
    );
    if (possible.length === 0) return null;
    const chosen = g.r.pick(possible);
    return RARE.includes(chosen.row) && !g.r.one(RARELY) ? callFrom(g, possible[0] as Operation) : callFrom(g, chosen);
  },
});

export const LISTED: readonly Theme[] = [
  listed('event channels', 4, ['event_channel_op', 'sched_op']),
  listed('scheduling and time', 4, ['sched_op', 'vcpu_op', 'set_timer_op']),
  listed('processor', 3, [
    'set_trap_table',
    'set_callbacks',
    'callback_op',
    'nmi_op',
    'stack_switch',
    'fpu_taskswitch',
    'set_debugreg',
    'get_debugreg',
    'set_segment_base',
    'vm_assist',
    'physdev_op',
    'set_gdt',
    'update_descriptor',
  ]),
  listed('mappings', 3, ['mmu_update', 'mmuext_op', 'update_va_mapping', 'update_va_mapping_otherdomain']),
  listed('grants', 2, ['grant_table_op', 'update_va_mapping']),
  listed('memory_op', 2, ['memory_op']),
  listed('old forms', 1, [
    'sched_op_compat',
    'event_channel_op_compat',
    'physdev_op_compat',
    'platform_op',
    'nmi_op',
    ...['11', '43', '44', '45', '46', '47', '50', '51', '52', '53', '54', '55'],
  ]),
  listed('refused', 5, [
    'domctl',
    'sysctl',
    'platform_op',
    'paging_domctl_cont',
    'kexec_op',
    'hypfs_op',
    'mca',
    'xenoprof_op',
    'xenpmu_op',
    'hvm_op',
    'dm_op',
    'xsm_op',
    'argo_op',
    'tmem_op',
  ]),
  listed('about Xen', 1, ['xen_version', 'console_io', 'vm_assist', 'set_debugreg']),
  { name: 'anything', weight: 5, needs: [], prepare: () => [], call: (g) => anyCall(g) },
];
