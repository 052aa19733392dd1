/** Far JMP, CALL and RET. Source: Intel SDM volume 2, JMP, CALL, RET; AMD APM volume 2, 4.11; findings F-037, F-047. */
import type { Cpu } from '../cpu.ts';
import { GP, NP } from '../exit.ts';
import { farPointer } from '../far_pointer.ts';
import { CS, RSP, SS_REG } from '../interface.ts';
import { CPL } from '../layout.ts';
import type { Handler, Op } from '../op.ts';
import { moveSp } from '../stack.ts';
import { isLong, levelOf } from './access.ts';
import { callGate, jumpGate } from './call_gate.ts';
import { checkOffset, checkRealOffset, directCode, enterCode, enterRealCode, goOn, isLongCode, nextPointer, returnCode } from './code.ts';
import {
  type Descriptor,
  dplOf,
  fetchSystem,
  indexOf,
  isNull,
  isOrdinary,
  isPresent,
  markAccessed,
  rpl,
  setNull,
  setSegment,
  TYPE,
  typeOf,
} from './descriptor.ts';
import { checkStack, dropPrivileged } from './segments.ts';
import { Stack, setStackPointer, widthOf } from './stack.ts';
import { switchTask, taskGate } from './task.ts';

/** A far pointer: in the instruction, or in memory. */
export type Pointer = { readonly selector: number; readonly offset: bigint };

/** A far pointer in memory. */
export const memoryPointer = (c: Cpu, o: Op): Pointer => {
  const offset = farPointer(c, o);
  return { selector: c.far, offset: BigInt(offset >>> 0) };
};

/** The pointer in the instruction: offset in `imm`, selector in `immHi` (index.ts). */
export const immediatePointer = (_: Cpu, o: Op): Pointer => ({
  selector: o.immHi & 0xffff,
  offset: BigInt(o.size === 2 ? o.imm & 0xffff : o.imm >>> 0),
});

/** The privilege to use a gate or a TSS. */
const checkSystem = (c: Cpu, selector: number, d: Descriptor): void => {
  const error = indexOf(selector);
  if (dplOf(d) < c.s[CPL] || dplOf(d) < rpl(selector)) c.fault(GP, error);
};

const isCallGate = (c: Cpu, type: number): boolean => type === TYPE.CALL32 || (!isLong(c) && type === TYPE.CALL16);

/** What a selector leads to that is no code segment: a gate or a task. */
const throughSystem = (c: Cpu, o: Op, selector: number, d: Descriptor, call: boolean): void => {
  const type = typeOf(d);
  const error = indexOf(selector);
  const task = !isLong(c) && (type === TYPE.TASK || type === TYPE.TSS16 || type === TYPE.TSS32);
  if (!task && !isCallGate(c, type)) c.fault(GP, error);
  checkSystem(c, selector, d);
  if (type !== TYPE.TASK && task && (selector & 4) !== 0) c.fault(GP, error);
  if (!isPresent(d)) c.fault(NP, error);
  const why = call ? 'call' : 'jump';
  if (type === TYPE.TASK) taskGate(c, d, why, nextPointer(c, o), 0);
  else if (task) switchTask(c, selector, d, why, nextPointer(c, o), 0);
  else if (call) callGate(c, selector, d, nextPointer(c, o));
  else jumpGate(c, selector, d);
};

const leaveFor = (c: Cpu, o: Op): Op => goOn(c, o, c.rip);

export const jumpFar =
  (pointer: (c: Cpu, o: Op) => Pointer): Handler =>
  (c, o) => {
    const { selector, offset } = pointer(c, o);
    if (c.real) {
      checkRealOffset(c, offset);
      enterRealCode(c, selector, offset);
      return leaveFor(c, o);
    }
    if (isNull(selector)) c.fault(GP, 0);
    const d = fetchSystem(c, selector);
    if (!isOrdinary(d)) throughSystem(c, o, selector, d, false);
    else {
      directCode(c, selector, d);
      checkOffset(c, d, offset);
      enterCode(c, selector, d, c.s[CPL], offset);
    }
    return leaveFor(c, o);
  };

