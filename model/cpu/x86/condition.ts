/** What Jcc, SETcc and CMOVcc test. */
import { CONDITIONS } from '#spec/isa/x86/opcodes.ts';
import { CF, OF, PF, SF, ZF } from './flags.ts';
import type { Condition } from './mnemonic.ts';
import type { Rules, Semantics } from './running.ts';

type Test = (flags: number) => boolean;

const less: Test = (f) => ((f & SF) !== 0) !== ((f & OF) !== 0);

export const HOLDS: Record<Condition, Test> = {
  o: (f) => (f & OF) !== 0,
  no: (f) => (f & OF) === 0,
  b: (f) => (f & CF) !== 0,
  ae: (f) => (f & CF) === 0,
  e: (f) => (f & ZF) !== 0,
  ne: (f) => (f & ZF) === 0,
  be: (f) => (f & (CF | ZF)) !== 0,
  a: (f) => (f & (CF | ZF)) === 0,
  s: (f) => (f & SF) !== 0,
  ns: (f) => (f & SF) === 0,
  p: (f) => (f & PF) !== 0,
  np: (f) => (f & PF) === 0,
  l: less,
  ge: (f) => !less(f),
  le: (f) => (f & ZF) !== 0 || less(f),
  g: (f) => (f & ZF) === 0 && !less(f),
};

/** One instruction for each condition: `j` makes jo, jno, jb, … */
export const forConditions = (prefix: 'j' | 'set' | 'cmov', rule: (condition: Condition) => Semantics): Rules =>
  Object.fromEntries(CONDITIONS.map((condition) => [`${prefix}${condition}`, rule(condition)]));
