/**
 * The translation area: where a structure of a 32-bit caller is laid out as the 64-bit rules want it, lists included. The rule is then asked
 * about the area, and what it wrote there is narrowed again. Chapter: spec/chapters/compat.md, "Hypercalls".
 */
import { TRANSLATION_AREA } from '#spec/abi/compat.ts';
import type { Layout } from '#spec/abi/layout.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { type Copied, copyFromGuest, copyToGuest, copyToGuestUnchecked, type Stored } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { domainOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { addInt, fromBigInt, type Word } from '../../word/word.ts';
import { bytesOfNumber } from '../guest_struct.ts';
import { fail, type HypercallResult } from '../result.ts';

/** Address of byte `offset` of the area; negative ones name the beginning of a list whose first elements are left out. */
export const areaAt = (offset: number): Word => addInt(fromBigInt(TRANSLATION_AREA.base), offset);
/** Elements of `size` bytes for which there is room behind `used` bytes. */
export const roomFor = (used: number, size: number): number => Math.floor((TRANSLATION_AREA.size - used) / size);

/** A structure with each field in its place for 64-bit rules; what is longer there begins with the bytes here. */
export const widen = (bytes: Uint8Array, narrow: Layout, wide: Layout): Uint8Array => between(bytes, narrow, wide);
/** And back: upper halves are lost. */
export const narrowed = (bytes: Uint8Array, narrow: Layout, wide: Layout): Uint8Array => between(bytes, wide, narrow);

const between = (bytes: Uint8Array, from: Layout, to: Layout): Uint8Array => {
  const after = new Uint8Array(to.size);
  for (const [name, { at, size }] of Object.entries(from.fields)) {
    const place = to.fields[name]!;
    after.set(bytes.subarray(at, at + Math.min(size, place.size)), place.at);
  }
  return after;
};

/** The machine with `bytes` at the beginning of the area, and zeroes behind them. */
export const laidOut = (machine: Machine, ...pieces: readonly Uint8Array[]): Machine => {
  const translation = new Uint8Array(TRANSLATION_AREA.size);
  let at = 0;
  for (const piece of pieces) {
    translation.set(piece, at);
    at += piece.length;
  }
  return { ...cite(machine, 'compat/translation'), translation };
};

/** The area put away, and what stood in it. */
export const putAway = <R extends { readonly machine: Machine }>(result: R): { readonly result: R; readonly area: Uint8Array } => ({
  result: { ...result, machine: { ...result.machine, translation: null } },
  area: result.machine.translation!,
});

/** Frame numbers as the area holds them. */
export const wideList = (values: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(values.length * 8);
  for (const [i, value] of values.entries()) bytes.set(bytesOfNumber(value, 8), i * 8);
  return bytes;
};
export const narrowElement = (area: Uint8Array, offset: number): Uint8Array => area.subarray(offset, offset + 4);

/** Element `i` of a list of four bytes each, without a check of its address. */
export const elementOf = (
  machine: Machine,
  caller: VcpuRef,
  list: Word,
  i: number,
): { readonly machine: Machine; readonly value: number | null } => {
  const read: Copied = copyFromGuest(machine, caller, addInt(list, i * 4), 4);
  return { machine: read.machine, value: read.ok ? wordIn(read.bytes, 0, 4).lo >>> 0 : null };
};
export const storeElement = (machine: Machine, caller: VcpuRef, list: Word, i: number, bytes: Uint8Array): Stored =>
  copyToGuestUnchecked(machine, caller, addInt(list, i * 4), bytes);

/** compat/array: a list lies below Xen's part of the addresses, to its end. */
export const listOk = (machine: Machine, { domid }: VcpuRef, list: Word, count: number, size: number): boolean =>
  count < Math.floor(0xffffffff / size) && (list.lo >>> 0) + Math.max(0, count * size - 1) < domainOf(machine, domid).pv32!.virtStart;

/** A rule asked about a structure alone; `back`: where it does not fail, the structure goes back to the caller. */
export const translated = (
  machine: Machine,
  caller: VcpuRef,
  arg: Word,
  {
    narrow,
    wide,
    back,
    fault = 'memory/argument',
  }: { readonly narrow: Layout; readonly wide: Layout; readonly back?: boolean; readonly fault?: ClauseId },
  rule: (machine: Machine, arg: Word) => HypercallResult,
): HypercallResult => {
  const read = copyFromGuest(machine, caller, arg, narrow.size);
  if (!read.ok) return fail(read.machine, 'EFAULT', fault);
  const { result, area } = putAway(rule(laidOut(read.machine, widen(read.bytes, narrow, wide)), areaAt(0)));
  if (!back || result.kind !== 'reply' || result.value.hi < 0) return result;
  const told = copyToGuest(result.machine, caller, arg, narrowed(area, narrow, wide));
  return told.ok ? { ...result, machine: told.machine } : fail(told.machine, 'EFAULT', fault);
};
