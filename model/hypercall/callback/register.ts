/** Registering an entry point, for callback_op and set_callbacks alike. Chapter: spec/chapters/callback.md. */
import { CALLBACKF_mask_events, CALLBACKTYPE, FLAT, TI } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { isCanonical } from '../../memory/translate.ts';
import type { CallbackName, Vcpu } from '../../vcpu.ts';
import { type Word, ZERO } from '../../word/word.ts';
import { done, fail, type HypercallResult } from '../result.ts';

/** Entry of the virtual IDT that the NMI callback is. */
export const NMI = 2;

/** Set callback `type`. A bad address is reported before a bad type. */
export const registerCallback = (machine: Machine, caller: VcpuRef, type: number, flags: number, address: Word): HypercallResult => {
  if (!isCanonical(address)) return fail(machine, 'EINVAL', 'callback/register-address');
  const masks = (flags & CALLBACKF_mask_events) !== 0;
  const set = (name: CallbackName, masking: Partial<Vcpu['masking']> = {}): HypercallResult => {
    const vcpu = vcpuOf(machine, caller);
    const change = { callbacks: { ...vcpu.callbacks, [name]: address }, masking: { ...vcpu.masking, ...masking } };
    return done(updateVcpu(machine, caller, change), 'callback/register-set');
  };
  switch (type) {
    case CALLBACKTYPE.event:
      return set('event');
    case CALLBACKTYPE.failsafe:
      return set('failsafe', { failsafe: masks });
    case CALLBACKTYPE.syscall:
      return set('syscall', { syscall: masks });
    case CALLBACKTYPE.syscall32:
      return set('syscall32', { syscall32: masks });
    case CALLBACKTYPE.sysenter:
      return set('sysenter', { sysenter: masks });
    case CALLBACKTYPE.nmi: {
      const traps = vcpuOf(machine, caller).traps.with(NMI, { flags: TI.IF, cs: FLAT.RING3_CS64, address });
      return done(updateVcpu(machine, caller, { traps }), 'callback/register-nmi');
    }
    default:
      return fail(machine, 'ENOSYS', 'callback/register-type');
  }
};

/** Entry 2 of the virtual IDT becomes empty. */
export const unregisterNmi = (machine: Machine, caller: VcpuRef): HypercallResult => {
  const traps = vcpuOf(machine, caller).traps.with(NMI, { flags: 0, cs: 0, address: ZERO });
  return done(updateVcpu(machine, caller, { traps }), 'callback/unregister-nmi');
};
