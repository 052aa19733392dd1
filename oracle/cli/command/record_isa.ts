/** `xenspec record --isa x86`: the scripts of the processor and of the machine without Xen, with what their judges answer. */
import { BadInput } from '#spec/failure.ts';
import { citedBeyondRecordings, citedByRecordings, recordings } from '../../campaign/clause_scripts.ts';
import { recordX86Scripts } from '../../campaign/x86_scripts/record.ts';
import { readX86Scripts } from '../../campaign/x86_scripts/scripts.ts';
import { EXIT } from '../exit_code.ts';
import { Progress, table } from '../table.ts';

type Options = { readonly seeds?: { readonly first: number; readonly last: number }; readonly json?: true };

/** Seeds of cases when nobody says which. */
const SEEDS = { first: 1, last: 4000 };

export const recordIsa = async (isa: string, { seeds = SEEDS, json }: Options): Promise<number> => {
  if (isa !== 'x86') throw new BadInput(`--isa ${isa}: only x86 is known`);
  const progress = new Progress('recordings of real Xen', recordings().length);
  const elsewhere = await citedByRecordings(() => progress.step());
  progress.done();
  // These are asked about themselves.
  const own = new Set(readX86Scripts().map(({ name }) => name));
  for (const [name, clauses] of await citedBeyondRecordings()) if (!own.has(name)) elsewhere.set(name, clauses);
  const { scripts, missing } = await recordX86Scripts({
    seeds,
    elsewhere: new Set([...elsewhere.values()].flat()),
    onProgress: (what) => process.stderr.write(`record --isa x86: ${what}\n`),
  });
  if (json) process.stdout.write(`${JSON.stringify({ scripts, missing }, null, 2)}\n`);
  else {
    const rows = scripts.map(({ name, clauses, judges, refused }) => [
      name,
      clauses,
      refused === null ? judges : `left as it was: ${refused}`,
    ]);
    process.stdout.write(`${table(['script', 'clauses', 'judges'], rows)}\n`);
    process.stdout.write(`clauses without a script: ${missing.length === 0 ? 'none' : missing.join(', ')}\n`);
  }
  return scripts.some(({ refused }) => refused !== null) || missing.length > 0 ? EXIT.inconclusive : EXIT.ok;
};
