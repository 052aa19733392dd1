/** The stack in every mode: its pointer has 16, 32 or 64 bits, as SS says. */

import { ACCESS } from '../../../memory/translate.ts';
import { mergeLow, type Size, zeroExtend } from '../../../word/size.ts';
import { addInt, type Word, word } from '../../../word/word.ts';
import { Exit } from '../fault.ts';
import { readLinear, writeLinear } from '../linear.ts';
import { VECTOR } from '../outcome.ts';
import { rehearsed, whatRemains } from '../push.ts';
import { changed, type Running, setReg, withMemory } from '../running.ts';
import { segmented } from '../segmentation.ts';
import { RIGHTS, RSP, SS } from '../state.ts';
import { errorOf } from './descriptor.ts';

/** Bytes of the stack pointer that count. */
export const pointerSize = ({ system, segments }: Running): 2 | 4 | 8 => {
  if (system.mode === '64') return 8;
  return (segments.hidden[SS].rights & RIGHTS.BIG) !== 0 ? 4 : 2;
};

/** The stack pointer moved by `bytes`; what does not count stays as it was. */
export const movedBy = (s: Running, bytes: number): Word => pointerAt(s, addInt(s.regs[RSP], bytes));

/** RSP with the part that counts replaced. */
export const pointerAt = (s: Running, value: Word): Word => {
  const size = pointerSize(s);
  return size === 2 ? mergeLow(s.regs[RSP], value, 2) : zeroExtend(value, size);
};

/** The state with the stack pointer at another place. */
export const withPointer = (s: Running, value: Word): Running => changed(s, { regs: setReg(s.regs, RSP, pointerAt(s, value)) });

const placeOf = (s: Running, bytes: number, size: Size, access: number): Word =>
  segmented(s, SS, zeroExtend(addInt(s.regs[RSP], bytes), pointerSize(s)), size, access);

/** What lies `bytes` above the stack pointer. */
export const onStack = (s: Running, bytes: number, size: Size): Word => readLinear(s, placeOf(s, bytes, size, ACCESS.READ), size, true);

/**
 * The state after pushes, one after the other: x86/fault-stores_kept. All places are reached once before the first push, so that
 * accessed and dirty bits are set by then.
 */
export const pushAll = (s: Running, size: Size, values: readonly Word[]): Running => {
  const store = (now: Running, value: Word, k: number) =>
    writeLinear(now, placeOf(s, -size * (k + 1), size, ACCESS.WRITE), size, value, true);
  rehearsed(() => {
    for (const [k, value] of values.entries()) store(s, value, k);
  });
  let now = s;
  const memory = whatRemains(
    s,
    () => now,
    () => {
      for (const [k, value] of values.entries()) now = withMemory(now, store(now, value, k));
    },
  );
  return withPointer(withMemory(s, memory), addInt(s.regs[RSP], -size * values.length));
};

/** x86/stack-inner: a stack fault of the stack that a transfer inwards has chosen names its selector. */
export const namingStack = <T>(selector: number, action: () => T): T => {
  try {
    return action();
  } catch (thrown) {
    if (!(thrown instanceof Exit) || thrown.fault.vector !== VECTOR.SS || thrown.fault.error !== 0) throw thrown;
    const { kind, after, fault, clause, left } = thrown;
    throw new Exit(kind, after, { ...fault, error: errorOf(selector) }, clause, left);
  }
};

export const selectorWord = (selector: number): Word => word(0, selector);