export const callFar =
  (pointer: (c: Cpu, o: Op) => Pointer): Handler =>
  (c, o) => {
    const { selector, offset } = pointer(c, o);
    if (c.real) {
      const stack = pushes(c, o, false);
      checkRealOffset(c, offset);
      stack.commit();
      enterRealCode(c, selector, offset);
      return leaveFor(c, o);
    }
    if (isNull(selector)) c.fault(GP, 0);
    const d = fetchSystem(c, selector);
    if (!isOrdinary(d)) throughSystem(c, o, selector, d, true);
    else {
      directCode(c, selector, d);
      const long = isLongCode(c, d);
      // Callers outside 64-bit mode push before the target is looked at, and what they pushed stays.
      const looksFirst = long || c.mode === '64';
      if (looksFirst) checkOffset(c, d, offset);
      const stack = pushes(c, o, long);
      if (!looksFirst) checkOffset(c, d, offset);
      markAccessed(c, d);
      stack.commit();
      enterCode(c, selector, d, c.s[CPL], offset);
    }
    return leaveFor(c, o);
  };

/** Push CS and the address behind the instruction; RSP stays until `commit`. A way to 64-bit code pushes as that code would. */
const pushes = (c: Cpu, o: Op, long: boolean): Stack => {
  const stack = long ? new Stack(c, null, c.gpr(RSP), levelOf(c.s[CPL]), 0) : Stack.current(c);
  stack.push(c.selectors[CS], o.size);
  stack.push(nextPointer(c, o), o.size);
  return stack;
};

/** RET far; `imm` bytes of arguments are dropped on both stacks. */
export const returnFar: Handler = (c, o) => {
  const { size } = o;
  const stack = Stack.current(c);
  const selector = Number(stack.peek(size, size) & 0xffffn);
  const offset = stack.peek(0, size);
  const arguments_ = o.imm & 0xffff;
  if (c.real) {
    checkRealOffset(c, offset);
    stack.drop(2 * size);
    stack.commit();
    enterRealCode(c, selector, offset);
    moveSp(c, arguments_);
    return leaveFor(c, o);
  }
  if (rpl(selector) !== c.s[CPL]) {
    // The processor fetches the outer stack before it checks anything.
    const outer = { ss: Number(stack.peek(3 * size + arguments_, size) & 0xffffn), sp: stack.peek(2 * size + arguments_, size) };
    const d = returnCode(c, selector);
    toOuterRing(c, selector, d, offset, outer, arguments_);
    return leaveFor(c, o);
  }
  const d = returnCode(c, selector);
  checkOffset(c, d, offset);
  markAccessed(c, d);
  stack.drop(2 * size);
  stack.commit();
  enterCode(c, selector, d, c.s[CPL], offset);
  // Arguments are dropped as the code returned to sees its stack (F-100).
  moveSp(c, arguments_);
  return leaveFor(c, o);
};

/** The stack segment of a return to ring `cpl`; null: none, which 64-bit code below ring 3 may have. */
export const returnStack = (c: Cpu, selector: number, cpl: number, code: Descriptor): Descriptor | null => {
  if (!isNull(selector)) return checkStack(c, selector, cpl, GP, 0);
  if (!isLongCode(c, code) || cpl === 3 || rpl(selector) !== cpl) c.fault(GP, 0);
  return null;
};

/** Load SS and RSP of a return, whose code segment stands in CS by now. */
export const setReturnStack = (c: Cpu, selector: number, d: Descriptor | null, sp: bigint): void => {
  if (d === null) setNull(c, SS_REG, selector);
  else setSegment(c, SS_REG, selector, d);
  c.refresh();
  setStackPointer(c, sp, c.mode === '64' ? 8 : d === null ? 4 : widthOf(d));
};

const toOuterRing = (
  c: Cpu,
  selector: number,
  d: Descriptor,
  offset: bigint,
  outer: { readonly ss: number; readonly sp: bigint },
  dropped: number,
): void => {
  const cpl = rpl(selector);
  const ss = returnStack(c, outer.ss, cpl, d);
  checkOffset(c, d, offset);
  markAccessed(c, d);
  if (ss !== null) markAccessed(c, ss);
  enterCode(c, selector, d, cpl, offset);
  setReturnStack(c, outer.ss, ss, outer.sp + BigInt(dropped));
  dropPrivileged(c, cpl);
  c.refresh();
};
