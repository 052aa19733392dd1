/** Hypercalls of guests older than interface 0x00030202, and nmi_op: the modern ones by older doors. Chapter: spec/chapters/old_forms.md. */
import { event_channel_op_compat as EVTCHN } from '#spec/abi/event_channel.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { physdev_op_compat as PHYSDEV } from '#spec/abi/physdev.ts';
import { xennmi_callback } from '#spec/abi/sched.ts';
import { CALLBACKTYPE } from '#spec/abi/xen.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { wordIn } from '../../memory/guest.ts';
import { addInt, fromNumber, ZERO } from '../../word/word.ts';
import { registerCallback, unregisterNmi } from '../callback/register.ts';
import { event_channel_op } from '../event_channel/event_channel_op.ts';
import { fieldOf } from '../guest_struct.ts';
import { physdev_op } from '../physdev/physdev_op.ts';
import { fail, type Perform } from '../result.ts';
import { sched_op } from '../sched/sched_op.ts';
import { endSelf } from '../sched/shutdown.ts';

const { yield: YIELD, block: BLOCK, shutdown: SHUTDOWN } = SUBOPERATIONS.sched_op_compat;

/** Commands 0 to 2; the reason of a shutdown is the argument itself. */
export const sched_op_compat: Perform = (machine, caller, [cmd, arg]) => {
  if (cmd.lo === YIELD || cmd.lo === BLOCK) return sched_op(cite(machine, 'old/sched_op'), caller, [cmd, ZERO]);
  return cmd.lo === SHUTDOWN ? endSelf(cite(machine, 'old/sched_op'), arg.lo & 0xff) : fail(machine, 'ENOSYS', 'old/sched_op-unknown');
};

/** The last of the operations that the old form has. */
const LAST = SUBOPERATIONS.event_channel_op.unmask;

export const event_channel_op_compat: Perform = (machine, caller, [arg]) => {
  const copied = copyFromGuest(machine, caller, arg, EVTCHN.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'old/event_channel_op-fault');
  const cmd = fieldOf(copied.bytes, EVTCHN.fields.cmd);
  if (cmd > LAST) return fail(copied.machine, 'ENOSYS', 'old/event_channel_op-unknown');
  return event_channel_op(cite(copied.machine, 'old/event_channel_op'), caller, [fromNumber(cmd), addInt(arg, EVTCHN.fields.u.at)]);
};

export const physdev_op_compat: Perform = (machine, caller, [arg]) => {
  const copied = copyFromGuest(machine, caller, arg, PHYSDEV.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'old/physdev_op-fault');
  const cmd = fieldOf(copied.bytes, PHYSDEV.fields.cmd);
  return physdev_op(cite(copied.machine, 'old/physdev_op'), caller, [fromNumber(cmd), addInt(arg, PHYSDEV.fields.u.at)]);
};

const NMI = SUBOPERATIONS.nmi_op;

/** The NMI callback, as callback_op registers it. */
export const nmi_op: Perform = (machine, caller, [cmd, arg]) => {
  if (cmd.lo === NMI.unregister_callback) return unregisterNmi(machine, caller);
  if (cmd.lo !== NMI.register_callback) return fail(machine, 'ENOSYS', 'old/nmi_op-unknown');
  const copied = copyFromGuest(machine, caller, arg, xennmi_callback.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'old/nmi_op-fault');
  const address = wordIn(copied.bytes, xennmi_callback.fields.handler_address.at);
  return registerCallback(cite(copied.machine, 'old/nmi_op'), caller, CALLBACKTYPE.nmi, 0, address);
};
