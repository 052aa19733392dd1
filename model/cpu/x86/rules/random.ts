/** Numbers that come from outside, or from the processor's own list. */
import { zeroExtend } from '../../../word/size.ts';
import { type Word, ZERO } from '../../../word/word.ts';
import { ARITHMETIC, CF, setFlags } from '../flags.ts';
import { finish } from '../operand.ts';
import { ask } from '../outside.ts';
import { citing, type Rules, type Running, type Semantics } from '../running.ts';

/** x86/random-none: Xen asks nobody for numbers on a guest's behalf, so a guest's runs can be repeated. */
const drawn = (s: Running, size: number, seed: boolean): Word | null =>
  s.system.kind === 'pv' ? null : ask(s, { kind: 'random', size, seed });

/** RDRAND, RDSEED: DEST ← a random number and CF ← 1, or 0 and CF ← 0 when there is none. The other arithmetic flags are cleared. */
const randomRule =
  (seed: boolean): Semantics =>
  (s, i) => {
    const answer = drawn(s, i.size, seed);
    const told = s.system.kind === 'pv' ? citing(s, 'x86/random-none') : s;
    return finish(told, i, i.dst, zeroExtend(answer ?? ZERO, i.dst.size), setFlags(s.flags, ARITHMETIC, answer === null ? 0 : CF));
  };
const rdrandRule = randomRule(false);
const rdseedRule = randomRule(true);

const TSC_AUX = 0xc0000103;

/** TSC_AUX, which Xen keeps at 0. */
const auxiliaryOf = ({ system }: Running): Word => system.msrs.get(TSC_AUX) ?? ZERO;

/** RDPID: DEST ← TSC_AUX. */
const rdpidRule: Semantics = (s, i) => finish(s, i, i.dst, auxiliaryOf(s));

export const RANDOM_RULES: Rules = {
  rdpid: rdpidRule,
  rdrand: rdrandRule,
  rdseed: rdseedRule,
};
