/** The present task-state segment: stacks of inner rings, interrupt stacks, and the descriptors that name tasks. */
import type { Word } from '../../../word/word.ts';
import { type Exit, generalProtection, invalidTaskState, notPresent, stackFault } from '../fault.ts';
import type { Running } from '../running.ts';
import { RIGHTS } from '../state.ts';
import { type Descriptor, dplOf, errorOf, isPresent, isSystem, isWritableData, rplOf, SYSTEM_TYPE, typeOf } from './descriptor.ts';
import { descriptorOf } from './descriptor_table.ts';
import { inTable, isLong, readTable } from './supervisor.ts';

/** A place for a stack: its selector and pointer. In long mode the selector is null, with the level as RPL. */
export type InnerStack = { readonly selector: number; readonly pointer: Word; readonly descriptor: Descriptor | null };

const is16Bit = (s: Running): boolean => (s.system.tr.rights & RIGHTS.TYPE & ~2) === SYSTEM_TYPE.TSS16;

/** Bytes of the present task state; x86/tss-limit: reading behind its end is #TS. */
export const inTaskState = (s: Running, offset: number, size: 2 | 4 | 8): Word => {
  const { base, limit, selector } = s.system.tr;
  if (offset + size - 1 > limit) throw invalidTaskState(errorOf(selector), 'x86/tss-limit');
  return readTable(s, inTable(s, base, offset), size);
};

/** The stack that the task state has for a level (0 to 2), checked. */
export const innerStack = (s: Running, level: number): InnerStack => {
  if (isLong(s)) return { selector: level, pointer: inTaskState(s, 4 + 8 * level, 8), descriptor: null };
  const short = is16Bit(s);
  const at = short ? 2 + 4 * level : 4 + 8 * level;
  // The selector is the last part: when it lies inside the limit, all does.
  const selector = inTaskState(s, at + (short ? 2 : 4), 2).lo & 0xffff;
  const pointer = inTaskState(s, at, short ? 2 : 4);
  return { selector, pointer, descriptor: innerStackDescriptor(s, selector, level) };
};

/** x86/stack-inner: the stack segment must be writable data of the new level. */
const innerStackDescriptor = (s: Running, selector: number, level: number): Descriptor => {
  const error = errorOf(selector);
  const d = error === 0 ? null : descriptorOf(s, selector);
  if (d === null || rplOf(selector) !== level || dplOf(d) !== level || !isWritableData(d)) throw invalidTaskState(error, 'x86/stack-inner');
  if (!isPresent(d)) throw stackFault('x86/segment-not_present', error);
  return d;
};

/** IST1 to IST7: x86/interrupt-ist. */
export const interruptStack = (s: Running, index: number): Word => inTaskState(s, 28 + 8 * index, 8);

/**
 * The task state that a selector names, for a switch: in the global table, and available (or busy, when a nested task returns). `fault`
 * makes the fault for what is wrong, which depends on who asks: x86/task-descriptor.
 */
export const taskDescriptor = (s: Running, selector: number, busy: boolean, fault: (error: number) => Exit): Descriptor => {
  const error = errorOf(selector);
  const d = (selector & 4) !== 0 ? null : descriptorOf(s, selector);
  if (d === null || error === 0 || !isSystem(d)) throw fault(error);
  const type = typeOf(d);
  const wanted = busy ? [SYSTEM_TYPE.TSS16_BUSY, SYSTEM_TYPE.TSS32_BUSY] : [SYSTEM_TYPE.TSS16, SYSTEM_TYPE.TSS32];
  if (!wanted.some((one) => one === type)) throw fault(error);
  if (!isPresent(d)) throw notPresent(error, 'x86/segment-not_present');
  return d;
};

export const protectionOf = (error: number): Exit => generalProtection(error, 'x86/task-descriptor');
export const taskStateOf = (error: number): Exit => invalidTaskState(error, 'x86/task-descriptor');
