/** Hypercalls about the vCPU: descriptor and trap tables, callbacks, scheduling, time. */
import { hypercall, modelled, op, ops, other, type Row, refused, whole } from './cell.ts';

export const PROCESSOR: readonly Row[] = [
  ...whole('set_trap_table', 0, modelled),
  ...whole('set_gdt', 2, modelled),
  ...whole('stack_switch', 3, modelled),
  ...whole('set_callbacks', 4, modelled),
  ...whole('fpu_taskswitch', 5, modelled),
  ...hypercall('sched_op_compat', 6, [...ops({ yield: 0, block: 1, shutdown: 2 }, modelled), other(refused('ENOSYS'))]),
  ...whole('set_debugreg', 8, modelled),
  ...whole('get_debugreg', 9, modelled),
  ...whole('update_descriptor', 10, modelled),
  ...whole('multicall', 13, modelled),
  ...whole('set_timer_op', 15, modelled),
  ...hypercall('vm_assist', 21, [...ops({ enable: 0, disable: 1 }, modelled), other(refused('ENOSYS', ['EINVAL']))]),
  ...whole('iret', 23, modelled),
  ...hypercall('vcpu_op', 24, [
    ...ops({ initialise: 0, up: 1, down: 2, is_up: 3, get_runstate_info: 4, register_runstate_memory_area: 5 }, modelled),
    ...ops({ set_periodic_timer: 6, stop_periodic_timer: 7, set_singleshot_timer: 8, stop_singleshot_timer: 9 }, modelled),
    ...ops({ register_vcpu_info: 10, send_nmi: 11 }, modelled),
    op('get_physid', 12, modelled, refused('EINVAL', ['ENOENT'], 'only vCPUs of the hardware domain are pinned')),
    op('register_vcpu_time_memory_area', 13, modelled),
    other(refused('ENOSYS', ['ENOENT'])),
  ]),
  ...hypercall('set_segment_base', 25, [...ops({ fs: 0, gs_user: 1, gs_kernel: 2, gs_user_sel: 3 }, modelled), other(refused('EINVAL'))]),
  ...hypercall('nmi_op', 28, [...ops({ register_callback: 0, unregister_callback: 1 }, modelled), other(refused('ENOSYS'))]),
  ...hypercall('sched_op', 29, [
    ...ops({ yield: 0, block: 1, shutdown: 2, poll: 3 }, modelled),
    op('remote_shutdown', 4, modelled, refused('EPERM', ['EFAULT', 'ESRCH'])),
    ...ops({ shutdown_code: 5, watchdog: 6 }, modelled),
    op('pin_override', 7, modelled, refused('EPERM')),
    other(refused('ENOSYS')),
  ]),
  ...hypercall('callback_op', 30, [...ops({ register: 0, unregister: 1 }, modelled), other(refused('ENOSYS'))]),
];
