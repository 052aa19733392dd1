/** set_trap_table, set_callbacks, callback_op, stack_switch, nmi_op of 32-bit guests: addresses come with a code segment. */

import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { CALLBACKF_mask_events, CALLBACKTYPE } from '#spec/abi/xen.ts';
import { WORK } from '#spec/work.ts';
import { copyFromGuest, scratch } from '../guest_access.ts';
import { continueCall, shouldPreempt } from '../hypercall/continuation.ts';
import { registerNmi, unregisterNmi } from '../hypercall/trap_table.ts';
import type { Machine } from '../machine.ts';
import { minus } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';
import { guestSelector } from './selectors.ts';

const TRAP_INFO_BYTES = 8;
/** callback_register: type and flags of two bytes, then segment and address. */
const REGISTER_BYTES = 12;
const UNREGISTER_BYTES = 4;

export const compat_set_trap_table = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const at = args[0];
  if (at === 0) {
    vcpu.trapFlags.fill(0);
    vcpu.trapCs.fill(0);
    vcpu.trapLo.fill(0);
    vcpu.trapHi.fill(0);
    return 0;
  }
  for (let entry = at >>> 0; ; ) {
    machine.work.spend(WORK.entry);
    if (!copyFromGuest(machine, vcpu, entry | 0, entry > 0xffffffff ? 1 : 0, TRAP_INFO_BYTES)) return minus('EFAULT');
    const address = scratch.getInt32(4, true);
    if (address === 0) return 0;
    const vector = scratch.getUint8(0);
    vcpu.trapFlags[vector] = scratch.getUint8(1);
    vcpu.trapCs[vector] = guestSelector(scratch.getUint16(2, true));
    vcpu.trapLo[vector] = address;
    vcpu.trapHi[vector] = 0;
    entry += TRAP_INFO_BYTES;
    if (shouldPreempt(machine, vcpu)) return continueCall(entry | 0, 0);
  }
};

export const compat_stack_switch = (_machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  vcpu.kernelSs = guestSelector(args[0]);
  vcpu.kernelSp.set(args[2], 0);
  return 0;
};

/** Segment and address of the event callback, then of the failsafe callback. */
export const compat_set_callbacks = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  register(machine, vcpu, CALLBACKTYPE.event, 0, args[0], args[2]);
  register(machine, vcpu, CALLBACKTYPE.failsafe, 0, args[4], args[6]);
  return 0;
};

export const compat_callback_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  switch (args[0]) {
    case SUBOPERATIONS.callback_op.register: {
      if (!copyFromGuest(machine, vcpu, args[2], 0, REGISTER_BYTES)) return minus('EFAULT');
      const [type, flags] = [scratch.getUint16(0, true), scratch.getUint16(2, true)];
      return register(machine, vcpu, type, flags, scratch.getInt32(4, true), scratch.getInt32(8, true));
    }
    case SUBOPERATIONS.callback_op.unregister:
      if (!copyFromGuest(machine, vcpu, args[2], 0, UNREGISTER_BYTES)) return minus('EFAULT');
      return unregister(vcpu, scratch.getUint16(0, true));
  }
  return minus('EINVAL');
};

const register = (machine: Machine, vcpu: Vcpu, type: number, flags: number, segment: number, eip: number): number => {
  const cs = guestSelector(segment);
  const masks = (flags & CALLBACKF_mask_events) !== 0;
  switch (type) {
    case CALLBACKTYPE.event:
      vcpu.eventCallbackCs = cs;
      vcpu.eventCallback.set(eip, 0);
      return 0;
    case CALLBACKTYPE.failsafe:
      vcpu.failsafeCallbackCs = cs;
      vcpu.failsafeCallback.set(eip, 0);
      vcpu.failsafeDisablesEvents = masks;
      return 0;
    case CALLBACKTYPE.syscall32:
      vcpu.syscall32CallbackCs = cs;
      vcpu.syscall32Callback.set(eip, 0);
      vcpu.syscall32DisablesEvents = masks;
      return 0;
    case CALLBACKTYPE.sysenter:
      vcpu.sysenterCallbackCs = cs;
      vcpu.sysenterCallback.set(eip, 0);
      vcpu.sysenterDisablesEvents = masks;
      return 0;
    case CALLBACKTYPE.nmi:
      return registerNmi(machine, vcpu, eip, 0);
  }
  return minus('ENOSYS');
};

const unregister = (vcpu: Vcpu, type: number): number => {
  switch (type) {
    case CALLBACKTYPE.nmi:
      unregisterNmi(vcpu);
      return 0;
    case CALLBACKTYPE.event:
    case CALLBACKTYPE.failsafe:
    case CALLBACKTYPE.syscall32:
    case CALLBACKTYPE.sysenter:
      return minus('EINVAL');
  }
  return minus('ENOSYS');
};

/** xennmi_callback: the handler's address alone counts. */
export const compat_nmi_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  switch (args[0]) {
    case SUBOPERATIONS.nmi_op.register_callback:
      if (!copyFromGuest(machine, vcpu, args[2], 0, 8)) return minus('EFAULT');
      return registerNmi(machine, vcpu, scratch.getInt32(0, true), 0);
    case SUBOPERATIONS.nmi_op.unregister_callback:
      unregisterNmi(vcpu);
      return 0;
  }
  return minus('ENOSYS');
};
