/** HYPERVISOR_dm_op(domid, nr_bufs, bufs): device models, on a machine without HVM guests. Chapter: spec/chapters/privileged.md. */
import { DM_OP_MOST_BUFFERS, hvm } from '#spec/abi/hvm.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { findDomain } from '../../lens.ts';
import { fail, type Perform } from '../result.ts';

export const dm_op: Perform = (machine, caller, [domain, nrBufs, bufs]) => {
  const count = nrBufs.lo >>> 0;
  if (count === 0 && waysOf(machine.config.release)['dm_op-no_buffers'] === 'ENODATA') return fail(machine, 'ENODATA', 'dm/buffers-none');
  if (count > DM_OP_MOST_BUFFERS) return fail(machine, 'E2BIG', 'dm/buffers-many');
  const read = count === 0 ? { ok: true, machine } : copyFromGuest(machine, caller, bufs, count * hvm.dm_op_buf.size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'dm/buffers-fault');
  const domid = domain.lo & 0xffff;
  if (!findDomain(read.machine, domid)) return fail(read.machine, 'ESRCH', 'dm/domain');
  if (domid === caller.domid) return fail(read.machine, 'EPERM', 'dm/self');
  return fail(read.machine, 'EINVAL', 'dm/not_hvm');
};
