/** `npm run kernels`: the kernels' results natively, on the model and on the executor. */
import { count, table } from '../../cli/table.ts';
import { missingCompiler, variantName } from './build.ts';
import { runKernels } from './run.ts';

const NO_RESULT = 'not run by this system';

const missing = missingCompiler();
if (missing !== null) process.stdout.write(`skipped: ${missing}\n`);
else {
  const runs = await runKernels();
  const rows = runs.map((r) => [r.kernel, variantName(r.variant), r.native ?? NO_RESULT, r.model, r.executor, count(r.instructions)]);
  process.stdout.write(`${table(['kernel', 'variant', 'native', 'model', 'executor', 'instructions'], rows)}\n`);
  // Where a program cannot be run, its 64-bit form says what it must give.
  const wanted = new Map(runs.map((r) => [r.kernel, r.native]).filter(([, native]) => native !== null) as [string, string][]);
  const wrong = runs.filter((r) =>
    [r.native ?? wanted.get(r.kernel), r.model, r.executor].some((result) => result !== wanted.get(r.kernel)),
  );
  process.stdout.write(wrong.length === 0 ? 'every result is the native one\n' : `${wrong.length} results differ\n`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
