/** SYSENTER and SYSEXIT, outside long mode alone: x86/sysenter-mode. */
import { word } from '../../../word/word.ts';
import { generalProtection, undefinedOpcode } from '../fault.ts';
import { IF, RF } from '../flags.ts';
import { citing, completed, type Running, type Semantics, setReg } from '../running.ts';
import { CS, RCX, RDX, RSP, SS } from '../state.ts';
import { VM } from './flags.ts';
import { heldMsr } from './msr.ts';
import { inModeOf } from './segments.ts';
import { isLong } from './supervisor.ts';
import { FLAT, withFlat } from './syscall.ts';

const SYSENTER_CS = 0x174;
const SYSENTER_ESP = 0x175;
const SYSENTER_EIP = 0x176;

const selectorFor = (s: Running): number => {
  if (isLong(s)) throw undefinedOpcode('x86/sysenter-mode');
  const selector = heldMsr(s, SYSENTER_CS).lo & 0xfffc;
  if (selector === 0 || s.system.mode === 'real') throw generalProtection(0, 'x86/sysenter-mode');
  return selector;
};

/** To ring 3 or 0, on flat segments at `selector` and behind it. */
const arrive = (s: Running, selector: number, level: 0 | 3, flags: number, ring: number) => {
  const code = withFlat(s.segments, CS, (selector & 0xffff) | level, FLAT.code32 | ring);
  const segments = withFlat(code, SS, ((selector + 8) & 0xffff) | level, FLAT.data | ring);
  return { segments, flags, system: inModeOf(s.system, flags, segments, level) };
};

export const sysenter: Semantics = (s, i) => {
  const there = arrive(s, selectorFor(s), 0, s.flags & ~(VM | IF | RF), 0);
  return completed(citing(s, 'x86/sysenter-flat'), i, {
    ...there,
    rip: heldMsr(s, SYSENTER_EIP),
    regs: setReg(s.regs, RSP, heldMsr(s, SYSENTER_ESP)),
  });
};

export const sysexit: Semantics = (s, i) => {
  const there = arrive(s, selectorFor(s) + 16, 3, s.flags, FLAT.ring3);
  return completed(citing(s, 'x86/sysenter-flat'), i, {
    ...there,
    rip: word(0, s.regs[RDX].lo),
    regs: setReg(s.regs, RSP, word(0, s.regs[RCX].lo)),
  });
};
