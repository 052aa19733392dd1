/** GNTTABOP_transfer and GNTTABOP_copy of 32-bit guests: as many elements at a time as Xen's area holds, whose status goes back at the end. */
import { GNTCOPY, gnttab } from '#spec/abi/grant_table.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { grant_table_op } from '../grant_table/grant_table_op.ts';
import { copyFromGuest, putGuest, scratch } from '../guest_access.ts';
import { CALL_STATE, continueCall } from '../hypercall/continuation.ts';
import type { Handler } from '../hypercall/dispatch.ts';
import type { Machine } from '../machine.ts';
import { minus } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';
import { pointed, withXlat, XLAT_BYTES, type Xlat } from './xlat.ts';

const OP = SUBOPERATIONS.grant_table_op;
const TWO32 = 0x1_0000_0000;

type Element = {
  readonly op: number;
  readonly size: number;
  readonly status: number;
  readonly native: { readonly size: number; readonly status: number };
  /** From the scratch buffer to an offset of the area. */
  readonly layOut: (xlat: Xlat, at: number) => void;
};

const half = (at: number): number => scratch.getUint16(at, true);
const word = (at: number): number => scratch.getInt32(at, true);

const { transfer, copy } = gnttab;
const TRANSFER: Element = {
  op: OP.transfer,
  size: 16,
  status: 12,
  native: { size: transfer.size, status: transfer.fields.status.at },
  layOut: (xlat, at) => {
    const { mfn, domid, ref } = transfer.fields;
    xlat.put(at + mfn.at, 8, word(0));
    xlat.put(at + domid.at, 2, half(4));
    xlat.put(at + ref.at, 4, word(8));
  },
};

/** A page of the caller's has 32 bits of its frame here, and 64 there; a grant has 32 in both, above which nothing is written. */
const COPY: Element = {
  op: OP.copy,
  size: 24,
  status: 20,
  native: { size: copy.size, status: copy.fields.status.at },
  layOut: (xlat, at) => {
    const { source, source_domid, source_offset, dest, dest_domid, dest_offset, len, flags } = copy.fields;
    const wide = (flag: number): 4 | 8 => ((half(18) & flag) !== 0 ? 4 : 8);
    xlat.put(at + source.at, wide(GNTCOPY.source_gref), word(0));
    xlat.put(at + source_domid.at, 2, half(4));
    xlat.put(at + source_offset.at, 2, half(6));
    xlat.put(at + dest.at, wide(GNTCOPY.dest_gref), word(8));
    xlat.put(at + dest_domid.at, 2, half(12));
    xlat.put(at + dest_offset.at, 2, half(14));
    xlat.put(at + len.at, 2, half(16));
    xlat.put(at + flags.at, 2, half(18));
  },
};

const hiOf = (at: number): number => (at >= TWO32 ? 1 : 0);

/** Elements `first` and up, as many as there is room for. Answers how many, or null when one cannot be read. */
const layOutBatch = (
  machine: Machine,
  vcpu: Vcpu,
  xlat: Xlat,
  element: Element,
  list: number,
  first: number,
  count: number,
): number | null => {
  const room = Math.floor(XLAT_BYTES / element.native.size);
  const taken = Math.min(room, count - first);
  for (let n = 0; n < taken; n++) {
    const at = list + (first + n) * element.size;
    if (!copyFromGuest(machine, vcpu, at | 0, hiOf(at), element.size)) return null;
    element.layOut(xlat, n * element.native.size);
  }
  return taken;
};

/** The status of elements that are done, the last one first. False when one could not be stored. */
const giveStatus = (machine: Machine, vcpu: Vcpu, xlat: Xlat, element: Element, list: number, done: number): boolean => {
  let stored = true;
  for (let n = done - 1; n >= 0; n--) {
    const at = list + n * element.size + element.status;
    if (!putGuest(machine, vcpu, at | 0, hiOf(at), 2, xlat.half(n * element.native.size + element.native.status))) stored = false;
  }
  return stored;
};

const batches =
  (element: Element): Handler =>
  (machine, vcpu, args) => {
    const [cmd, list, count] = [args[0], args[2] >>> 0, args[4] >>> 0];
    if (count > 0x7fffffff) return minus('EINVAL');
    return withXlat(machine, (xlat) => {
      for (let i = 0; i < count; ) {
        const taken = layOutBatch(machine, vcpu, xlat, element, list, i, count);
        if (taken === null) return minus('EFAULT');
        const answer = grant_table_op(machine, vcpu, pointed(1, cmd, 0, taken));
        if (answer < 0) return answer;
        const interrupted = CALL_STATE.preempted;
        CALL_STATE.preempted = false;
        const done = interrupted ? taken - CALL_STATE.continuation[4] : taken;
        if (!giveStatus(machine, vcpu, xlat, element, list + i * element.size, done)) return minus('EFAULT');
        i += done;
        const next = list + i * element.size;
        if (interrupted) return continueCall(cmd, 0, next | 0, 0, count - i, 0);
      }
      return 0;
    });
  };

export const compatTransfer = batches(TRANSFER);
export const compatCopy = batches(COPY);
