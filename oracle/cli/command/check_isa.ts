/** `xenspec check --isa x86`: single instructions of both engines against machines that nobody here wrote, or against each other. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { checkDecoders, type DecodeCheck } from '../../campaign/isa/decode_check.ts';
import { DECODE_EXCEPTIONS } from '../../campaign/isa/decode_exceptions.ts';
import { absentText, checkAsHtml, checkAsJson, explanationsUsed, HEAD, NOT_IN_TABLE, rowOf, totalsOf } from '../../campaign/isa/report.ts';
import { rowsMatching } from '../../campaign/isa/row_label.ts';
import { SEQUENCE_STEPS } from '../../campaign/isa/sequence_check.ts';
import { checkSequences, type SequencesCheck } from '../../campaign/isa/sequences.ts';
import { checkSilicon, type SiliconCheck } from '../../campaign/isa/silicon_check.ts';
import { MODES } from '../../image/instruction/case.ts';
import { EXIT } from '../exit_code.ts';
import { CommandFailure } from '../failure.ts';
import { onFile } from '../files.ts';
import { largeNumber, wholeNumber } from '../option.ts';
import { count, Progress, rate, table } from '../table.ts';
import { checkOnEmulator } from './check_system.ts';

export type IsaOptions = {
  isa?: string;
  peer?: string;
  seeds?: { readonly first: number; readonly last: number };
  cases?: number;
  steps?: number;
  row?: string;
  mode?: string;
  html?: string;
  json?: true;
};

/** 100000000 or 1e8. */

/** The options of `check` that belong to `--isa`. */
export const addIsaOptions = (command: Command): Command =>
  command
    .option(
      '--isa <name>',
      'check the instruction set `x86`: with --peer silicon or objdump case by case, with qemu or bochs at system level, with --steps model against executor',
    )
    .option(
      '--cases <n>',
      'with --isa and a peer: how many cases; on silicon spread over all rows of the opcode table',
      wholeNumber(1, 1e9),
    )
    .option('--steps <n>', 'with --isa: steps of generated programs on model and executor alone, e.g. 1e8', largeNumber)
    .option('--row <text>', 'with --isa and --peer silicon: only rows whose name contains this, e.g. shld')
    .option('--mode <mode>', 'with --isa and --peer silicon: only 64-bit mode, or 32-bit or 16-bit code')
    .option('--html <file>', 'with --isa and --peer silicon, qemu or bochs: also write the table as a page');

/** Cases when nobody says how many. */
const CASES = 200_000;
const STRINGS = 1_000_000;
const STEPS = 10_000_000;

/** The check that the options ask for; its exit code. */
export const checkIsa = async (options: IsaOptions): Promise<number> => {
  if (options.isa !== 'x86') throw new CommandFailure(EXIT.badInput, `--isa ${options.isa}: only x86 is known`);
  switch (options.peer) {
    case 'silicon':
      return silicon(options);
    case 'objdump':
      return objdump(options);
    case 'qemu':
    case 'bochs':
      return checkOnEmulator(options.peer, options);
    case undefined:
      return sequences(options);
    default:
      throw new CommandFailure(EXIT.badInput, `--isa x86 knows the peers silicon, objdump, qemu and bochs, not ${options.peer}`);
  }
};

const printJson = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);

const silicon = async (options: IsaOptions): Promise<number> => {
  const modes = options.mode === undefined ? MODES : MODES.filter((mode) => mode === options.mode);
  if (modes.length === 0) throw new CommandFailure(EXIT.badInput, `--mode ${options.mode}: 64, 32 or 16`);
  if (rowsMatching(options.row).length === 0)
    throw new CommandFailure(EXIT.badInput, `--row ${options.row}: no row of the opcode table has this in its name`);
  let progress: Progress | null = null;
  const check = await checkSilicon({
    ...(options.seeds === undefined ? { cases: options.cases ?? CASES } : { seeds: options.seeds }),
    modes,
    ...(options.row === undefined ? {} : { row: options.row }),
    onStart: (cases) => {
      progress = new Progress('cases on silicon', cases);
    },
    onCases: (n) => progress?.step(n),
  });
  (progress as Progress | null)?.done();
  if (options.html !== undefined && check.unavailable === null) {
    const { html } = options;
    onFile(html, () => writeFileSync(html, checkAsHtml(check)));
  }
  if (options.json) printJson(checkAsJson(check));
  else process.stdout.write(siliconText(check));
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
      ['rows of the opcode table, by mode', `${totals.rows}, at least ${count(totals.fewest)} cases each`],
      ['rows not tried here', [count(check.absent.length), ...absentText(check)].join('\n')],
      ['not modelled', NOT_IN_TABLE],
      ['cases', `${count(totals.cases)} (seeds ${check.seeds.first}..${check.seeds.last} of each row)`],
      ['model and executor as silicon', count(totals.agreed)],
      ['explained by findings', [count(totals.explained), ...explanationsUsed(check).map(([id, why]) => `${id}: ${why}`)].join('\n')],
      ['not modelled by an engine', count(totals.notModelled)],
      ['unexplained differences', count(totals.differences)],
      ['throughput', `${rate(totals.cases / check.seconds)} cases/s`],
    ],
  );
  return `${table(HEAD, check.rows.map(rowOf))}\n${summary}\n`;
};

