/** Bitmaps of processors and of nodes, as domctl hands them out: as many bytes as the caller's number of bits fills. */
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest, copyToGuest, type Stored } from '../../../guest_copy.ts';
import type { Machine } from '../../../machine.ts';
import { addInt, type Word } from '../../../word/word.ts';

/** `bits`: the caller's; `most`: those that Xen has. What the caller wants beyond those is zero, stored a byte at a time. */
export const tellBitmap = (
  machine: Machine,
  caller: VcpuRef,
  to: { readonly bitmap: Word; readonly bits: number },
  set: bigint,
  most: number,
): Stored => {
  // Computed in 32 bits.
  const wanted = ((to.bits + 7) >>> 0) >>> 3;
  const known = Math.min(wanted, Math.ceil(most / 8));
  const bytes = Uint8Array.from({ length: known }, (_, i) => Number((set >> BigInt(8 * i)) & 0xffn));
  let stored: Stored = known === 0 ? { ok: true, machine } : copyToGuest(machine, caller, to.bitmap, bytes);
  for (let i = known; stored.ok && i < wanted; i++) stored = copyToGuest(stored.machine, caller, addInt(to.bitmap, i), ZERO);
  return stored;
};

/** The bits that the caller hands over, as far as Xen has any: at most `most`. */
export const readBitmap = (
  machine: Machine,
  caller: VcpuRef,
  from: { readonly bitmap: Word; readonly bits: number },
  most: number,
): { readonly ok: boolean; readonly machine: Machine; readonly set: bigint } => {
  const given = ((from.bits + 7) >>> 0) >>> 3;
  const read = copyFromGuest(machine, caller, from.bitmap, Math.min(given, Math.ceil(most / 8)));
  if (!read.ok) return { ok: false, machine: read.machine, set: 0n };
  const set = read.bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return { ok: true, machine: read.machine, set: BigInt.asUintN(Math.min(from.bits, most), set) };
};
const ZERO = new Uint8Array(1);
