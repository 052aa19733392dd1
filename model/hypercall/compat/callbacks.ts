/** Entry points of 32-bit kernels, which have a selector. Chapter: spec/chapters/compat.md. */
import { COMPAT, FLAT_COMPAT } from '#spec/abi/compat.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { CALLBACKTYPE, TI } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import type { CallbackName } from '../../vcpu.ts';
import { type Word, word } from '../../word/word.ts';
import { callback_op as wideCallbackOp } from '../callback/callback_op.ts';
import { unregisterNmi } from '../callback/register.ts';
import { fieldsOf } from '../guest_struct.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';
import { atLeastRing1 } from './two_words.ts';

type Entry = { readonly name: CallbackName; readonly cs: number; readonly address: Word; readonly masks: boolean };

const set = (machine: Machine, at: VcpuRef, { name, cs, address, masks }: Entry): Machine => {
  const { callbacks, callbackCs, masking } = vcpuOf(machine, at);
  return updateVcpu(machine, at, {
    callbacks: { ...callbacks, [name]: address },
    callbackCs: { ...callbackCs!, [name]: atLeastRing1(cs) },
    masking: name === 'event' ? masking : { ...masking, [name]: masks },
  });
};

export const set_callbacks: Perform = (machine, caller, [eventCs, event, failsafeCs, failsafe]) => {
  const first = set(machine, caller, { name: 'event', cs: eventCs.lo & 0xffff, address: event, masks: false });
  const both = set(first, caller, { name: 'failsafe', cs: failsafeCs.lo & 0xffff, address: failsafe, masks: false });
  return done(both, 'compat/set_callbacks');
};

const NAMES: ReadonlyMap<number, CallbackName> = new Map([
  [CALLBACKTYPE.event, 'event'],
  [CALLBACKTYPE.failsafe, 'failsafe'],
  [CALLBACKTYPE.syscall32, 'syscall32'],
  [CALLBACKTYPE.sysenter, 'sysenter'],
]);
const NMI = 2;
const CALLBACKF_MASK_EVENTS = 1;

/** Whatever selector came with it. */
const registerNmi = (machine: Machine, caller: VcpuRef, address: Word): HypercallResult => {
  const entry = { flags: TI.IF, cs: FLAT_COMPAT.KERNEL_CS, address };
  return done(
    updateVcpu(cite(machine, 'compat/nmi-selector'), caller, { traps: vcpuOf(machine, caller).traps.with(NMI, entry) }),
    'callback/register-nmi',
  );
};

/** nmi_op: its structure has two words, of which the first is the address. */
export const nmi_op: Perform = (machine, caller, [cmd, arg]) => {
  if (cmd.lo === SUBOPERATIONS.nmi_op.unregister_callback) return unregisterNmi(machine, caller);
  if (cmd.lo !== SUBOPERATIONS.nmi_op.register_callback) return fail(machine, 'ENOSYS', 'old/nmi_op-unknown');
  const copied = copyFromGuest(machine, caller, arg, 2 * POINTER);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'old/nmi_op-fault');
  return registerNmi(cite(copied.machine, 'old/nmi_op'), caller, wordIn(copied.bytes, 0, POINTER));
};
const POINTER = 4;

export const callback_op: Perform = (machine, caller, args) => {
  if (args[0].lo === SUBOPERATIONS.callback_op.unregister) return wideCallbackOp(machine, caller, args);
  if (args[0].lo !== SUBOPERATIONS.callback_op.register) return fail(machine, 'EINVAL', 'compat/callback_op-register');
  const copied = copyFromGuest(machine, caller, args[1], COMPAT.callback_register.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'callback/register-fault');
  const { type, flags, cs, eip } = fieldsOf(copied.bytes, COMPAT.callback_register);
  const m = cite(copied.machine, 'compat/callback_op-register');
  const address = word(0, eip);
  if (type === CALLBACKTYPE.nmi) {
    return registerNmi(m, caller, address);
  }
  const name = NAMES.get(type);
  if (!name) return fail(m, 'ENOSYS', 'callback/register-type');
  return done(set(m, caller, { name, cs: cs & 0xffff, address, masks: (flags & CALLBACKF_MASK_EVENTS) !== 0 }), 'callback/register-set');
};
