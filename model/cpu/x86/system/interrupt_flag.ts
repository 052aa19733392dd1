/** CLI STI HLT CLAC STAC. Chapter: "Ports and interrupt flag". */
import { generalProtection, undefinedOpcode } from '../fault.ts';
import { AC, IF, setFlags } from '../flags.ts';
import { citing, completed, type Running, type Semantics, withFlags } from '../running.ts';
import { ioplOf } from './flags.ts';

/** x86/iopl-interrupt_flag. */
const requireIopl = ({ flags, system: { cpl } }: Running): void => {
  if (cpl > ioplOf(flags)) throw generalProtection(0, 'x86/iopl-interrupt_flag');
};

export const cli: Semantics = (s, i) => {
  requireIopl(s);
  return withFlags(s, i, setFlags(s.flags, IF, 0));
};

/** STI. */
export const sti: Semantics = (s, i) => {
  requireIopl(s);
  if ((s.flags & IF) !== 0) return completed(s, i, {});
  return completed(citing(s, 'x86/shadow-sti'), i, { flags: s.flags | IF, system: { ...s.system, shadow: 'sti' } });
};

/** HLT: x86/halt. */
export const hlt: Semantics = (s, i) => completed(s, i, { system: { ...s.system, activity: 'halted' } });

/** STAC, CLAC: ring 0 alone. */
const setAc =
  (on: number): Semantics =>
  (s, i) => {
    if (s.system.cpl !== 0) throw undefinedOpcode('x86/ac-ring0');
    return withFlags(s, i, setFlags(s.flags, AC, on));
  };
export const stac = setAc(AC);
export const clac = setAc(0);
