/** The instruction that a vCPU stands at, as Xen's emulator fetches it. */
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { decode } from '../cpu/x86/decode/decode.ts';
import { Exit } from '../cpu/x86/fault.ts';
import type { Instruction } from '../cpu/x86/instruction.ts';
import { copyFromGuest } from '../guest_copy.ts';
import { vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { addInt, type Word, word } from '../word/word.ts';
import type { CodeSegment } from './code_segment.ts';

/** The instruction could not be read as a whole: `address` is the first byte that could not. */
export class Unreadable {
  readonly address: Word;
  constructor(address: Word) {
    this.address = address;
  }
}

/** Null when its bytes cannot be read or are none that is known. */
export const decodeAt = (machine: Machine, at: VcpuRef): Instruction | null => {
  const found = fetchAt(machine, at);
  return found instanceof Unreadable ? null : found;
};

/** The same, but it tells what cannot be read. A code segment other than 64-bit code has a base and a limit, which must hold. */
export const fetchAt = (machine: Machine, at: VcpuRef, code: CodeSegment | null = null): Instruction | Unreadable | null => {
  const { rip } = vcpuOf(machine, at).cpu;
  try {
    return decode((index) => {
      const place = placeOf(code, rip, index);
      const copied = copyFromGuest(machine, at, place, 1);
      if (!copied.ok) throw new Unreadable(copied.fault);
      return copied.bytes[0];
    }, code?.mode);
  } catch (thrown) {
    if (thrown instanceof Unreadable) return thrown;
    if (thrown instanceof NotModelled || thrown instanceof Exit) return null;
    throw thrown;
  }
};

/** Behind the limit nothing is read, as beyond the canonical addresses: the guest's #GP(0) stays. */
const placeOf = (code: CodeSegment | null, rip: Word, index: number): Word => {
  if (code === null || code.limit === null) return addInt(rip, index);
  const offset = rip.lo + index;
  if (rip.hi !== 0 || offset >>> 0 > code.limit) throw new NotModelled('emulation/limit');
  return word(0, (code.base.lo + offset) | 0);
};
