/** callback_op: register and unregister entry points. Chapter: spec/chapters/callback.md. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { callback } from '#spec/abi/sched.ts';
import { CALLBACKTYPE } from '#spec/abi/xen.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { domainOf } from '../../lens.ts';
import { wordIn } from '../../memory/guest.ts';
import { fieldOf } from '../guest_struct.ts';
import { fail, type Perform } from '../result.ts';
import { registerCallback, unregisterNmi } from './register.ts';

const CMD = SUBOPERATIONS.callback_op;

export const callback_op: Perform = (machine, caller, [cmd, arg]) => {
  if (cmd.lo === CMD.register) return register(machine, caller, [arg]);
  if (cmd.lo === CMD.unregister) return unregister(machine, caller, [arg]);
  return fail(machine, 'ENOSYS', 'callback/op-unknown');
};

const register: Perform = (machine, caller, [arg]) => {
  const copied = copyFromGuest(machine, caller, arg, callback.register.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'callback/register-fault');
  const { type, flags, address } = callback.register.fields;
  return registerCallback(
    copied.machine,
    caller,
    fieldOf(copied.bytes, type),
    fieldOf(copied.bytes, flags),
    wordIn(copied.bytes, address.at),
  );
};

/** Only an NMI handler can go again. */
const unregister: Perform = (machine, caller, [arg]) => {
  const copied = copyFromGuest(machine, caller, arg, callback.unregister.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'callback/unregister-fault');
  const m = copied.machine;
  const type = fieldOf(copied.bytes, callback.unregister.fields.type);
  if (type === CALLBACKTYPE.syscall && domainOf(m, caller.domid).pv32) return fail(m, 'ENOSYS', 'compat/callback_op-unregister');
  switch (type) {
    case CALLBACKTYPE.nmi:
      return unregisterNmi(m, caller);
    case CALLBACKTYPE.event:
    case CALLBACKTYPE.failsafe:
    case CALLBACKTYPE.syscall:
    case CALLBACKTYPE.syscall32:
    case CALLBACKTYPE.sysenter:
      return fail(m, 'EINVAL', 'callback/unregister-fixed');
    default:
      return fail(m, 'ENOSYS', 'callback/unregister-type');
  }
};