/** `nop 12, add 3`: the most frequent first. */
const counted = (counts: Readonly<Record<string, number>>, most: number): string => {
  const sorted = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  const shown = sorted.slice(0, most).map(([what, n]) => `${what} ${count(n)}`);
  return [...shown, ...(sorted.length > most ? [`${sorted.length - most} more`] : [])].join(', ');
};

const total = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

const objdump = async (options: IsaOptions): Promise<number> => {
  const { first, last } = options.seeds ?? { first: 1, last: options.cases ?? STRINGS };
  const progress = new Progress('strings of bytes', last - first + 1);
  const check = await checkDecoders(first, last, (n) => progress.step(n));
  progress.done();
  if (options.json) printJson(check);
  else process.stdout.write(decodeText(check));
  if (check.unavailable !== null) return EXIT.unavailable;
  return check.differences.length > 0 ? EXIT.divergence : EXIT.ok;
};

const decodeText = (check: DecodeCheck): string => {
  if (check.unavailable !== null) return `skipped: ${check.unavailable}\n`;
  const differences = check.differences.map(({ seed, mode, bytes, what }) => `seed ${seed}, ${mode} bits: ${bytes}\n  ${what}\n`).join('');
  const summary = table(
    ['what', 'result'],
    [
      ['peer', check.peer ?? ''],
      ['strings of bytes', `${count(check.strings)} (seeds ${check.seeds.first}..${check.seeds.last})`],
      ['length and mnemonic agree', count(check.agreed)],
      ['no instruction to all', `${count(check.invalid)}, and ${count(check.tooLong)} longer than 15 bytes`],
      ['not modelled', `${count(total(check.notModelled))}: ${counted(check.notModelled, 8)}`],
      ['exceptions, by finding', [count(total(check.exceptions)), ...exceptionLines(check)].join('\n')],
      ['unexplained differences', count(check.differences.length)],
      ['throughput', `${rate(check.strings / check.seconds)} strings/s`],
    ],
  );
  return `${differences}${summary}\n`;
};

const exceptionLines = ({ exceptions }: DecodeCheck): readonly string[] =>
  Object.entries(exceptions).map(([finding, n]) => {
    const why = DECODE_EXCEPTIONS.filter((e) => e.finding === finding).map((e) => e.why);
    return `${finding} ${count(n)}: ${why.join('; ')}`;
  });

const sequences = async (options: IsaOptions): Promise<number> => {
  const first = options.seeds?.first ?? 1;
  const steps = options.steps ?? (options.seeds ? (options.seeds.last - first + 1) * SEQUENCE_STEPS : STEPS);
  const progress = new Progress('steps of model and executor', steps);
  const check = await checkSequences(first, steps, (n) => progress.step(n));
  progress.done();
  if (options.json) printJson(check);
  else process.stdout.write(sequencesText(check));
  return check.differences.length > 0 ? EXIT.divergence : EXIT.ok;
};

const sequencesText = (check: SequencesCheck): string => {
  const differences = check.differences
    .map(({ seed, step, rip, bytes, what }) => `seed ${seed}, step ${step}, RIP 0x${rip} ${bytes}\n  ${what}\n`)
    .join('');
  const summary = table(
    ['what', 'result'],
    [
      ['programs', `${count(check.programs)} (seeds ${check.seeds.first}..${check.seeds.last}; the next is ${check.seeds.last + 1})`],
      ['steps on model and executor', count(check.steps)],
      ['interrupted by faults and otherwise', count(check.interruptions)],
      ['differences', count(check.differences.length)],
      ['throughput', `${rate(check.steps / check.seconds)} steps/s, both engines together`],
    ],
  );
  return `${differences}${summary}\n`;
};
