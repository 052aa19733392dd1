/**
 * Switching tasks outside long mode: by JMP, CALL, IRET, or an interrupt through a task gate. Chapter: "Tasks". Up to the moment in
 * which the new task owns the processor, a fault belongs to the old one; behind it, to the new one.
 */
import { CR0, DR6 } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Memory } from '../../../memory/memory.ts';
import { mergeLow, type Size } from '../../../word/size.ts';
import { type Word, word } from '../../../word/word.ts';
import { invalidTaskState, trap } from '../fault.ts';
import { NT } from '../flags.ts';
import { VECTOR } from '../outcome.ts';
import { changed, citing, type Running, withMemory } from '../running.ts';
import { CS, RIGHTS } from '../state.ts';
import { baseIn, type Descriptor, errorOf, limitIn, rightsOf, rplOf, SYSTEM_TYPE, typeOf } from './descriptor.ts';

import { modeOf, withNull } from './segments.ts';
import { pushAll } from './stack.ts';
import type { SystemState } from './state.ts';
import { inTable, readTable, writeTable } from './supervisor.ts';
import { TASK16, TASK32, type TaskLayout } from './task_layout.ts';
import { inTask, segmentsOfTask } from './task_segments.ts';

export type SwitchedBy = 'jump' | 'call' | 'interrupt' | 'return';

const BUSY = 2;
const layoutOf = (type: number): TaskLayout => ((type & ~BUSY) === SYSTEM_TYPE.TSS16 ? TASK16 : TASK32);

/** What the new task's segment says. */
type Incoming = {
  readonly cr3: Word | null;
  readonly ip: Word;
  readonly flags: number;
  readonly regs: readonly Word[];
  readonly selectors: readonly number[];
  readonly ldt: number;
  readonly trap: boolean;
};

/**
 * The state in the new task. `d` is the descriptor that `selector` names, `next` and `flags` what the old task goes on with. Throws
 * faults; those of the new task carry it along. `error` is pushed onto the new task's stack.
 */
export const switchTask = (
  s: Running,
  selector: number,
  d: Descriptor,
  by: SwitchedBy,
  next: Word,
  flags = s.flags,
  error: number | null = null,
): Running => {
  const layout = layoutOf(typeOf(d));
  if (limitIn(d) < layout.limit) throw invalidTaskState(errorOf(selector), 'x86/tss-limit');
  const incoming = readTask(s, baseIn(d), layout);
  const memory = afterLeaving(s, d, by, next, by === 'return' ? flags & ~NT : flags);
  const left = citing(citing(withMemory(s, memory), 'x86/task-leaving'), 'x86/task-busy');
  const owned = owning(citing(left, 'x86/task-owner'), selector, d, by, incoming);
  const loaded = segmentsOfTask(owned, incoming.ldt);
  const ready = error === null ? loaded : inTask(loaded, (task) => pushAll(task, layout.size, [word(0, error)]));
  if (!incoming.trap) return ready;
  const dr = ready.system.dr.slice();
  dr[4] = word(0, dr[4].lo | DR6.BT);
  throw trap(changed(ready, { system: { ...ready.system, dr } }), VECTOR.DB, 'x86/task-trap');
};

const readTask = (s: Running, base: Word, layout: TaskLayout): Incoming => {
  const { size } = layout;
  const at = (offset: number, bytes: Size): Word => readTable(s, inTable(s, base, offset), bytes);
  const selectors = layout.selectors.map((offset) => at(offset, 2).lo & 0xffff);
  return {
    cr3: layout.cr3 === null ? null : at(layout.cr3, 4),
    ip: at(layout.ip, size),
    flags: at(layout.flags, size).lo,
    regs: Array.from({ length: 8 }, (_, n) => at(layout.regs + n * size, size)),
    selectors: [...selectors, ...new Array<number>(6 - selectors.length).fill(0)],
    ldt: at(layout.ldt, 2).lo & 0xffff,
    trap: layout.trap !== null && (at(layout.trap, 2).lo & 1) !== 0,
  };
};

