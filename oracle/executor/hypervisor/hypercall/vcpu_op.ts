/** vcpu_op: bringing vCPUs up and down, their timers, and the areas in which Xen tells them things. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { vcpu as layouts, VCPU_SSHOTTMR_future } from '#spec/abi/sched.ts';
import { SHUTDOWN, VIRQ } from '#spec/abi/xen.ts';
import { VCPUOP_PHYS_AREAS } from '#spec/releases/vcpu.ts';
import { RAX } from '../../cpu/interface.ts';
import { compatInitialise } from '../compat/initialise.ts';
import { accessOk, copyFromGuest, copyToGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { startPeriodic, stopPeriodic } from '../periodic_timer.ts';
import { minus, NO_RETURN } from '../result.ts';
import { layRunstate, runstateBytes } from '../runstate_area.ts';
import { sleep, unblock, wake } from '../scheduler.ts';
import { domainShutdown } from '../shutdown.ts';
import { refreshTime } from '../system_time.ts';
import { setSingleshot } from '../timers.ts';
import { signed, unsigned } from '../u64.ts';
import { sendGuestVcpuVirq } from '../upcall.ts';
import { type Vcpu, VPF } from '../vcpu.ts';
import { initialise } from '../vcpu_context.ts';
import { mapVcpuInfo } from '../vcpu_info_map.ts';
import { continueCall } from './continuation.ts';

const OP = SUBOPERATIONS.vcpu_op;
/** Shortest period of the periodic timer, ns, and upper half of the first that is too long. */
const SHORTEST = 1_000_000;
const LONGEST_HI = 0x40000000;

export const vcpu_op = (machine: Machine, caller: Vcpu, args: Int32Array): number => {
  const id = args[2] >>> 0;
  if (id >= caller.domain.vcpus.length) return minus('ENOENT');
  const target = caller.domain.vcpus[id];
  const lo = args[4];
  const hi = args[5];
  const read = (size: number): boolean => copyFromGuest(machine, caller, lo, hi, size);
  switch (args[0]) {
    case OP.initialise:
      return bringIn(machine, caller, target, args);
    case OP.up:
      return up(machine, target);
    case OP.down:
      return down(machine, caller, target);
    case OP.is_up:
      return (target.pauseFlags & VPF.down) === 0 ? 1 : 0;
    case OP.get_runstate_info:
      layRunstate(target, Math.max(0, machine.now - target.runstateEntry));
      return copyToGuest(machine, caller, lo, hi, runstateBytes(target)) ? 0 : minus('EFAULT');
    case OP.register_runstate_memory_area:
      return read(layouts.register_runstate_memory_area.size) ? registerRunstate(machine, caller, target) : minus('EFAULT');
    case OP.set_periodic_timer:
      return read(layouts.set_periodic_timer.size) ? setPeriodic(machine, target) : minus('EFAULT');
    case OP.stop_periodic_timer:
      stopPeriodic(target);
      target.periodicPeriod = null;
      return 0;
    case OP.set_singleshot_timer:
      if (target !== caller) return minus('EINVAL');
      return read(layouts.set_singleshot_timer.size) ? setOneShot(machine, target) : minus('EFAULT');
    case OP.stop_singleshot_timer:
      if (target !== caller) return minus('EINVAL');
      setSingleshot(machine, target, null);
      return 0;
    case OP.register_vcpu_info:
      return read(layouts.register_vcpu_info.size) ? registerInfo(machine, caller, target) : minus('EFAULT');
    case OP.send_nmi:
      if ((lo | hi) !== 0) return minus('EINVAL');
      if (!target.nmiPending) {
        target.nmiPending = true;
        unblock(machine, target);
      }
      return 0;
    case OP.get_physid:
      return getPhysid(machine, caller, target, lo, hi);
    case OP.register_vcpu_time_memory_area:
      return read(layouts.register_time_memory_area.size) ? registerTime(machine, caller, target) : minus('EFAULT');
  }
  return machine.ways['vcpu_op-phys_areas'] === 'present' && isPhysArea(args[0])
    ? registerPhysArea(machine, caller, read(8))
    : minus('ENOSYS');
};

const PHYS_AREAS: readonly number[] = Object.values(VCPUOP_PHYS_AREAS);
const isPhysArea = (op: number): boolean => PHYS_AREAS.includes(op);

/** Records at guest physical addresses are not modelled. */
const registerPhysArea = (machine: Machine, caller: Vcpu, isRead: boolean): number => {
  if (!isRead) return minus('EFAULT');
  machine.notModelled(caller, 'vcpu_op/register_phys_area');
  return minus('ENOSYS');
};

