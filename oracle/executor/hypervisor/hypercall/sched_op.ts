/** sched_op: giving up the CPU, waiting for events, and ending a domain. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { NR_DOMAIN_WATCHDOG_TIMERS, SCHED_POLL_MAX_PORTS, sched } from '#spec/abi/sched.ts';
import { SHUTDOWN } from '#spec/abi/xen.ts';
import { RAX } from '../../cpu/interface.ts';
import type { Domain } from '../domain.ts';
import { accessOk, copyFromGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { ECS } from '../port.ts';
import { minus, NO_RETURN } from '../result.ts';
import { domainCrash, domainShutdown } from '../shutdown.ts';
import { setPollTimer, setWatchdog } from '../timers.ts';
import { signed } from '../u64.ts';
import { isPending } from '../upcall.ts';
import { type Vcpu, VPF } from '../vcpu.ts';
import { setUpcallMask, upcallMask, upcallPending } from '../vcpu_info.ts';
import { CALL_STATE } from './continuation.ts';

const OP = SUBOPERATIONS.sched_op;
const SECOND = 1_000_000_000;
/** pCPUs that Debian builds Xen for. */
const NR_CPUS = 256;

export const sched_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  switch (args[0]) {
    case OP.yield:
      CALL_STATE.gaveUp = true;
      return 0;
    case OP.block:
      return block(machine, vcpu);
    case OP.shutdown:
      return read(machine, vcpu, args, sched.shutdown.size) ? shutdown(machine, vcpu) : minus('EFAULT');
    case OP.shutdown_code:
      if (!read(machine, vcpu, args, sched.shutdown.size)) return minus('EFAULT');
      vcpu.domain.shutdownCode ??= scratch.getUint8(0);
      return 0;
    case OP.poll:
      return read(machine, vcpu, args, sched.poll.size) ? poll(machine, vcpu) : minus('EFAULT');
    case OP.remote_shutdown:
      return read(machine, vcpu, args, sched.remote_shutdown.size) ? remoteShutdown(machine, vcpu) : minus('EFAULT');
    case OP.watchdog:
      return read(machine, vcpu, args, sched.watchdog.size) ? watchdog(machine, vcpu) : minus('EFAULT');
    case OP.pin_override:
      return pinOverride(machine, vcpu, args);
  }
  return minus('ENOSYS');
};

const read = (machine: Machine, vcpu: Vcpu, args: Int32Array, size: number): boolean =>
  copyFromGuest(machine, vcpu, args[2], args[3], size);

const canDeliver = (machine: Machine, vcpu: Vcpu): boolean => upcallPending(machine, vcpu) !== 0 && upcallMask(machine, vcpu) === 0;

/** Unmasks upcalls first; does not sleep when one can be delivered. */
const block = (machine: Machine, vcpu: Vcpu): number => {
  setUpcallMask(machine, vcpu, 0);
  if (canDeliver(machine, vcpu)) return 0;
  vcpu.pauseFlags |= VPF.blocked;
  CALL_STATE.gaveUp = true;
  return 0;
};

const shutdown = (machine: Machine, vcpu: Vcpu): number => {
  const reason = scratch.getUint8(0);
  if (reason === SHUTDOWN.crash) domainCrash(machine, vcpu.domain, 'guest-request');
  else domainShutdown(machine, vcpu.domain, reason);
  vcpu.cpu.setGprHalves(RAX, 0, 0);
  return NO_RETURN;
};

