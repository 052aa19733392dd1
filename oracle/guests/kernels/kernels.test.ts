import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { KERNELS, missingCompiler, variantName } from './build.ts';
import { type KernelRun, runKernels } from './run.ts';

const MESSAGE = Uint8Array.from({ length: 4000 }, (_, i) => i * 7 + 3);
const label = ({ kernel, variant }: KernelRun): string => `${kernel} ${variantName(variant)}`;

it('what gcc -O2 makes gives on both engines, bare, what it gives natively', async () => {
  const missing = missingCompiler();
  if (missing !== null) {
    expect(missing).toContain('no C compiler');
    return;
  }
  const runs = await runKernels();
  const native = new Map(runs.filter((r) => r.native !== null).map((r) => [r.kernel, r.native]));
  for (const run of runs) {
    const wanted = run.native ?? native.get(run.kernel);
    expect([label(run), run.model, run.executor]).toEqual([label(run), wanted, wanted]);
  }
  expect(new Set(runs.map(({ kernel }) => kernel))).toEqual(new Set(KERNELS));
  // SSE is there to be used.
  const steps = runs.filter(({ kernel, variant }) => kernel === 'xorshift' && variant.bits === 64).map(({ instructions }) => instructions);
  expect(steps[0]).toBeLessThan(steps[1]!);
  expect(native.get('sha256')).toBe(createHash('sha256').update(MESSAGE).digest('hex').slice(0, 16));
});