/** Interrupted at its page tables, the call is made again from the start. */
const bringIn = (machine: Machine, caller: Vcpu, target: Vcpu, args: Int32Array): number => {
  const answer = (target.domain.compat ? compatInitialise : initialise)(machine, caller, target, args[4], args[5]);
  return answer === minus('ERESTART') ? continueCall(args[0], 0, args[2], 0, args[4], args[5]) : answer;
};

const up = (machine: Machine, target: Vcpu): number => {
  if (!target.initialised) return minus('EINVAL');
  if ((target.pauseFlags & VPF.down) === 0) return 0;
  target.pauseFlags &= ~VPF.down;
  wake(machine, target);
  return 0;
};

/** The last one that goes down takes the domain with it. */
const down = (machine: Machine, caller: Vcpu, target: Vcpu): number => {
  const { vcpus } = caller.domain;
  if (!vcpus.some((other) => other !== target && (other.pauseFlags & VPF.down) === 0)) {
    domainShutdown(machine, caller.domain, SHUTDOWN.poweroff);
    caller.cpu.setGprHalves(RAX, 0, 0);
    return NO_RETURN;
  }
  if ((target.pauseFlags & VPF.down) !== 0) return 0;
  target.pauseFlags |= VPF.down;
  sleep(machine, target, caller);
  return 0;
};

/** The first record is written at once, in the caller's address space; when it fails nobody learns. */
const registerRunstate = (machine: Machine, caller: Vcpu, target: Vcpu): number => {
  const area = { lo: scratch.getInt32(0, true), hi: scratch.getInt32(4, true) };
  if (!accessOk(area.hi)) return minus('EFAULT');
  target.runstateArea = area.lo === 0 && area.hi === 0 ? null : area;
  layRunstate(target, target === caller ? 0 : Math.max(0, machine.now - target.runstateEntry));
  copyToGuest(machine, caller, area.lo, area.hi, runstateBytes(target));
  return 0;
};

const setPeriodic = (machine: Machine, target: Vcpu): number => {
  const period = unsigned(scratch.getInt32(0, true), scratch.getInt32(4, true));
  if (period < SHORTEST || scratch.getUint32(4, true) >= LONGEST_HI) return minus('EINVAL');
  target.periodicPeriod = period;
  startPeriodic(machine, target);
  return 0;
};

/** A time that has passed brings the interrupt at once. */
const setOneShot = (machine: Machine, target: Vcpu): number => {
  const deadline = unsigned(scratch.getInt32(0, true), scratch.getInt32(4, true));
  if (deadline < machine.now) {
    const { flags } = layouts.set_singleshot_timer.fields;
    const mustBeAhead = machine.ways['set_singleshot_timer-future'] === 'ETIME';
    if (mustBeAhead && (scratch.getUint32(flags.at, true) & VCPU_SSHOTTMR_future) !== 0) return minus('ETIME');
    setSingleshot(machine, target, null);
    sendGuestVcpuVirq(machine, target, VIRQ.TIMER);
  } else setSingleshot(machine, target, signed(scratch.getInt32(0, true), scratch.getInt32(4, true)));
  return 0;
};

/** The system time is refreshed whatever becomes of the mapping; in later releases when it becomes something. */
const registerInfo = (machine: Machine, caller: Vcpu, target: Vcpu): number => {
  const { mfn, offset } = layouts.register_vcpu_info.fields;
  const frame = unsigned(scratch.getInt32(mfn.at, true), scratch.getInt32(mfn.at + 4, true));
  const answer = mapVcpuInfo(machine, caller, target, frame, scratch.getUint32(offset.at, true));
  if (answer === 0 || machine.ways['register_vcpu_info-checks'] === 'place first') refreshTime(machine, target, caller);
  return answer;
};

const registerTime = (machine: Machine, caller: Vcpu, target: Vcpu): number => {
  const area = { lo: scratch.getInt32(0, true), hi: scratch.getInt32(4, true) };
  if (!accessOk(area.hi)) return minus('EFAULT');
  target.timeArea = area.lo === 0 && area.hi === 0 ? null : area;
  refreshTime(machine, target, caller);
  return 0;
};

/** APIC id and ACPI processor id, for dom0's vCPUs that can run on one pCPU only. */
const getPhysid = (machine: Machine, caller: Vcpu, target: Vcpu, lo: number, hi: number): number => {
  const isPinned = caller.domain.privileged && (target.pinnedTo >= 0 || machine.config.pcpus === 1);
  if (!isPinned) return minus('EINVAL');
  scratch.setUint32(0, target.id, true);
  scratch.setUint32(4, target.id, true);
  return copyToGuest(machine, caller, lo, hi, layouts.get_physid.size) ? 0 : minus('EFAULT');
};
