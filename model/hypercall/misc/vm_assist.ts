/** vm_assist: assists of the domain on and off. Chapter: spec/chapters/misc.md. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import { domainOf, updateDomain } from '../../lens.ts';
import { done, fail, type Perform } from '../result.ts';

const CMD = SUBOPERATIONS.vm_assist;
const TYPES: ReadonlySet<number> = new Set(Object.values(VMASST_TYPE));

/** The type is looked at before the command. */
export const vm_assist: Perform = (machine, caller, [cmd, type]) => {
  const number = type.lo >>> 0;
  if (!TYPES.has(number)) return fail(machine, 'EINVAL', 'misc/vm_assist-type');
  const { vmAssist, pv32 } = domainOf(machine, caller.domid);
  if (pv32 && number === VMASST_TYPE.m2p_strict) return fail(machine, 'EINVAL', 'compat/vm_assist-type');
  const bit = 1n << BigInt(number);
  if (cmd.lo === CMD.enable) return done(updateDomain(machine, caller.domid, { vmAssist: vmAssist | bit }), 'misc/vm_assist-enabled');
  if (cmd.lo === CMD.disable) return done(updateDomain(machine, caller.domid, { vmAssist: vmAssist & ~bit }), 'misc/vm_assist-disabled');
  return fail(machine, 'ENOSYS', 'misc/vm_assist-command');
};
