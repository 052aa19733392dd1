/** Calls of the control domain, and of device models, whose structures 32-bit domains lay out otherwise. Chapter: spec/chapters/compat.md. */
import { COMPAT } from '#spec/abi/compat.ts';
import { DM_OP_MOST_BUFFERS } from '#spec/abi/hvm.ts';
import { KEXEC_CMD as CMD, kexec } from '#spec/abi/kexec.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { addInt, fromNumber } from '../../word/word.ts';
import { kexec_op as wideKexecOp } from '../control/kexec_op.ts';
import { isControlDomain } from '../domids.ts';
import { fieldOf } from '../guest_struct.ts';
import { dm_op as wideDmOp } from '../hvm/dm_op.ts';
import { fail, type Perform } from '../result.ts';
import { physdev_op } from './physdev_op.ts';
import { areaAt, laidOut, putAway, translated } from './translation.ts';

/** Buffers of eight bytes each. */
export const dm_op: Perform = (machine, caller, [domain, nrBufs, bufs]) => {
  const count = nrBufs.lo >>> 0;
  if (count === 0) return fail(machine, 'ENODATA', 'dm/buffers-none');
  if (count > DM_OP_MOST_BUFFERS) return fail(machine, 'E2BIG', 'dm/buffers-many');
  const read = copyFromGuest(cite(machine, 'compat/control-structure'), caller, bufs, count * COMPAT.dm_op_buf.size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'dm/buffers-fault');
  return putAway(wideDmOp(laidOut(read.machine), caller, [domain, fromNumber(count), areaAt(0)])).result;
};

const RANGE = { narrow: COMPAT.kexec_range, wide: kexec.range, back: true } as const;
const IMAGE = { narrow: COMPAT.kexec_image_v1, wide: kexec.image_v1 } as const;

/** The operations of old, and the one that tells of ranges; all others look the same. */
export const kexec_op: Perform = (machine, caller, [op, at]) => {
  const shape = op.lo === CMD.get_range ? RANGE : op.lo === CMD.load_v1 || op.lo === CMD.unload_v1 ? IMAGE : null;
  if (!shape || !isControlDomain(caller)) return wideKexecOp(machine, caller, [op, at]);
  return translated(cite(machine, 'compat/control-structure'), caller, at, { ...shape, fault: 'kexec/argument' }, (m, arg) =>
    wideKexecOp(m, caller, [op, arg]),
  );
};

/** The form of old: command, then the operation's structure right behind it. */
export const physdev_op_compat: Perform = (machine, caller, [arg]) => {
  const { size, fields } = COMPAT.physdev_op_compat;
  const copied = copyFromGuest(machine, caller, arg, size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'old/physdev_op-fault');
  const cmd = fieldOf(copied.bytes, fields.cmd);
  return physdev_op(cite(copied.machine, 'old/physdev_op'), caller, [fromNumber(cmd), addInt(arg, fields.u.at)]);
};
