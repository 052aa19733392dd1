/** vcpu_op: the domain's own vCPUs. Chapter: spec/chapters/vcpu.md. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { VCPUOP_PHYS_AREAS } from '#spec/releases/vcpu.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { domainOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import type { Word } from '../../word/word.ts';
import { notModelled } from '../not_modelled.ts';
import { fail, type HypercallResult, type Perform } from '../result.ts';
import { registerRunstateArea, registerTimeArea, runstateInfo } from './areas.ts';
import { initialise } from './initialise.ts';
import { down, isUp, up } from './online.ts';
import { registerVcpuInfo } from './register_vcpu_info.ts';
import { getPhysid, sendNmi } from './small.ts';
import { setPeriodic, setSingleshot, stopPeriodic, stopSingleshot } from './timers.ts';

/** `target`: the vCPU that the call is about, which exists. */
export type VcpuOperation = (machine: Machine, caller: VcpuRef, target: VcpuRef, arg: Word) => HypercallResult;

const CMD = SUBOPERATIONS.vcpu_op;
const OPERATIONS: ReadonlyMap<number, VcpuOperation> = new Map([
  [CMD.initialise, initialise],
  [CMD.up, up],
  [CMD.down, down],
  [CMD.is_up, isUp],
  [CMD.get_runstate_info, runstateInfo],
  [CMD.register_runstate_memory_area, registerRunstateArea],
  [CMD.set_periodic_timer, setPeriodic],
  [CMD.stop_periodic_timer, stopPeriodic],
  [CMD.set_singleshot_timer, setSingleshot],
  [CMD.stop_singleshot_timer, stopSingleshot],
  [CMD.register_vcpu_info, registerVcpuInfo],
  [CMD.send_nmi, sendNmi],
  [CMD.get_physid, getPhysid],
  [CMD.register_vcpu_time_memory_area, registerTimeArea],
]);

const PHYS_AREAS: readonly number[] = Object.values(VCPUOP_PHYS_AREAS);
const ADDRESS_BYTES = 8;

/** Records at guest physical addresses are not modelled. */
const registerPhysArea: VcpuOperation = (machine, caller, _target, arg) => {
  const copied = copyFromGuest(machine, caller, arg, ADDRESS_BYTES);
  return copied.ok ? notModelled(copied.machine, caller, 'vcpu_op/register_phys_area') : fail(copied.machine, 'EFAULT', 'vcpu/op-unknown');
};

/** A vCPU that does not exist is reported before a command that does not. `own`: operations that take the place of these. */
export const vcpuOpWith =
  (own: ReadonlyMap<number, VcpuOperation>): Perform =>
  (machine, caller, [cmd, number, arg]) => {
    const vcpu = number.lo >>> 0;
    if (vcpu >= domainOf(machine, caller.domid).vcpus.length) return fail(machine, 'ENOENT', 'vcpu/op-vcpu');
    const target = { domid: caller.domid, vcpu };
    if (PHYS_AREAS.includes(cmd.lo) && waysOf(machine.config.release)['vcpu_op-phys_areas'] === 'present')
      return registerPhysArea(machine, caller, target, arg);
    const operation = own.get(cmd.lo) ?? OPERATIONS.get(cmd.lo);
    return operation ? operation(machine, caller, target, arg) : fail(machine, 'ENOSYS', 'vcpu/op-unknown');
  };

export const vcpu_op: Perform = vcpuOpWith(new Map());
