/** XEN_SYSCTL_readconsole: what Xen wrote there is not modelled; that something is there is. */
import { sysctl } from '#spec/abi/sysctl.ts';
import { copyToGuest } from '../../../guest_copy.ts';
import { wordIn } from '../../../memory/guest.ts';
import { fieldsOf } from '../../guest_struct.ts';
import { fail } from '../../result.ts';
import type { Rule } from './rule.ts';

export const readconsole: Rule = (machine, { caller, bytes }) => {
  const { incremental, count } = fieldsOf(bytes, sysctl.readconsole);
  if (incremental !== 0 || count === 0) return null;
  const first = copyToGuest(machine, caller, wordIn(bytes, sysctl.readconsole.fields.buffer.at), new Uint8Array(1));
  return first.ok ? null : fail(first.machine, 'EFAULT', 'sysctl/readconsole-fault');
};
