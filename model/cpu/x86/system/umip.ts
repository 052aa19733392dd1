import { CR4 } from '#spec/isa/x86/control_registers.ts';
import { generalProtection } from '../fault.ts';
import type { Running } from '../running.ts';

/** x86/umip: where system software keeps its tables is not for ring 3 to know. */
export const requireUmip = ({ system: { cpl, cr4 } }: Running): void => {
  if (cpl !== 0 && (cr4 & CR4.UMIP) !== 0) throw generalProtection(0, 'x86/umip');
};
