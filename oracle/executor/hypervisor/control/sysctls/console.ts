/** readconsole, as far as it is known: there are messages of Xen's, and nobody can have taken them away. What they say stops. */
import { ERRNO } from '#spec/abi/errno.ts';
import { sysctl } from '#spec/abi/sysctl.ts';
import { accessOk, guestToMachine } from '../../guest_access.ts';
import { stops, u32, type Work } from './asker.ts';

const { incremental, buffer, count } = sysctl.readconsole.fields;

/** The first byte cannot be stored. */
export const readConsole: Work = (asker) => {
  const { machine, caller, op } = asker;
  if (u32(op, count.at) === 0 || op.getUint8(incremental.at) !== 0) return stops(asker);
  const [lo, hi] = [op.getInt32(buffer.at, true), op.getInt32(buffer.at + 4, true)];
  return accessOk(hi) && guestToMachine(machine, caller, lo, hi, true) >= 0 ? stops(asker) : -ERRNO.EFAULT;
};
