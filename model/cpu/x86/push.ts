/** The stack. Its address is always all of RSP, and what goes wrong with its address is a stack fault. */
import type { Memory } from '../../memory/memory.ts';
import type { Size } from '../../word/size.ts';
import { addInt, type Word } from '../../word/word.ts';
import { Exit, leaving } from './fault.ts';
import { probeLinear, readLinear, writeLinear } from './linear.ts';
import { type Running, withMemory } from './running.ts';
import { RSP } from './state.ts';

/** The memory after one push below `top`. */
export const pushed = (s: Running, top: Word, size: Size, value: Word): Memory => writeLinear(s, addInt(top, -size), size, value, true);

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

/** Fault now if a write there would. */
export const probeWrite = (s: Running, at: Word, size: Size): void => probeLinear(s, at, size, true);

/** Stack slot number `slot` of `size` bytes above RSP. */
export const stackSlot = (s: Running, slot: number, size: Size): Word => readLinear(s, addInt(s.regs[RSP], slot * size), size, true);
