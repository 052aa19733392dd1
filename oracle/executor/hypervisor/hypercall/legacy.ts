/** Hypercalls of old, each a form of a newer one: the command stands in the structure, or the argument is a value instead of a structure. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { physdev_op_compat as physdevLayout } from '#spec/abi/physdev.ts';
import { RAX } from '../../cpu/interface.ts';
import { event_channel_op } from '../event_channel/event_channel_op.ts';
import { copyFromGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { minus, NO_RETURN } from '../result.ts';
import { domainShutdown } from '../shutdown.ts';
import type { Vcpu } from '../vcpu.ts';
import { physdevOp } from './physdev_op.ts';
import { sched_op } from './sched_op.ts';
import { registerNmi, unregisterNmi } from './trap_table.ts';

const SCHED = SUBOPERATIONS.sched_op_compat;
const NMI = SUBOPERATIONS.nmi_op;

/** Yield, block, and shutdown with a reason of eight bits. */
export const sched_op_compat = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  switch (args[0]) {
    case SCHED.yield:
    case SCHED.block:
      return sched_op(machine, vcpu, Int32Array.of(args[0], 0, 0, 0));
    case SCHED.shutdown:
      domainShutdown(machine, vcpu.domain, args[2] & 0xff);
      vcpu.cpu.setGprHalves(RAX, 0, 0);
      return NO_RETURN;
  }
  return minus('ENOSYS');
};

/** struct evtchn_op: the command, then the operation's structure, all of which must be readable. */
const EVTCHN_OP_BYTES = 28;
const EVTCHN_OP_ARGUMENT = 4;

export const event_channel_op_compat = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (!copyFromGuest(machine, vcpu, args[0], args[1], EVTCHN_OP_BYTES)) return minus('EFAULT');
  const cmd = scratch.getInt32(0, true);
  if (cmd < 0 || cmd > SUBOPERATIONS.event_channel_op.unmask) return minus('ENOSYS');
  return event_channel_op(machine, vcpu, Int32Array.of(cmd, 0, ...behind(args, EVTCHN_OP_ARGUMENT)));
};

export const physdev_op_compat = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (!copyFromGuest(machine, vcpu, args[0], args[1], physdevLayout.size)) return minus('EFAULT');
  const [lo, hi] = behind(args, physdevLayout.fields.u.at);
  return physdevOp(machine, vcpu, scratch.getInt32(0, true), lo, hi);
};

/** The address in the first argument, some bytes further. */
const behind = (args: Int32Array, bytes: number): readonly [number, number] => {
  const lo = (args[0] >>> 0) + bytes;
  return [lo | 0, lo > 0xffffffff ? (args[1] + 1) | 0 : args[1]];
};

/** struct xennmi_callback: the address, and eight bytes that nobody reads. */
const NMI_CALLBACK_BYTES = 16;

export const nmi_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  switch (args[0]) {
    case NMI.register_callback:
      if (!copyFromGuest(machine, vcpu, args[2], args[3], NMI_CALLBACK_BYTES)) return minus('EFAULT');
      return registerNmi(machine, vcpu, scratch.getInt32(0, true), scratch.getInt32(4, true));
    case NMI.unregister_callback:
      unregisterNmi(vcpu);
      return 0;
  }
  return minus('ENOSYS');
};
