/**
 * Xen's copies from and to guest memory, by guest virtual address through the caller's page tables, as hypercalls do them: an
 * address in Xen's range or a page that cannot be accessed fails the copy, and what was copied before it stays copied.
 * Chapter: spec/chapters/hypercall.md.
 */
import type { VcpuRef } from '#spec/event.ts';
import { setMemory, vcpuOf } from './lens.ts';
import type { Machine } from './machine.ts';
import { readBytes, write } from './memory/access.ts';
import { type Memory, writeWord } from './memory/memory.ts';
import { ACCESS, isCanonical, walk } from './memory/translate.ts';
import { add, fromNumber, Word } from './word/word.ts';

export type Copied = { readonly ok: true; readonly machine: Machine; readonly bytes: Uint8Array } | { readonly ok: false; readonly machine: Machine };
export type Stored = { readonly ok: boolean; readonly machine: Machine };

/** Xen's address check: below 2^47, or at or above the end of its own range. */
export const addressOk = (va: Word): boolean => (va.hi >= 0 && va.hi < 0x8000) || (va.hi < 0 && va.hi >>> 0 >= 0xffff8800);

/** Xen's check of an array before it is touched: `count` elements of `size` bytes must not overflow, and the first must be addressable. */
export const arrayOk = (va: Word, count: number, size: number): boolean => count * size < 2 ** 64 && addressOk(va);

/** One piece of a copy that stays in a page. */
type Piece = { readonly va: Word; readonly done: number; readonly length: number };

/** Cut [va, va + size) at page boundaries. */
const pieces = (va: Word, size: number): Piece[] => {
  const all: Piece[] = [];
  for (let done = 0; done < size; ) {
    const at = add(va, fromNumber(done));
    const length = Math.min(size - done, 4096 - (at.lo & 0xfff));
    all.push({ va: at, done, length });
    done += length;
  }
  return all;
};

/** Read `size` bytes. A failed copy still marks the tables it walked. */
export const copyFromGuest = (machine: Machine, at: VcpuRef, va: Word, size: number): Copied => {
  if (!addressOk(va)) return { ok: false, machine };
  const { root } = vcpuOf(machine, at).cpu.segments;
  const bytes = new Uint8Array(size);
  let { memory } = machine;
  for (const piece of pieces(va, size)) {
    const found = isCanonical(piece.va) ? walk(memory, root, piece.va, ACCESS.READ) : null;
    if (found?.kind !== 'mapped') return { ok: false, machine: setMemory(machine, memory) };
    memory = found.memory;
    bytes.set(readBytes(memory, found.frame, piece.va.lo & 0xfff, piece.length), piece.done);
  }
  return { ok: true, machine: setMemory(machine, memory), bytes };
};

/** Write bytes. A failed copy leaves what it wrote before the page that refused. */
export const copyToGuest = (machine: Machine, at: VcpuRef, va: Word, bytes: Uint8Array): Stored => {
  if (!addressOk(va)) return { ok: false, machine };
  const { root } = vcpuOf(machine, at).cpu.segments;
  let { memory } = machine;
  for (const piece of pieces(va, bytes.length)) {
    const found = isCanonical(piece.va) ? walk(memory, root, piece.va, ACCESS.WRITE) : null;
    if (found?.kind !== 'mapped') return { ok: false, machine: setMemory(machine, memory) };
    memory = store(found.memory, found.frame, piece.va.lo & 0xfff, bytes.subarray(piece.done, piece.done + piece.length));
  }
  return { ok: true, machine: setMemory(machine, memory) };
};

/** Bytes into a frame, whole words where they are whole. */
const store = (memory: Memory, mfn: number, offset: number, bytes: Uint8Array): Memory => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let m = memory;
  for (let i = 0; i < bytes.length; ) {
    const at = offset + i;
    if ((at & 7) === 0 && bytes.length - i >= 8) {
      m = writeWord(m, mfn, at >> 3, new Word(view.getInt32(i + 4, true), view.getInt32(i, true)));
      i += 8;
    } else {
      m = write(m, mfn, at, 1, new Word(0, bytes[i]));
      i += 1;
    }
  }
  return m;
};

/** Read one 64-bit word. */
export const readGuestWord = (machine: Machine, at: VcpuRef, va: Word): { readonly machine: Machine; readonly value: Word | null } => {
  const copied = copyFromGuest(machine, at, va, 8);
  if (!copied.ok) return { machine: copied.machine, value: null };
  const view = new DataView(copied.bytes.buffer);
  return { machine: copied.machine, value: new Word(view.getInt32(4, true), view.getInt32(0, true)) };
};

/** Write one 64-bit word. */
export const writeGuestWord = (machine: Machine, at: VcpuRef, va: Word, value: Word): Stored => {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, value.lo, true);
  view.setInt32(4, value.hi, true);
  return copyToGuest(machine, at, va, bytes);
};