type Store = { readonly at: Word; readonly size: Size; readonly value: Word };

/** The memory after the old task was saved, linked and marked. All places are reached before the first is written. */
const afterLeaving = (s: Running, d: Descriptor, by: SwitchedBy, next: Word, flags: number): Memory => {
  const { tr } = s.system;
  const layout = layoutOf(tr.rights & RIGHTS.TYPE);
  const { size } = layout;
  const store = (offset: number, bytes: Size, value: Word): Store => ({ at: inTable(s, tr.base, offset), size: bytes, value });
  const stores = [
    store(layout.ip, size, next),
    store(layout.flags, size, word(0, flags)),
    ...Array.from({ length: 8 }, (_, n) => store(layout.regs + n * size, size, s.regs[n])),
    ...layout.selectors.map((offset, n) => store(offset, 2, word(0, s.segments.selectors[n]))),
    ...(by === 'call' || by === 'interrupt' ? [{ at: baseIn(d), size: 2 as const, value: word(0, tr.selector) }] : []),
    ...busyBits(s, d, by),
  ];
  for (const { at, size: bytes, value } of stores) writeTable(s, at, bytes, value);
  return stores.reduce((now, { at, size: bytes, value }) => withMemory(now, writeTable(now, at, bytes, value)), s).memory;
};

/** Who leaves for good is no longer busy; who is entered anew becomes busy. */
const busyBits = (s: Running, d: Descriptor, by: SwitchedBy): readonly Store[] => {
  const leaves = by === 'jump' || by === 'return';
  const { gdtr, tr } = s.system;
  const old = inTable(s, gdtr.base, (tr.selector & ~7) + 5);
  return [
    ...(leaves ? [{ at: old, size: 1 as const, value: word(0, readTable(s, old, 1).lo & ~BUSY) }] : []),
    ...(by === 'return' ? [] : [{ at: inTable(s, d.at, 5), size: 1 as const, value: word(0, ((d.hi >>> 8) & 0xff) | BUSY) }]),
  ];
};

/** Flags that a task state can hold. */
const KEPT = 0x3f7fd5;
const LOCAL_BREAKPOINTS = 0x155;

/** The new task has the processor; its segments are not loaded yet. */
const owning = (s: Running, selector: number, d: Descriptor, by: SwitchedBy, incoming: Incoming): Running => {
  const nested = by === 'call' || by === 'interrupt' ? NT : 0;
  const flags = (incoming.flags & KEPT) | 2 | nested;
  const unloaded = [0, 1, 2, 3, 4, 5].reduce((now, register) => withNull(now, register, incoming.selectors[register]), s.segments);
  const dr = s.system.dr.slice();
  dr[5] = word(0, dr[5].lo & ~LOCAL_BREAKPOINTS);
  const cpl = (flags & RFLAGS.VM) !== 0 ? 3 : rplOf(incoming.selectors[CS]);
  const system: SystemState = {
    ...s.system,
    cpl,
    cr0: s.system.cr0 | CR0.TS,
    cr3: incoming.cr3 !== null && (s.system.cr0 & CR0.PG) !== 0 ? incoming.cr3 : s.system.cr3,
    tr: { selector, base: baseIn(d), limit: limitIn(d), rights: rightsOf(d) | BUSY, usable: true },
    ldtr: { selector: incoming.ldt, base: word(0, 0), limit: 0, rights: 0, usable: false },
    dr,
  };
  const regs = s.regs.map((old, n) => (n < 8 ? widened(old, incoming.regs[n], layoutOf(typeOf(d)).size) : old));
  const mode = modeOf(system, flags, unloaded.hidden[CS]);
  return changed(s, { regs, rip: incoming.ip, flags, segments: unloaded, system: { ...system, mode } });
};

/** A 16-bit task state leaves the upper halves of registers as they are. */
const widened = (old: Word, value: Word, size: 2 | 4): Word => (size === 2 ? mergeLow(old, value, 2) : value);
