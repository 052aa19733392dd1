/** vcpu_op of a 32-bit domain: addresses of four bytes, and no padding. Chapter: spec/chapters/compat.md, "Hypercalls". */
import { COMPAT } from '#spec/abi/compat.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { wordIn } from '../../memory/guest.ts';
import { fieldOf } from '../guest_struct.ts';
import { fail } from '../result.ts';
import { keepRunstateAt, keepTimeAt, runstateInfo } from '../vcpu/areas.ts';
import { armSingleshot } from '../vcpu/timers.ts';
import { type VcpuOperation, vcpuOpWith } from '../vcpu/vcpu_op.ts';
import { initialise } from './initialise.ts';

const POINTER = 4;

/** Only the address is read; whatever it is, it can be a guest's. */
const registerRunstateArea: VcpuOperation = (machine, caller, target, arg) => {
  const copied = copyFromGuest(cite(machine, 'compat/runstate-layout'), caller, arg, POINTER);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'vcpu/register_runstate_memory_area-fault');
  return keepRunstateAt(copied.machine, caller, target, wordIn(copied.bytes, 0, POINTER));
};

const registerTimeArea: VcpuOperation = (machine, caller, target, arg) => {
  const copied = copyFromGuest(cite(machine, 'compat/time_area'), caller, arg, POINTER);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'vcpu/register_vcpu_time_memory_area-fault');
  return keepTimeAt(copied.machine, caller, target, wordIn(copied.bytes, 0, POINTER));
};

const getRunstateInfo: VcpuOperation = (machine, caller, target, arg) =>
  runstateInfo(cite(machine, 'compat/runstate-layout'), caller, target, arg);

/** The argument is read before it is asked whose timer it is. */
const setSingleshotTimer: VcpuOperation = (machine, caller, target, arg) => {
  const { size, fields } = COMPAT.singleshot_timer;
  const copied = copyFromGuest(cite(machine, 'compat/singleshot_timer'), caller, arg, size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'vcpu/set_singleshot_timer-fault');
  if (target.vcpu !== caller.vcpu) return fail(copied.machine, 'EINVAL', 'vcpu/set_singleshot_timer-other');
  return armSingleshot(copied.machine, target, wordIn(copied.bytes, fields.timeout_abs_ns.at), fieldOf(copied.bytes, fields.flags));
};

const CMD = SUBOPERATIONS.vcpu_op;
export const vcpu_op = vcpuOpWith(
  new Map([
    [CMD.initialise, initialise],
    [CMD.get_runstate_info, getRunstateInfo],
    [CMD.register_runstate_memory_area, registerRunstateArea],
    [CMD.set_singleshot_timer, setSingleshotTimer],
    [CMD.register_vcpu_time_memory_area, registerTimeArea],
  ]),
);
