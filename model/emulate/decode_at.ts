/** The instruction that a vCPU stands at, as Xen's emulator fetches it. */
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { decode } from '../cpu/x86/decode/decode.ts';
import { Exit } from '../cpu/x86/fault.ts';
import type { Instruction } from '../cpu/x86/instruction.ts';
import { copyFromGuest } from '../guest_copy.ts';
import { vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { addInt, type Word } from '../word/word.ts';

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

/** The same, but it tells what cannot be read. */
export const fetchAt = (machine: Machine, at: VcpuRef): Instruction | Unreadable | null => {
  const { rip } = vcpuOf(machine, at).cpu;
  try {
    return decode((index) => {
      const copied = copyFromGuest(machine, at, addInt(rip, index), 1);
      if (!copied.ok) throw new Unreadable(copied.fault);
      return copied.bytes[0];
    });
  } catch (thrown) {
    if (thrown instanceof Unreadable) return thrown;
    if (thrown instanceof NotModelled || thrown instanceof Exit) return null;
    throw thrown;
  }
};
