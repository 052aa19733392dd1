/** What IRET checks of the selectors it loads, on Xen's global descriptor table. Chapter: spec/chapters/iret.md. */
import { FLAT } from '#spec/abi/xen.ts';
import { NotModelled } from '#spec/failure.ts';
import { type CpuState, CS, SS } from '../cpu/x86/state.ts';
import { isCanonical } from '../memory/translate.ts';

/** Error code of the #GP with which IRET to ring 3 refuses this state; null when it goes through. Both selectors have RPL 3. */
export const iretFault = ({ segments, rip }: CpuState): number | null => {
  const cs = segments.selectors[CS];
  const ss = segments.selectors[SS];
  if (cs === FLAT.RING3_CS32) throw new NotModelled('x86/compatibility_mode');
  if (cs !== FLAT.RING3_CS64) return cs & ~3;
  if (ss !== FLAT.RING3_SS64) return ss & ~3;
  return isCanonical(rip) ? null : 0;
};
