/** How many guest instructions a second the executor's CPU carries out, alone, on a machine with nothing else in it. */
import { CODE, DATA, fixture } from '#oracle/executor/cpu/fixture.ts';
import { RAX } from '#oracle/executor/cpu/interface.ts';
import { Assembler } from '#oracle/image/asm/assembler.ts';
import { assembleText } from '#oracle/image/asm/text.ts';
import type { Bench } from './bench.ts';
import { FLOAT_ANSWER, FLOAT_KERNELS, type FloatKernel } from './float_kernels.ts';
import { KERNELS, type Kernel } from './kernels.ts';
import type { Work } from './measure.ts';

/** Instructions per second that every kernel should reach. */
const GOAL = 30_000_000;
const DATA_PAGES = 256;
const MOST_STEPS = 2 ** 30;

const assembled = ({ text }: Kernel): Uint8Array => {
  const assembler = new Assembler(Number(CODE));
  assembleText(assembler, text, { DATA: Number(DATA) });
  return assembler.finish().bytes;
};

/** Runs a kernel on a fresh machine; the work is counted in instructions. Throws when the answer is wrong. */
export const kernelWork = (kernel: Kernel): Work => {
  const bytes = assembled(kernel);
  return () => {
    const { cpu } = fixture(bytes, DATA_PAGES);
    const exit = cpu.run(MOST_STEPS);
    const answer = cpu.gpr(RAX);
    if (exit.kind !== 'int' || answer !== kernel.answer) throw new Error(`${kernel.name}: ${exit.kind}, RAX 0x${answer.toString(16)}`);
    return exit.retired;
  };
};

/** CALL over the next bytes, and the INT3 that it returns to. */
const CALL_AND_STOP = [0xe8, 11, 0, 0, 0, 0xcc, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

const floatWork = ({ name, code }: FloatKernel): Work => {
  const bytes = [...CALL_AND_STOP, ...(code.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16))];
  return () => {
    const { cpu } = fixture(bytes);
    const exit = cpu.run(MOST_STEPS);
    if (exit.kind !== 'int' || cpu.gpr(RAX) !== FLOAT_ANSWER) throw new Error(`${name}: ${exit.kind}, RAX ${cpu.gpr(RAX)}`);
    return exit.retired;
  };
};

/** One figure a kernel. */
export const executorMips: readonly Bench[] = [
  ...KERNELS.map((kernel) => ({
    name: `executor: ${kernel.name}`,
    unit: 'instructions' as const,
    goal: GOAL,
    round: () => kernelWork(kernel),
  })),
  ...FLOAT_KERNELS.map((kernel) => ({
    name: `executor: ${kernel.name}`,
    unit: 'instructions' as const,
    goal: kernel.goal,
    round: () => floatWork(kernel),
  })),
];
