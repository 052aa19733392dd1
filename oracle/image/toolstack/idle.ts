/** A kernel that sleeps for good: domain 0 of the machines on which a program is to run as domain 1. */
import { HYPERCALL, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { Assembler } from '../asm/assembler.ts';
import { assembleText } from '../asm/text.ts';
import { writeElf } from '../elf.ts';
import { VIRT_BASE } from '../layout.ts';

const PAGE = 4096;
const SOURCE = `
start:
  mov eax, HYPERCALL_vcpu_op
  mov edi, VCPUOP_stop_periodic_timer
  xor esi, esi
  xor edx, edx
  syscall
sleep:
  mov edi, 1
  xor esi, esi
  mov eax, HYPERCALL_sched_op
  syscall
  jmp sleep
`;

export const idleImage = (): Uint8Array => {
  const a = new Assembler(VIRT_BASE);
  assembleText(a, SOURCE, {
    HYPERCALL_vcpu_op: HYPERCALL.vcpu_op,
    HYPERCALL_sched_op: HYPERCALL.sched_op,
    VCPUOP_stop_periodic_timer: SUBOPERATIONS.vcpu_op.stop_periodic_timer,
  });
  const { bytes } = a.finish();
  return writeElf({
    segments: [{ address: VIRT_BASE, bytes, size: 2 * PAGE }],
    entry: VIRT_BASE,
    virtBase: VIRT_BASE,
    hypercallPage: VIRT_BASE + PAGE,
  });
};
