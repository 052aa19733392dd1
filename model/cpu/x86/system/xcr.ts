/** XGETBV and XSETBV: XCR0 says which state the XSAVE family manages. Chapter: "Control registers and MSRs". */
import { NotModelled } from '#spec/failure.ts';
import { CR4, XCR0 } from '#spec/isa/x86/control_registers.ts';
import { XCR0_LEAF } from '#spec/isa/x86/cpuid_features.ts';
import { and, isZero, not, type Word, word, ZERO } from '../../../word/word.ts';
import { generalProtection, undefinedOpcode } from '../fault.ts';
import { completed, type Running, type Semantics, setReg, withSystem } from '../running.ts';
import { RAX, RCX, RDX } from '../state.ts';
import { hasFeature } from './features.ts';
import { requireRing0 } from './privilege.ts';

/** x86/xsave-off. */
const requireOn = ({ system: { cr4 } }: Running): void => {
  if ((cr4 & CR4.OSXSAVE) === 0) throw undefinedOpcode('x86/xsave-off');
};

/** XGETBV: register 0 is XCR0; register 1, where CPUID has it, what of it is in use: all. */
export const xgetbv: Semantics = (s, i) => {
  requireOn(s);
  const register = s.regs[RCX].lo >>> 0;
  if (register !== 0 && !(register === 1 && hasFeature(s.platform, 'xgetbv1'))) throw generalProtection(0, 'x86/xcr0-reserved');
  const { hi, lo } = s.system.xcr0;
  return completed(s, i, { regs: setReg(setReg(s.regs, RAX, word(0, lo)), RDX, word(0, hi)) });
};

/** XSETBV: x86/xcr0-reserved. */
export const xsetbv: Semantics = (s, i) => {
  requireOn(s);
  requireRing0(s);
  const value = word(s.regs[RDX].lo, s.regs[RAX].lo);
  const known = supported(s);
  if (s.regs[RCX].lo !== 0 || !isZero(and(value, not(known))) || (value.lo & XCR0.X87) === 0)
    throw generalProtection(0, 'x86/xcr0-reserved');
  if (value.hi !== 0 || (value.lo & ~(XCR0.X87 | XCR0.SSE)) !== 0) throw new NotModelled('xcr0/avx');
  return withSystem(s, i, { ...s.system, xcr0: value });
};

const supported = (s: Running): Word => {
  const leaf = s.platform.cpuid.find((row) => row.leaf >>> 0 === XCR0_LEAF && (row.subleaf === null || row.subleaf === 0));
  return leaf ? word(leaf.edx, leaf.eax) : ZERO;
};
