/**
 * Copies between Xen and the guest's virtual address space, as Xen makes them for a PV guest: an address inside Xen's own
 * range is refused before any byte moves, and a fault in the middle leaves the bytes before it moved.
 */
import type { Machine } from './machine.ts';
import type { Vcpu } from './vcpu.ts';

const PAGE = 4096;
/** From this length on moving the bytes by the host's own copy is faster than one by one. */
const WHOLE_COPY = 64;

/** Xen's range check: the lower half, or above Xen's own slots; the start alone is looked at. */
export const accessOk = (hi: number): boolean => hi >>> 15 === 0 || hi >>> 0 >= 0xffff8800;

/** Machine address of a guest virtual address as Xen touches it now; -1 when it faults. */
export const guestToMachine = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, write: boolean): number => {
  const root = vcpu.kernelMode ? vcpu.kernelTable : vcpu.userTable;
  return machine.translate(root, lo, hi, write);
};

/** Scratch for small structures: `copyFromGuest` fills it from offset 0. Valid until the next copy. */
export const SCRATCH = new Uint8Array(8192);
export const scratch = new DataView(SCRATCH.buffer);
/** The same by words of four bytes. */
export const scratchWords = new Int32Array(SCRATCH.buffer);

/** Whether both ends of a copy, and so its length, are whole words of four bytes. */
const isWords = (at: number, done: number, part: number): boolean => ((at | done | part) & 3) === 0;

/** Copy `length` bytes from the guest into `into` (SCRATCH by default). False: -EFAULT. */
export const copyFromGuest = (
  machine: Machine,
  vcpu: Vcpu,
  lo: number,
  hi: number,
  length: number,
  into: Uint8Array = SCRATCH,
): boolean => {
  // No bytes can be copied wherever that is.
  if (!accessOk(hi)) return length === 0;
  let done = 0;
  while (done < length) {
    const low = (lo >>> 0) + done;
    const at = guestToMachine(machine, vcpu, low | 0, low > 0xffffffff ? (hi + 1) | 0 : hi, false);
    if (at < 0) return false;
    const part = Math.min(length - done, PAGE - (at & (PAGE - 1)));
    const { bytes, words } = machine.memory;
    if (into === SCRATCH && isWords(at, done, part))
      for (let to = done >> 2, from = at >> 2, end = (done + part) >> 2; to < end; to++, from++) scratchWords[to] = words[from];
    else if (part >= WHOLE_COPY) into.set(bytes.subarray(at, at + part), done);
    else for (let i = 0; i < part; i++) into[done + i] = bytes[at + i];
    done += part;
  }
  return true;
};

/** Copy `length` bytes of `from` (SCRATCH by default, from its start) to the guest. False: -EFAULT; what lies before the fault is written. */
export const copyToGuest = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, length: number, from: Uint8Array = SCRATCH): boolean => {
  // No bytes can be copied wherever that is.
  if (!accessOk(hi)) return length === 0;
  let done = 0;
  while (done < length) {
    const low = (lo >>> 0) + done;
    const at = guestToMachine(machine, vcpu, low | 0, low > 0xffffffff ? (hi + 1) | 0 : hi, true);
    if (at < 0) return false;
    const part = Math.min(length - done, PAGE - (at & (PAGE - 1)));
    machine.memory.willWrite(at, part);
    const { bytes, words } = machine.memory;
    if (from === SCRATCH && isWords(at, done, part))
      for (let i = done >> 2, to = at >> 2, end = (done + part) >> 2; i < end; i++, to++) words[to] = scratchWords[i];
    else if (part >= WHOLE_COPY) bytes.set(from.subarray(done, done + part), at);
    else for (let i = 0; i < part; i++) bytes[at + i] = from[done + i];
    done += part;
  }
  return true;
};

/**
 * Store one value of 1, 2, 4 or 8 bytes as a single move: when any byte of it faults, none is written. `at` is a byte offset from
 * the address. False: -EFAULT.
 */
export const putGuest = (
  machine: Machine,
  vcpu: Vcpu,
  lo: number,
  hi: number,
  size: 1 | 2 | 4 | 8,
  valueLo: number,
  valueHi = 0,
): boolean => {
  if (!accessOk(hi)) return false;
  const first = guestToMachine(machine, vcpu, lo, hi, true);
  if (first < 0) return false;
  const { memory } = machine;
  const room = PAGE - (first & (PAGE - 1));
  if (room >= size) {
    if (size === 8) memory.writeHalves(first, valueLo, valueHi);
    else if (size === 4) memory.write32(first, valueLo);
    else if (size === 2) memory.write16(first, valueLo);
    else memory.write8(first, valueLo);
    return true;
  }
  const low = (lo >>> 0) + room;
  const second = guestToMachine(machine, vcpu, low | 0, low > 0xffffffff ? (hi + 1) | 0 : hi, true);
  if (second < 0) return false;
  for (let i = 0; i < size; i++) {
    const byte = i < 4 ? valueLo >>> (8 * i) : valueHi >>> (8 * (i - 4));
    memory.write8(i < room ? first + i : second + i - room, byte & 0xff);
  }
  return true;
};

/** Read 8 bytes into `scratch` at offset 0. False: -EFAULT. */
export const getGuest64 = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): boolean => copyFromGuest(machine, vcpu, lo, hi, 8);
