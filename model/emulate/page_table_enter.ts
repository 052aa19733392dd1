/** ENTER whose frame lies in a page table: stores one after another. Chapter: spec/chapters/emulation.md, "Page-table writes". */
import type { VcpuRef } from '#spec/event.ts';
import type { Instruction } from '../cpu/x86/instruction.ts';
import { RBP, RSP } from '../cpu/x86/state.ts';
import { copyFromGuest } from '../guest_copy.ts';
import { entryAt, type Place } from '../hypercall/mm/guest_l1e.ts';
import { cite, emit } from '../journal.ts';
import { setCpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { wordIn } from '../memory/guest.ts';
import type { Size } from '../word/size.ts';
import { addInt, Word } from '../word/word.ts';
import { storeDone } from './done.ts';
import { type Attempt, accessed, mayWrite, readFault, storeEntry, type Target } from './page_table_entry.ts';

/** `fault`: the address that the guest's own store faulted at. */
type Entered = { readonly instruction: Instruction; readonly target: Target; readonly fault: Word };
/** A frame that grows: the stack pointer so far, and whether the last store went through. */
type Frame = { readonly machine: Machine; readonly rsp: Word; readonly stored: boolean };

/** Levels of nesting that ENTER knows. */
const LEVELS = 31;

/** emulation/ptwr-enter. */
export const emulateEnter = (machine: Machine, at: VcpuRef, { instruction, target, fault }: Entered): Attempt => {
  const { size, dst, src, length } = instruction;
  const { cpu } = vcpuOf(machine, at);
  const push = ({ machine: m, rsp }: Frame, value: Word): Frame => {
    const address = addInt(rsp, -size);
    const stored = mayWrite({ address, size }, fault) ? pushed(m, at, { target, address, size, value }) : null;
    return { machine: stored ?? m, rsp: address, stored: stored !== null };
  };
  let frame = push({ machine: cite(machine, 'emulation/ptwr-enter'), rsp: cpu.regs[RSP], stored: true }, cpu.regs[RBP]);
  const base = frame.rsp;
  const level = src.value.lo & LEVELS;
  for (let i = 1; i < level && frame.stored; i++) {
    const outer = copyFromGuest(frame.machine, at, addInt(cpu.regs[RBP], -i * size), size);
    if (!outer.ok) return { machine: readFault(outer.machine, at, outer.fault), fixed: true };
    frame = push({ ...frame, machine: outer.machine }, wordIn(outer.bytes, 0, size as Size));
  }
  if (level > 0 && frame.stored) frame = push(frame, base);
  if (!frame.stored) return { machine: frame.machine, fixed: false };
  const regs = cpu.regs.slice();
  regs[RSP] = addInt(frame.rsp, -(dst.value.lo & 0xffff));
  regs[RBP] = size === 8 ? base : merged(cpu.regs[RBP], base, 0, size);
  const done = emit(setCpu(frame.machine, at, { ...cpu, regs }), { kind: 'emulated', at, instruction: 'ptwr' });
  return { machine: storeDone(done, at, addInt(cpu.rip, length)), fixed: true };
};

type Push = { readonly target: Target; readonly address: Word; readonly size: number; readonly value: Word };

/** Null: the entry is refused. What is narrower than an entry is read first. */
const pushed = (machine: Machine, at: VcpuRef, { target, address, size, value }: Push): Machine | null => {
  const place: Place = { mfn: target.table, index: (address.lo & 0xfff) >> 3 };
  if (size === 8) return storeEntry(machine, at.domid, place, value);
  const old = entryAt(machine, place);
  return storeEntry(accessed(machine, target.mapping), at.domid, place, merged(old, value, (address.lo & 7) * 8, size));
};

/** `old` with the lowest `size` bytes (fewer than 8) of `value` at bit `shift`. */
const merged = (old: Word, value: Word, shift: number, size: number): Word => {
  const mask = 2 ** (8 * size) - 1;
  const put = (half: number, by: number): number => (half & ~(mask << by)) | ((value.lo & mask) << by);
  return shift < 32 ? new Word(old.hi, put(old.lo, shift)) : new Word(put(old.hi, shift - 32), old.lo);
};
