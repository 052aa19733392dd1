import { describe, expect, it } from 'vitest';
import { KERNELS } from './kernels.ts';
import { kernelSteps } from './model_steps.ts';

describe("the model's CPU", () => {
  it.each(KERNELS.map((kernel) => [kernel.name, kernel] as const))('computes %s like the machine it was written for', (_, kernel) => {
    expect(kernelSteps(kernel, 20_000_000)()).toBeLessThan(20_000_000);
  });
});
