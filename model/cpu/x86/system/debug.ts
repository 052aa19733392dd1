/** MOV from and to debug registers. Chapter: "Debugging". */
import {
  CR4,
  DEBUG_REGISTER_ALIASES,
  DR6,
  DR6_FIXED,
  DR6_WRITABLE,
  DR7,
  DR7_FIXED,
  DR7_WRITABLE,
} from '#spec/isa/x86/control_registers.ts';
import { type Word, word } from '../../../word/word.ts';
import { generalProtection, undefinedOpcode } from '../fault.ts';
import { completed, type Running, type Semantics, setReg, withSystem } from '../running.ts';
import { wide } from './control.ts';
import { debugFault } from './step.ts';

/** Where a debug register stands in the state: x86/debug-aliases. */
const placeOf = (s: Running, register: number): number => {
  if (register < 4) return register;
  if (register >= 6) return register - 2;
  if ((s.system.cr4 & CR4.DE) !== 0) throw undefinedOpcode('x86/debug-aliases');
  return DEBUG_REGISTER_ALIASES[register as 4 | 5] - 2;
};

/** x86/debug-general. */
const requireFree = (s: Running): void => {
  if ((s.system.dr[5].lo & DR7.GD) !== 0) throw debugFault(s, DR6.BD, 'x86/debug-general');
};

export const movFromDebug: Semantics = (s, i) => {
  const place = placeOf(s, i.src.index);
  requireFree(s);
  return completed(s, i, { regs: setReg(s.regs, i.dst.index, wide(s, s.system.dr[place])) });
};

export const movToDebug: Semantics = (s, i) => {
  const place = placeOf(s, i.dst.index);
  requireFree(s);
  const dr = s.system.dr.slice();
  dr[place] = kept(place, wide(s, s.regs[i.src.index]));
  return withSystem(s, i, { ...s.system, dr });
};

/** DR0 to DR3 keep everything, DR6 and DR7 their defined bits: x86/debug-high. */
const kept = (place: number, value: Word): Word => {
  if (place < 4) return value;
  if (value.hi !== 0) throw generalProtection(0, 'x86/debug-high');
  return word(0, place === 4 ? (value.lo & DR6_WRITABLE) | DR6_FIXED : (value.lo & DR7_WRITABLE) | DR7_FIXED);
};
