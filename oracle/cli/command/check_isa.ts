/** `xenspec check --isa x86`: single instructions of both engines against machines that nobody here wrote, or against each other. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { checkAsHtml, checkAsJson, explanationsUsed, HEAD, rowOf, totalsOf } from '../../campaign/isa/report.ts';
import { rowsMatching } from '../../campaign/isa/row_label.ts';
import { checkSilicon, type SiliconCheck } from '../../campaign/isa/silicon_check.ts';
import { EXIT } from '../exit_code.ts';
import { CommandFailure } from '../failure.ts';
import { onFile } from '../files.ts';
import { wholeNumber } from '../option.ts';
import { count, Progress, rate, table } from '../table.ts';

export type IsaOptions = {
  isa?: string;
  peer?: string;
  seeds?: { readonly first: number; readonly last: number };
  cases?: number;
  row?: string;
  html?: string;
  json?: true;
};

/** The options of `check` that belong to `--isa`. */
export const addIsaOptions = (command: Command): Command =>
  command
    .option('--isa <name>', 'check the instruction set `x86` case by case: against --peer silicon')
    .option('--cases <n>', 'with --isa: how many cases, spread over all rows of the opcode table', wholeNumber(1, 1_000_000_000))
    .option('--row <text>', 'with --isa: only rows whose name contains this, e.g. shld')
    .option('--html <file>', 'with --isa: also write the table as a page');

/** Cases when nobody says how many. */
const CASES = 200_000;

/** The check that the options ask for; its exit code. */
export const checkIsa = async (options: IsaOptions): Promise<number> => {
  if (options.isa !== 'x86') throw new CommandFailure(EXIT.badInput, `--isa ${options.isa}: only x86 is known`);
  switch (options.peer) {
    case 'silicon':
      return silicon(options);
    default:
      throw new CommandFailure(EXIT.badInput, '--isa x86 needs --peer silicon');
  }
};

const silicon = async (options: IsaOptions): Promise<number> => {
  const rows = rowsMatching(options.row).length;
  if (rows === 0) throw new CommandFailure(EXIT.badInput, `--row ${options.row}: no row of the opcode table has this in its name`);
  const { first, last } = options.seeds ?? { first: 1, last: Math.ceil((options.cases ?? CASES) / rows) };
  const progress = new Progress('cases on silicon', rows * (last - first + 1));
  const check = await checkSilicon({
    first,
    last,
    ...(options.row === undefined ? {} : { row: options.row }),
    onCases: (n) => progress.step(n),
  });
  progress.done();
  if (options.html !== undefined && check.unavailable === null) {
    const { html } = options;
    onFile(html, () => writeFileSync(html, checkAsHtml(check)));
  }
  process.stdout.write(options.json ? `${JSON.stringify(checkAsJson(check), null, 2)}\n` : siliconText(check));
  if (check.unavailable !== null) return EXIT.unavailable;
  return totalsOf(check).differences > 0 ? EXIT.divergence : EXIT.ok;
};

const siliconText = (check: SiliconCheck): string => {
  if (check.unavailable !== null) return `skipped: ${check.unavailable}\n`;
  const totals = totalsOf(check);
  const summary = table(
    ['what', 'result'],
    [
      ['processor', check.processor ?? ''],
      ['rows of the opcode table', `${totals.rows}, at least ${count(totals.fewest)} cases each`],
      ['rows that this processor lacks', count(check.absent.length)],
      ['cases', `${count(totals.cases)} (seeds ${check.seeds.first}..${check.seeds.last} of each row)`],
      ['model and executor as silicon', count(totals.agreed)],
      ['explained by findings', [count(totals.explained), ...explanationsUsed(check).map(([id, why]) => `${id}: ${why}`)].join('\n')],
      ['unexplained differences', count(totals.differences)],
      ['throughput', `${rate(totals.cases / check.seconds)} cases/s`],
    ],
  );
  return `${table(HEAD, check.rows.map(rowOf))}\n${summary}\n`;
};
