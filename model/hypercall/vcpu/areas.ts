/** VCPUOP_get_runstate_info, VCPUOP_register_runstate_memory_area, VCPUOP_register_vcpu_time_memory_area. */
import { vcpu as abi } from '#spec/abi/sched.ts';
import type { VcpuRef } from '#spec/event.ts';
import { addressOk, copyFromGuest, copyToGuest, copyToGuestUnchecked } from '../../guest_copy.ts';
import { updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { accounted } from '../../sched/runstate.ts';
import { runstateBytes, widthOf } from '../../time/areas.ts';
import { refreshTime } from '../../time/clock.ts';
import { isZero, type Word, ZERO } from '../../word/word.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import type { VcpuOperation } from './vcpu_op.ts';

/** The state and the time of its entry are Xen's; the time in it is counted up to now. */
const upToNow = (machine: Machine, at: VcpuRef): Uint8Array => {
  const { runstate } = vcpuOf(machine, at);
  return runstateBytes(widthOf(machine, at), { ...runstate, times: accounted(runstate, machine.now).times });
};

export const runstateInfo: VcpuOperation = (machine, caller, target, arg) => {
  const stored = copyToGuest(machine, caller, arg, upToNow(machine, target));
  return stored.ok ? done(stored.machine, 'vcpu/get_runstate_info-told') : fail(stored.machine, 'EFAULT', 'vcpu/get_runstate_info-fault');
};

type Area = { readonly machine: Machine; readonly address: Word; readonly ok: boolean };

/** The address in the argument: checked, but not tried. */
const readArea = (machine: Machine, caller: VcpuRef, arg: Word): Area => {
  const copied = copyFromGuest(machine, caller, arg, abi.register_runstate_memory_area.size);
  if (!copied.ok) return { machine: copied.machine, address: ZERO, ok: false };
  const address = wordIn(copied.bytes, 0);
  return { machine: copied.machine, address, ok: addressOk(address) };
};

/** Null takes an area away. */
const orNone = (address: Word): Word | null => (isZero(address) ? null : address);

/** The first copy is written at once, to address 0 as well, and nobody minds when it cannot be. */
export const registerRunstateArea: VcpuOperation = (machine, caller, target, arg) => {
  const area = readArea(machine, caller, arg);
  if (!area.ok) return fail(area.machine, 'EFAULT', 'vcpu/register_runstate_memory_area-fault');
  return keepRunstateAt(area.machine, caller, target, area.address);
};

export const keepRunstateAt = (machine: Machine, caller: VcpuRef, target: VcpuRef, address: Word): HypercallResult => {
  const m = updateVcpu(machine, target, { runstateArea: orNone(address) });
  const self = target.vcpu === caller.vcpu;
  const bytes = self ? runstateBytes(widthOf(m, target), vcpuOf(m, target).runstate) : upToNow(m, target);
  const { machine: written } = copyToGuestUnchecked(m, caller, address, bytes);
  return done(written, 'vcpu/register_runstate_memory_area-set');
};

export const registerTimeArea: VcpuOperation = (machine, caller, target, arg) => {
  const area = readArea(machine, caller, arg);
  if (!area.ok) return fail(area.machine, 'EFAULT', 'vcpu/register_vcpu_time_memory_area-fault');
  return keepTimeAt(area.machine, caller, target, area.address);
};

export const keepTimeAt = (machine: Machine, caller: VcpuRef, target: VcpuRef, address: Word): HypercallResult =>
  done(refreshTime(updateVcpu(machine, target, { timeArea: orNone(address) }), target, caller), 'vcpu/register_vcpu_time_memory_area-set');
