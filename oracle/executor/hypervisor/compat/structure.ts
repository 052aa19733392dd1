/** Structures of 32-bit guests, and their translation into those that the handlers of 64-bit guests read. */
import { copyFromGuest, copyToGuest, scratch } from '../guest_access.ts';
import type { Handler } from '../hypercall/dispatch.ts';
import type { Machine } from '../machine.ts';
import { minus } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';
import { withXlat, XLAT_HI, type Xlat } from './xlat.ts';

/** One field: place and size in the guest's structure, and in the other; `out`: it goes back to the guest, too. */
export type Row = readonly [at: number, size: 2 | 4 | 8, nativeAt: number, nativeSize: 2 | 4 | 8, out?: true];
export type Structure = { readonly size: number; readonly rows: readonly Row[] };

/** Whether a list of the guest's lies below Xen, as far as Xen looks. */
export const isBelowXen = (vcpu: Vcpu, at: number, bytes: number): boolean =>
  (at >>> 0) + (bytes > 0 ? bytes - 1 : 0) < vcpu.domain.hypervisorStart;

/** Lay out the structure in the scratch buffer at the start of the area. */
export const layOut = (xlat: Xlat, { rows }: Structure): void => {
  const words = rows.map(([at, size]) => (size === 2 ? scratch.getUint16(at, true) : scratch.getInt32(at, true)));
  const uppers = rows.map(([at, size]) => (size === 8 ? scratch.getInt32(at + 4, true) : 0));
  rows.forEach(([, , at, size], i) => {
    xlat.put(at, size, words[i]!, uppers[i]);
  });
};

/** What comes back, over the structure as the guest gave it. */
const takeBack = (xlat: Xlat, { rows }: Structure, structure: DataView): void => {
  for (const [at, size, from, , out] of rows) {
    if (!out) continue;
    if (size === 2) structure.setUint16(at, xlat.half(from), true);
    else structure.setInt32(at, xlat.word(from), true);
    if (size === 8) structure.setInt32(at + 4, xlat.word(from + 4), true);
  }
};

const hasOut = ({ rows }: Structure): boolean => rows.some(([, , , , out]) => out === true);

/** A copy of the first bytes of the scratch buffer. */
export const scratchCopy = (bytes: number): DataView => new DataView(scratch.buffer.slice(0, bytes));

/**
 * Have a handler carry out an operation whose structure, named by argument `index`, is a 32-bit one. `unread`: what comes of one that
 * cannot be read. What goes back does so unless the answer is an error.
 */
export const translated =
  (structure: Structure, index: number, handler: Handler): Handler =>
  (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
    const at = args[2 * index];
    if (!copyFromGuest(machine, vcpu, at, 0, structure.size)) return minus('EFAULT');
    const given = scratchCopy(structure.size);
    return withXlat(machine, (xlat) => {
      layOut(xlat, structure);
      const native = args.slice();
      native[2 * index] = 0;
      native[2 * index + 1] = XLAT_HI;
      const answer = handler(machine, vcpu, native);
      if (answer < 0 || !hasOut(structure)) return answer;
      takeBack(xlat, structure, given);
      return copyToGuest(machine, vcpu, at, 0, structure.size, new Uint8Array(given.buffer)) ? answer : minus('EFAULT');
    });
  };
