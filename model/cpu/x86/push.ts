/**
 * The stack. How many bytes of RSP count is the mode's and SS's to say: 8 in 64-bit mode, else 4 or 2 by the B bit. What goes wrong with
 * its address is a stack fault.
 */
import type { Memory } from '../../memory/memory.ts';
import { ACCESS } from '../../memory/translate.ts';
import { mergeLow, type Size } from '../../word/size.ts';
import { addInt, Word } from '../../word/word.ts';
import { Exit, leaving } from './fault.ts';
import { probeLinear, readLinear, writeLinear } from './linear.ts';
import { cutAddress } from './operand.ts';
import { type Running, setReg, withMemory } from './running.ts';
import { segmented } from './segmentation.ts';
import { RIGHTS, RSP, SS } from './state.ts';

/** Bytes of the stack pointer that count. */
export const stackSize = (s: Running): 2 | 4 | 8 => {
  if (s.system.mode === '64') return 8;
  return (s.segments.hidden[SS].rights & RIGHTS.BIG) !== 0 ? 4 : 2;
};

/** What a register that points into the stack becomes when it gets `value`: bytes that do not count stay. */
export const stackPointer = (s: Running, old: Word, value: Word): Word => {
  const size = stackSize(s);
  if (size === 8) return value;
  return size === 4 ? new Word(0, value.lo) : mergeLow(old, value, 2);
};

/** The registers with the stack pointer moved by so many bytes. */
export const movedStack = (s: Running, bytes: number): readonly Word[] =>
  setReg(s.regs, RSP, stackPointer(s, s.regs[RSP], addInt(s.regs[RSP], bytes)));

/** The linear address of stack memory at an offset, of which only the bytes that count are looked at. */
const stackAddress = (s: Running, offset: Word, bytes: number, access: number): Word =>
  s.system.mode === '64' ? offset : segmented(s, SS, cutAddress(offset, stackSize(s)), bytes, access);

/** `size` bytes of the stack at an offset. */
export const readStack = (s: Running, offset: Word, size: Size): Word =>
  readLinear(s, stackAddress(s, offset, size, ACCESS.READ), size, true);

/** The memory after one push below `top`. */
export const pushed = (s: Running, top: Word, size: Size, value: Word): Memory =>
  writeLinear(s, stackAddress(s, addInt(top, -size), size, ACCESS.WRITE), size, value, true);

/**
 * The memory after several pushes below `top`, one after the other: a fault leaves what has been pushed before it. All places
 * are walked once before the first push, so that accessed and dirty bits are set by then.
 */
export const pushedInTurn = (s: Running, top: Word, size: Size, values: readonly Word[]): Memory => {
  const pushAll = (kept: (now: Running, memory: Memory) => Running): Memory => {
    let now = s;
    return whatRemains(
      s,
      () => now,
      () => {
        values.forEach((value, k) => {
          now = kept(now, pushed(now, addInt(top, -size * k), size, value));
        });
      },
    );
  };
  rehearsed(() => pushAll(() => s));
  return pushAll(withMemory);
};

/** Does something for the sake of the accessed and dirty bits that it sets; whether it faults will be seen again. */
export const rehearsed = (action: () => unknown): void => {
  try {
    action();
  } catch (thrown) {
    if (!(thrown instanceof Exit)) throw thrown;
  }
};

/** The memory after `action`; x86/fault-stores_kept: a fault in it takes the memory of `now` along. */
export const whatRemains = (before: Running, now: () => Running, action: () => void): Memory => {
  try {
    action();
    return now().memory;
  } catch (thrown) {
    throw thrown instanceof Exit && now() !== before ? leaving(thrown, now().memory) : thrown;
  }
};

/** Fault now if a write to the stack there would. */
export const probeWrite = (s: Running, offset: Word, size: Size): void =>
  probeLinear(s, stackAddress(s, offset, size, ACCESS.WRITE), size, true, size);

/** Stack slot number `slot` of `size` bytes above RSP. */
export const stackSlot = (s: Running, slot: number, size: Size): Word => readStack(s, addInt(s.regs[RSP], slot * size), size);
