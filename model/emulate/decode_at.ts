/** The instruction that a vCPU stands at, as Xen's emulator fetches it. */
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { decode } from '../cpu/x86/decode/decode.ts';
import { Exit } from '../cpu/x86/fault.ts';
import type { Instruction } from '../cpu/x86/instruction.ts';
import { copyFromGuest } from '../guest_copy.ts';
import { vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { addInt } from '../word/word.ts';

class Unreadable {}

/** Null when its bytes cannot be read or are none that is known. */
export const decodeAt = (machine: Machine, at: VcpuRef): Instruction | null => {
  const { rip } = vcpuOf(machine, at).cpu;
  try {
    return decode((index) => {
      const copied = copyFromGuest(machine, at, addInt(rip, index), 1);
      if (!copied.ok) throw new Unreadable();
      return copied.bytes[0];
    });
  } catch (thrown) {
    if (thrown instanceof Unreadable || thrown instanceof NotModelled || thrown instanceof Exit) return null;
    throw thrown;
  }
};
