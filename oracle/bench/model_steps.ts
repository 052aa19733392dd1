/** How many steps a second the model's CPU takes, on the kernels that the executor's CPU is measured with. */
import { PLACE, SAMPLE_PLATFORM, sample } from '#model/cpu/x86/sample.ts';
import { RAX } from '#model/cpu/x86/state.ts';
import { runInstructions } from '#model/cpu/x86/step.ts';
import { toBigInt } from '#model/word/word.ts';
import { Assembler } from '#oracle/image/asm/assembler.ts';
import { assembleText } from '#oracle/image/asm/text.ts';
import type { Bench } from './bench.ts';
import { KERNELS, type Kernel } from './kernels.ts';
import type { Work } from './measure.ts';

/** Steps per second that every kernel should reach. */
const GOAL = 2_000_000;
/** Far from the pages of the sample that forbid something. */
const DATA = 0x20000;
/** Steps between two looks at the outcome, about as many as a campaign takes. */
const STRIDE = 10_000;
/** A round ends here, finished or not: the kernels are made for a faster machine. */
const MOST_STEPS = 2_000_000;

const assembled = ({ text }: Kernel): readonly number[] => {
  const assembler = new Assembler(PLACE.code);
  assembleText(assembler, text, { DATA });
  return [...assembler.finish().bytes];
};

/** Runs a kernel from its start on a fresh machine. Throws when it comes to its end with a wrong answer, or to another end. */
export const kernelSteps = (kernel: Kernel, most = MOST_STEPS): Work => {
  const start = sample(assembled(kernel));
  return () => {
    let { cpu, memory } = start;
    for (let steps = 0; steps < most; ) {
      const outcome = runInstructions(cpu, memory, SAMPLE_PLATFORM, STRIDE);
      ({ cpu, memory } = outcome);
      steps += outcome.steps;
      if (outcome.kind === 'retired') continue;
      const answer = toBigInt(cpu.regs[RAX]);
      if (outcome.kind === 'trap' && answer === kernel.answer) return steps;
      throw new Error(`${kernel.name}: ${outcome.kind}, RAX 0x${answer.toString(16)}`);
    }
    return most;
  };
};

/** One figure a kernel. */
export const modelSteps: readonly Bench[] = KERNELS.map((kernel) => ({
  name: `model: ${kernel.name}`,
  unit: 'steps',
  goal: GOAL,
  round: (effort) => kernelSteps(kernel, MOST_STEPS * effort),
}));
