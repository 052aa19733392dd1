/** Programs whose references can all be told from what is seen of a machine. */
import type { Program } from '#spec/program.ts';

/**
 * Whether no vCPU is initialised a second time. What an attempt that was refused took stays taken (`vcpu/initialise-preempted`), which no
 * observation shows; so `spec/properties/conservation.ts` would miss who holds it.
 */
export const isCountable = ({ steps }: Program): boolean => steps.filter((step) => step.do === 'initialise').length < 2;
