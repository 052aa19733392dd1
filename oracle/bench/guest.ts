/** Small guests to measure with: code by hand, nothing of the runtime of generated programs. */
import { HYPERCALL } from '#spec/abi/hypercall.ts';
import { SHUTDOWN, start_info } from '#spec/abi/xen.ts';
import { Assembler } from '../image/asm/assembler.ts';
import { assembleText } from '../image/asm/text.ts';
import { writeElf } from '../image/elf.ts';
import type { Kernel } from './kernels.ts';

const CODE = 0x400000;
/** Structures for hypercalls, zero at first. */
export const ARGS = 0x440000;
const HYPERCALL_PAGE = 0x450000;
/** Where kernels work, and its size. */
export const DATA = 0x500000;
const DATA_BYTES = 0x100000;
/** SCHEDOP_shutdown. */
const SHUTDOWN_COMMAND = 2;

/** A text that runs `rounds` times after `before` ran once; then the domain powers off. R15 is the loop's. */
export const loopImage = (before: string, text: string, rounds: number, constants: Readonly<Record<string, number>> = {}): Uint8Array => {
  const assembler = new Assembler(CODE);
  const program = `
      ${before}
      mov r15d, ROUNDS
    bench_next:
      ${text}
    bench_done:
      sub r15d, 1
      jne bench_next
      mov eax, ${HYPERCALL.sched_op}
      mov edi, ${SHUTDOWN_COMMAND}
      mov esi, ARGS
      mov dword [ARGS], ${SHUTDOWN.poweroff}
      syscall
      ud2`;
  assembleText(assembler, program, { ARGS, DATA, ROUNDS: rounds, MFN_LIST: start_info.fields['mfn_list']!.at, ...constants });
  const { bytes } = assembler.finish();
  return writeElf({
    segments: [{ address: CODE, bytes, size: DATA + DATA_BYTES - CODE }],
    entry: CODE,
    virtBase: CODE,
    hypercallPage: HYPERCALL_PAGE,
  });
};

/** A kernel as a guest; where it would end with INT3, the next round begins. */
export const kernelImage = ({ text }: Kernel, rounds: number): Uint8Array =>
  loopImage('', text.replace(/\bint3\b/g, 'jmp bench_done'), rounds);
