/** INS and OUTS. */

import { ACCESS } from '../../../memory/translate.ts';
import { zeroExtend } from '../../../word/size.ts';
import { ZERO } from '../../../word/word.ts';
import { generalProtection } from '../fault.ts';
import { probeLinear, writeLinear } from '../linear.ts';
import { linearAddress, read } from '../operand.ts';
import { ask } from '../outside.ts';
import type { Rules, Running, Semantics } from '../running.ts';
import { RDI, RDX, RSI } from '../state.ts';
import { requirePort } from '../system/ports.ts';
import { pointerMoved, repeated, result } from './string.ts';

const portOf = (s: Running): number => s.regs[RDX].lo & 0xffff;

/** INS, allowed: [rDI] ← port DX. That the place can be written is known before the port is read. */
const ins = repeated((s, i) => {
  const { size, stack } = i.dst;
  const at = linearAddress(s, i, i.dst, size, ACCESS.WRITE);
  probeLinear(s, at, size, stack);
  const value = ask(s, { kind: 'in', port: portOf(s), size }) ?? ZERO;
  return result(s, pointerMoved(s, i, RDI, size), s.flags, writeLinear(s, at, size, zeroExtend(value, size), stack));
}, false);

/** OUTS, allowed: port DX ← [rSI]. */
const outs = repeated((s, i) => {
  const { size } = i.src;
  const value = read(s, i, i.src);
  ask(s, { kind: 'out', port: portOf(s), size, value });
  return result(s, pointerMoved(s, i, RSI, size), s.flags);
}, false);

/** Whether the port may be reached comes before everything, a counter of zero too: x86/privileged, x86/port-permission. */
const permitted =
  (rule: Semantics): Semantics =>
  (s, i) => {
    if (s.system.kind === 'pv') throw generalProtection(0, 'x86/privileged');
    requirePort(s, portOf(s), i.dst.kind === 'mem' ? i.dst.size : i.src.size);
    return rule(s, i);
  };

/** INS. */
const insRule = permitted(ins);
/** OUTS. */
const outsRule = permitted(outs);

export const PORT_STRING_RULES: Rules = {
  ins: insRule,
  outs: outsRule,
};
