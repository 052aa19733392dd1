/** set_trap_table, set_callbacks, callback_op: where the guest wants its exceptions and events. */

import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { callback } from '#spec/abi/sched.ts';
import { CALLBACKF_mask_events, CALLBACKTYPE, FLAT, TI, trap_info } from '#spec/abi/xen.ts';
import { WORK } from '#spec/work.ts';
import { COMPAT_KERNEL_CS } from '../compat/selectors.ts';
import { copyFromGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { minus } from '../result.ts';
import { isCanonical } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { sharedInfoAddress } from '../vcpu_info.ts';
import { continueCall, shouldPreempt } from './continuation.ts';

const NMI = 2;
/** Selectors of gates get the privilege level of guests. */
const RPL = 3;

/** Entries up to one without an address replace those of the virtual IDT; a null pointer clears it. */
export const set_trap_table = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  let lo = args[0];
  let hi = args[1];
  if ((lo | hi) === 0) {
    vcpu.trapVector.fill(0);
    vcpu.trapFlags.fill(0);
    vcpu.trapCs.fill(0);
    vcpu.trapLo.fill(0);
    vcpu.trapHi.fill(0);
    return 0;
  }
  const { vector, flags, cs, address } = trap_info.fields;
  for (;;) {
    machine.work.spend(WORK.entry);
    if (!copyFromGuest(machine, vcpu, lo, hi, trap_info.size)) return minus('EFAULT');
    const addressLo = scratch.getInt32(address.at, true);
    const addressHi = scratch.getInt32(address.at + 4, true);
    if ((addressLo | addressHi) === 0) return 0;
    if (!isCanonical(addressHi)) return minus('EINVAL');
    setTrap(vcpu, scratch.getUint8(vector.at), scratch.getUint8(flags.at), scratch.getUint16(cs.at, true) | RPL, addressLo, addressHi);
    const next = (lo >>> 0) + trap_info.size;
    if (next > 0xffffffff) hi = (hi + 1) | 0;
    lo = next | 0;
    if (shouldPreempt(machine, vcpu)) return continueCall(lo, hi);
  }
};

/** `named`: the vector as the entry says it. */
const setTrap = (vcpu: Vcpu, vector: number, flags: number, cs: number, lo: number, hi: number, named = vector): void => {
  vcpu.trapVector[vector] = named;
  vcpu.trapFlags[vector] = flags;
  vcpu.trapCs[vector] = cs;
  vcpu.trapLo[vector] = lo;
  vcpu.trapHi[vector] = hi;
};

/** All three at once; an address that is not canonical is passed over in silence. */
export const set_callbacks = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  register(machine, vcpu, CALLBACKTYPE.event, 0, args[0], args[1]);
  register(machine, vcpu, CALLBACKTYPE.failsafe, 0, args[2], args[3]);
  register(machine, vcpu, CALLBACKTYPE.syscall, 0, args[4], args[5]);
  return 0;
};

export const callback_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  switch (args[0]) {
    case SUBOPERATIONS.callback_op.register: {
      if (!copyFromGuest(machine, vcpu, args[2], args[3], callback.register.size)) return minus('EFAULT');
      const { type, flags, address } = callback.register.fields;
      return register(
        machine,
        vcpu,
        scratch.getUint16(type.at, true),
        scratch.getUint16(flags.at, true),
        scratch.getInt32(address.at, true),
        scratch.getInt32(address.at + 4, true),
      );
    }
    case SUBOPERATIONS.callback_op.unregister:
      if (!copyFromGuest(machine, vcpu, args[2], args[3], callback.unregister.size)) return minus('EFAULT');
      return unregister(vcpu, scratch.getUint16(callback.unregister.fields.type.at, true));
  }
  return minus('ENOSYS');
};

/** The address is looked at before the type. */
const register = (machine: Machine, vcpu: Vcpu, type: number, flags: number, lo: number, hi: number): number => {
  if (!isCanonical(hi)) return minus('EINVAL');
  const masks = (flags & CALLBACKF_mask_events) !== 0;
  switch (type) {
    case CALLBACKTYPE.event:
      vcpu.eventCallback.set(lo, hi);
      return 0;
    case CALLBACKTYPE.failsafe:
      vcpu.failsafeCallback.set(lo, hi);
      vcpu.failsafeDisablesEvents = masks;
      return 0;
    case CALLBACKTYPE.syscall:
      vcpu.syscallCallback.set(lo, hi);
      vcpu.syscallDisablesEvents = masks;
      return 0;
    case CALLBACKTYPE.syscall32:
      vcpu.syscall32Callback.set(lo, hi);
      vcpu.syscall32DisablesEvents = masks;
      return 0;
    case CALLBACKTYPE.sysenter:
      vcpu.sysenterCallback.set(lo, hi);
      vcpu.sysenterDisablesEvents = masks;
      return 0;
    case CALLBACKTYPE.nmi:
      return registerNmi(machine, vcpu, lo, hi);
  }
  return minus('ENOSYS');
};

/** An NMI whose reason still stands in shared info is raised again for vCPU 0: it may have been lost for want of a handler. */
export const registerNmi = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  if (!isCanonical(hi)) return minus('EINVAL');
  setTrap(vcpu, NMI, TI.IF, vcpu.domain.compat ? COMPAT_KERNEL_CS : FLAT.RING3_CS64, lo, hi);
  const { nmiReason, word } = vcpu.domain.info;
  const reason = sharedInfoAddress(vcpu, nmiReason);
  const isGiven = (machine.memory.read32(reason) | (word === 8 ? machine.memory.read32(reason + 4) : 0)) !== 0;
  if (vcpu.id === 0 && isGiven) vcpu.nmiPending = true;
  return 0;
};

export const unregisterNmi = (vcpu: Vcpu): void => setTrap(vcpu, NMI, 0, 0, 0, 0, 0);

const unregister = (vcpu: Vcpu, type: number): number => {
  switch (type) {
    case CALLBACKTYPE.nmi:
      unregisterNmi(vcpu);
      return 0;
    case CALLBACKTYPE.event:
    case CALLBACKTYPE.failsafe:
    case CALLBACKTYPE.syscall:
    case CALLBACKTYPE.syscall32:
    case CALLBACKTYPE.sysenter:
      return minus('EINVAL');
  }
  return minus('ENOSYS');
};