/** Wait until one of the ports is pending, or until the timeout. */
const poll = (machine: Machine, vcpu: Vcpu): number => {
  const { ports, nr_ports, timeout } = sched.poll.fields;
  const count = scratch.getUint32(nr_ports.at, true);
  const listLo = scratch.getInt32(ports.at, true);
  const listHi = scratch.getInt32(ports.at + 4, true);
  const deadline = signed(scratch.getInt32(timeout.at, true), scratch.getInt32(timeout.at + 4, true));
  if (count > SCHED_POLL_MAX_PORTS) return minus('EINVAL');
  if (!accessOk(listHi)) return minus('EFAULT');
  if (canDeliver(machine, vcpu)) return 0;
  let port = 0;
  for (let i = 0; i < count; i++) {
    const at = (listLo >>> 0) + 4 * i;
    if (!copyFromGuest(machine, vcpu, at | 0, at > 0xffffffff ? (listHi + 1) | 0 : listHi, 4)) return minus('EFAULT');
    port = scratch.getUint32(0, true);
    const pending = portIsPending(machine, vcpu.domain, port);
    if (pending !== 0) return pending > 0 ? 0 : pending;
  }
  vcpu.pauseFlags |= VPF.blocked;
  CALL_STATE.gaveUp = true;
  vcpu.domain.polling.add(vcpu.id);
  vcpu.pollPort = count === 1 ? port : -1;
  if (deadline !== 0) setPollTimer(machine, vcpu, deadline);
  return 0;
};

/** 1 when the port is pending, 0 when not, -EINVAL when it is not in use. */
const portIsPending = (machine: Machine, domain: Domain, port: number): number => {
  const found = domain.portAt(port);
  if (!found || found.state === ECS.reserved)
    return machine.ways['poll-free_port'] === 'waits' && port < domain.validPorts ? 0 : minus('EINVAL');
  return isPending(machine, domain, port) ? 1 : 0;
};

/** dom0 alone may end another domain. */
const remoteShutdown = (machine: Machine, vcpu: Vcpu): number => {
  const { domain_id, reason } = sched.remote_shutdown.fields;
  const target = machine.domainById(scratch.getUint16(domain_id.at, true));
  const why = scratch.getUint32(reason.at, true) & 0xff;
  if (!target) return minus('ESRCH');
  if (!vcpu.domain.privileged) return minus('EPERM');
  domainShutdown(machine, target, why);
  if (target !== vcpu.domain) return 0;
  vcpu.cpu.setGprHalves(RAX, 0, 0);
  return NO_RETURN;
};

/** Slot 0 takes a free one; a slot is named by its number plus one. Timeouts are in seconds; zero frees a named slot. */
const watchdog = (machine: Machine, vcpu: Vcpu): number => {
  const { domain } = vcpu;
  const id = scratch.getUint32(sched.watchdog.fields.id.at, true);
  const timeout = scratch.getUint32(sched.watchdog.fields.timeout.at, true);
  const deadline = machine.now + timeout * SECOND;
  if (id > NR_DOMAIN_WATCHDOG_TIMERS) return minus('EINVAL');
  if (id === 0) {
    const slot = domain.watchdogInUse.indexOf(false);
    // Xen computes this answer as an unsigned 32-bit number.
    if (slot < 0) return minus('ENOSPC') >>> 0;
    domain.watchdogInUse[slot] = true;
    setWatchdog(machine, domain, slot, deadline);
    return slot + 1;
  }
  if (!domain.watchdogInUse[id - 1]) return minus('EINVAL');
  domain.watchdogInUse[id - 1] = timeout !== 0;
  setWatchdog(machine, domain, id - 1, timeout === 0 ? null : deadline);
  return 0;
};

/** Pin dom0's vCPU to a pCPU until it is undone by a negative number. */
const pinOverride = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (!vcpu.domain.privileged) return minus('EPERM');
  if (!read(machine, vcpu, args, sched.pin_override.size)) return minus('EFAULT');
  const cpu = scratch.getInt32(0, true);
  if (cpu < 0) {
    if (vcpu.pinnedTo < 0) return minus('EINVAL');
    vcpu.pinnedTo = -1;
    return 0;
  }
  if (cpu >= NR_CPUS || cpu >= machine.config.pcpus) return minus('EINVAL');
  if (vcpu.pinnedTo >= 0) return minus('EBUSY');
  vcpu.pinnedTo = cpu;
  if (cpu !== vcpu.processor) {
    vcpu.mustMove = true;
    CALL_STATE.gaveUp = true;
  }
  return 0;
};
