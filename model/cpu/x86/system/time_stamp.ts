/** The time-stamp counter and the performance counters. Chapter: "Control registers and MSRs". */
import { CR4 } from '#spec/isa/x86/control_registers.ts';
import { add, addInt, type Word, word, ZERO } from '../../../word/word.ts';
import { generalProtection } from '../fault.ts';
import { completed, type Running, type Semantics, setReg } from '../running.ts';
import { RAX, RCX, RDX } from '../state.ts';

const TSC = 0x10;
const TSC_AUX = 0xc0000103;
const COUNTERS = 4;

/** The machine's own count (looseness `open/tsc-rate`), from which the counter has a distance. */
export const machineTicks = (s: Running): Word => addInt(s.platform.tsc, s.tick);

const inPair = (regs: readonly Word[], { hi, lo }: Word): readonly Word[] => setReg(setReg(regs, RAX, word(0, lo)), RDX, word(0, hi));

/** x86/tsc-disabled. */
const counter = (s: Running): Word => {
  if (s.system.cpl !== 0 && (s.system.cr4 & CR4.TSD) !== 0) throw generalProtection(0, 'x86/tsc-disabled');
  return add(machineTicks(s), s.system.msrs.get(TSC) ?? ZERO);
};

export const rdtsc: Semantics = (s, i) => completed(s, i, { regs: inPair(s.regs, counter(s)) });

/** RDTSCP: as RDTSC, and ECX ← TSC_AUX. */
export const rdtscp: Semantics = (s, i) =>
  completed(s, i, { regs: setReg(inPair(s.regs, counter(s)), RCX, s.system.msrs.get(TSC_AUX) ?? ZERO) });

/** RDPMC: x86/pmc-absent. */
export const rdpmc: Semantics = (s, i) => {
  if (s.regs[RCX].lo >>> 0 >= COUNTERS) throw generalProtection(0, 'x86/pmc-absent');
  return completed(s, i, { regs: inPair(s.regs, ZERO) });
};
