/** Everything that is measured, in the order of the table. */
import type { Bench } from './bench.ts';
import { executorMips } from './executor_mips.ts';
import { generatedBenches } from './generated.ts';
import { hypercallBenches } from './hypercalls.ts';
import { machineBenches } from './machines.ts';
import { modelSteps } from './model_steps.ts';
import { worldsBenches } from './worlds.ts';

export const BENCHES: readonly Bench[] = [
  ...modelSteps,
  ...executorMips,
  ...hypercallBenches,
  ...generatedBenches,
  ...machineBenches,
  ...worldsBenches,
];
