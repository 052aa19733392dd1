/**
 * Xen's copies from and to guest memory, by guest virtual address through the caller's page tables, as hypercalls do them: an
 * address in Xen's range or a page that cannot be accessed fails the copy, and what was copied before it stays copied.
 * Chapter: spec/chapters/hypercall.md.
 */
import { TRANSLATION_AREA } from '#spec/abi/compat.ts';
import type { VcpuRef } from '#spec/event.ts';
import { setMemory, vcpuOf } from './lens.ts';
import type { Machine } from './machine.ts';
import { bytesOf, readGuest, readGuestWords as readWordsOf, wordIn, writeGuest, writeGuestWord as writeWordTo } from './memory/guest.ts';
import { fromBigInt, type Word } from './word/word.ts';

/** `fault`: the first address that could not be copied. */
export type Copied =
  | { readonly ok: true; readonly machine: Machine; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly machine: Machine; readonly fault: Word };
export type Stored = { readonly ok: boolean; readonly machine: Machine };

/** Xen's address check: below 2^47, or at or above the end of its own range. */
export const addressOk = (va: Word): boolean => (va.hi >= 0 && va.hi < 0x8000) || (va.hi < 0 && va.hi >>> 0 >= 0xffff8800);

/** Xen's check of an array before it is touched: `count` elements of `size` bytes must not overflow, and the first must be addressable. */
export const arrayOk = (va: Word, count: number, size: number): boolean => count * size < 2 ** 64 && addressOk(va);

const AREA = fromBigInt(TRANSLATION_AREA.base);
/** Where in the translation area (compat/translation) bytes lie, null when they are not all in it. */
const inArea = (va: Word, size: number): number | null => {
  const from = va.hi === AREA.hi ? va.lo - AREA.lo : -1;
  return from >= 0 && from + size <= TRANSLATION_AREA.size ? from : null;
};
const laidOut = (area: Uint8Array, from: number, bytes: Uint8Array): Uint8Array => {
  const after = area.slice();
  after.set(bytes, from);
  return after;
};

/** Read `size` bytes; none can be read anywhere. A failed copy still marks the tables it walked. */
export const copyFromGuest = (machine: Machine, at: VcpuRef, va: Word, size: number): Copied => {
  const from = machine.translation && inArea(va, size);
  if (machine.translation && from !== null) return { ok: true, machine, bytes: machine.translation.slice(from, from + size) };
  if (size > 0 && !addressOk(va)) return { ok: false, machine, fault: va };
  const read = readGuest(machine.memory, vcpuOf(machine, at).cpu.segments.root, va, size);
  const m = setMemory(machine, read.memory);
  return read.kind === 'done' ? { ok: true, machine: m, bytes: read.bytes } : { ok: false, machine: m, fault: read.address };
};

/** Write bytes. A failed copy leaves what it wrote before the page that refused. */
export const copyToGuest = (machine: Machine, at: VcpuRef, va: Word, bytes: Uint8Array): Stored =>
  bytes.length === 0 || addressOk(va) ? copyToGuestUnchecked(machine, at, va, bytes) : { ok: false, machine };

/** The same without the check of the address, for places where Xen makes its own. */
export const copyToGuestUnchecked = (machine: Machine, at: VcpuRef, va: Word, bytes: Uint8Array): Stored => {
  const from = machine.translation && inArea(va, bytes.length);
  if (machine.translation && from !== null)
    return { ok: true, machine: { ...machine, translation: laidOut(machine.translation, from, bytes) } };
  const written = writeGuest(machine.memory, vcpuOf(machine, at).cpu.segments.root, va, bytes);
  return { ok: written.kind === 'done', machine: setMemory(machine, written.memory) };
};

/** Write 1, 2, 4 or 8 bytes, unchecked, as Xen does by one store: nothing of them is left when the page behind the first one refuses. */
export const storeToGuest = (machine: Machine, at: VcpuRef, va: Word, bytes: Uint8Array): Stored => {
  const stored = copyToGuestUnchecked(machine, at, va, bytes);
  const here = PAGE - (va.lo & (PAGE - 1));
  if (stored.ok || here >= bytes.length) return stored;
  const old = readGuest(machine.memory, vcpuOf(machine, at).cpu.segments.root, va, here);
  return old.kind === 'done' ? { ok: false, machine: copyToGuestUnchecked(stored.machine, at, va, old.bytes).machine } : stored;
};
const PAGE = 4096;

/** Write one 64-bit word, unchecked. */
export const writeGuestWord = (machine: Machine, at: VcpuRef, va: Word, value: Word): Stored => {
  if ((va.lo & 7) !== 0 || machine.translation) return storeToGuest(machine, at, va, bytesOf([value]));
  const written = writeWordTo(machine.memory, vcpuOf(machine, at).cpu.segments.root, va, value);
  return { ok: written.kind === 'done', machine: setMemory(machine, written.memory) };
};

export type WordsCopied = { readonly machine: Machine; readonly words: readonly Word[] | null };

/** Read 64-bit words; null when they cannot be read. */
export const readGuestWords = (machine: Machine, at: VcpuRef, va: Word, count: number): WordsCopied => {
  const aligned =
    addressOk(va) && !machine.translation ? readWordsOf(machine.memory, vcpuOf(machine, at).cpu.segments.root, va, count) : null;
  if (aligned !== null) return { machine: setMemory(machine, aligned.memory), words: aligned.kind === 'words' ? aligned.words : null };
  const copied = copyFromGuest(machine, at, va, count * 8);
  return { machine: copied.machine, words: copied.ok ? Array.from({ length: count }, (_, i) => wordIn(copied.bytes, i * 8)) : null };
};
