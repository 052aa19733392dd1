/** The control and status words. */
import { Word } from '../../../../word/word.ts';
import { type Fpu, FRESH_FPU } from '../../fpu/state.ts';
import { BUSY, SF, SUMMARY, withControl } from '../../fpu/words.ts';
import { finish, read } from '../../operand.ts';
import { advance, citing, type Rules, type Semantics, withFpu } from '../../running.ts';

/** FNINIT: control 037f, status 0, everything empty. What the registers held stays there. */
export const initialized = (fpu: Fpu): Fpu => ({ ...fpu, control: FRESH_FPU.control, status: 0, tag: 0 });

const fninitRule: Semantics = (s, i) => withFpu(s, i, initialized(s.fpu));

/** FNCLEX: no exception, stack fault or summary any more; condition codes and top stay. */
const fnclexRule: Semantics = (s, i) => withFpu(s, i, { ...s.fpu, status: s.fpu.status & ~(0x3f | SF | SUMMARY | BUSY) });

/** FLDCW: an exception that is set and now unmasked is pending from here on. */
const fldcwRule: Semantics = (s, i) => {
  const cited = citing(citing(s, 'fp/x87-control_reserved'), 'fp/x87-summary');
  return withFpu(cited, i, withControl(s.fpu, read(s, i, i.dst).lo));
};

const fnstcwRule: Semantics = (s, i) => finish(s, i, i.dst, new Word(0, s.fpu.control));

/** FNSTSW: to memory or AX. */
const fnstswRule: Semantics = (s, i) => finish(s, i, i.dst, new Word(0, s.fpu.status));

/** FWAIT, and what coprocessors of old were told: nothing is left to do once pending exceptions have been looked for. */
const nothingRule: Semantics = (s, i) => advance(s, i, s.regs, s.flags, s.memory);

export const CONTROL_RULES: Rules = {
  fninit: fninitRule,
  fnclex: fnclexRule,
  fldcw: fldcwRule,
  fnstcw: fnstcwRule,
  fnstsw: fnstswRule,
  fwait: nothingRule,
  wait: nothingRule,
  fneni: nothingRule,
  fndisi: nothingRule,
  fnsetpm: nothingRule,
  frstpm: nothingRule,
};
