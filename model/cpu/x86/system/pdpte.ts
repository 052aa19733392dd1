/** The four entries on top of PAE's tables: checked when they come into use. x86/cr3-pdpte. */
import { CR0, CR4, EFER } from '#spec/isa/x86/control_registers.ts';
import { PTE } from '../../../memory/translate.ts';
import { generalProtection } from '../fault.ts';
import type { Running } from '../running.ts';
import { physicalWidth } from './features.ts';
import { readPhysical } from './physical.ts';

const RESERVED_LOW = 0x1e6;

export const requirePdptes = (s: Running): void => {
  const { cr0, cr3, cr4, efer } = s.system;
  if ((cr0 & CR0.PG) === 0 || (cr4 & CR4.PAE) === 0 || (efer & EFER.LMA) !== 0) return;
  const address = 2 ** Math.max(physicalWidth(s.platform) - 32, 0) - 1;
  for (let n = 0; n < 4; n++) {
    const { hi, lo } = readPhysical(s.memory, ((cr3.lo & ~0x1f) >>> 0) + 8 * n, 8);
    if ((lo & PTE.P) !== 0 && ((lo & RESERVED_LOW) !== 0 || (hi & ~address) !== 0)) throw generalProtection(0, 'x86/cr3-pdpte');
  }
};
