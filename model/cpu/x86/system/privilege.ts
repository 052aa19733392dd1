import { generalProtection } from '../fault.ts';
import type { Running } from '../running.ts';

/** x86/privileged, for rules that have something to look at before it. */
export const requireRing0 = ({ system: { cpl } }: Running): void => {
  if (cpl !== 0) throw generalProtection(0, 'x86/privileged');
};
