/** Call gates. Source: Intel SDM volume 3, 5.8.3 to 5.8.5; AMD APM volume 2, 4.11. */
import type { Cpu } from '../cpu.ts';
import { GP, NP } from '../exit.ts';
import { CS, RSP } from '../interface.ts';
import { CPL } from '../layout.ts';
import { isLong, levelOf } from './access.ts';
import { checkOffset, checkSize, isLongCode, setCode } from './code.ts';
import {
  type Descriptor,
  dplOf,
  fetch,
  gateOffset,
  gateSelector,
  indexOf,
  isCode,
  isConforming,
  isNull,
  isPresent,
  markAccessed,
  TYPE,
  typeOf,
} from './descriptor.ts';
import { enterStack, innerLongStack, innerStack, pushOldStack } from './inner_stack.ts';
import { Stack } from './stack.ts';

/** Type field of a 16-byte gate's last dword: must be zero. */
const UPPER_TYPE = 0x1f00;

type Target = { readonly selector: number; readonly code: Descriptor; readonly offset: bigint };

/** The code segment that a gate leads to. */
const targetOf = (c: Cpu, named: number, gate: Descriptor, call: boolean): Target => {
  if (isLong(c) && (gate.fourth & UPPER_TYPE) !== 0) c.fault(GP, indexOf(named));
  const selector = gateSelector(gate);
  const error = indexOf(selector);
  if (isNull(selector)) c.fault(GP, 0);
  const code = fetch(c, selector);
  const cpl = c.s[CPL];
  const allowed = call || isConforming(code) ? dplOf(code) <= cpl : dplOf(code) === cpl;
  if (!isCode(code) || !allowed) c.fault(GP, error);
  if (isLong(c)) {
    if (!isLongCode(c, code)) c.fault(GP, error);
    checkSize(c, code, error);
  }
  if (!isPresent(code)) c.fault(NP, error);
  return { selector, code, offset: gateOffset(gate, typeOf(gate) === TYPE.CALL32) };
};

export const jumpGate = (c: Cpu, named: number, gate: Descriptor): void => {
  const { selector, code, offset } = targetOf(c, named, gate, false);
  checkOffset(c, code, offset);
  markAccessed(c, code);
  setCode(c, selector, code, c.s[CPL], offset);
};

/** @param back offset of the next instruction. */
export const callGate = (c: Cpu, named: number, gate: Descriptor, back: bigint): void => {
  const target = targetOf(c, named, gate, true);
  const size = isLong(c) ? 8 : typeOf(gate) === TYPE.CALL32 ? 4 : 2;
  if (isConforming(target.code) || dplOf(target.code) === c.s[CPL]) sameRing(c, target, size, back);
  else innerRing(c, target, gate, size, back);
};

const sameRing = (c: Cpu, { selector, code, offset }: Target, size: number, back: bigint): void => {
  checkOffset(c, code, offset);
  // A gate of long mode leads to 64-bit code: pushes go by its stack rules already.
  const stack = isLong(c) ? new Stack(c, null, c.gpr(RSP), levelOf(c.s[CPL]), 0) : Stack.current(c);
  stack.push(c.selectors[CS], size);
  stack.push(back, size);
  markAccessed(c, code);
  stack.commit();
  setCode(c, selector, code, c.s[CPL], offset);
};

/** To an inner ring: its stack gets the old stack's place, the parameters that the gate counts (none in long mode), and the return address. */
const innerRing = (c: Cpu, { selector, code, offset }: Target, gate: Descriptor, size: number, back: bigint): void => {
  const cpl = dplOf(code);
  const inner = isLong(c) ? innerLongStack(c, cpl) : innerStack(c, cpl, 0);
  checkOffset(c, code, offset);
  const count = isLong(c) ? 0 : gate.hi & 0x1f;
  const outer = Stack.current(c);
  const parameters = Array.from({ length: count }, (_, n) => outer.peek((count - 1 - n) * size, size));
  const { stack } = inner;
  pushOldStack(c, stack, size);
  for (const parameter of parameters) stack.push(parameter, size);
  stack.push(c.selectors[CS], size);
  stack.push(back, size);
  markAccessed(c, code);
  enterStack(c, inner, cpl);
  setCode(c, selector, code, cpl, offset);
};
