/** The check against silicon as tables: text for people, JSON for programs, HTML for both. */

import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { EXPLANATIONS } from './explained.ts';
import { opcodeLabel, rowLabel } from './row_label.ts';
import type { SiliconCheck } from './silicon_check.ts';
import type { RowTally } from './tally.ts';
import { VENDOR_DIFFERENCES } from './vendor.ts';

export const HEAD = ['instruction', 'mode', 'cases', 'agreed', 'masked', 'first difference, or what is not modelled'] as const;

/** E.g. `A 120, O 80`: how many cases had which flag, or the result, masked. */
const maskedText = ({ masked }: RowTally): string =>
  Object.entries(masked)
    .map(([what, cases]) => `${what} ${cases}`)
    .join(', ');

const differenceText = ({ first, explained, notModelled }: RowTally): string => {
  const known = Object.entries(explained).map(([finding, cases]) => `${finding}: ${cases}`);
  const unknown = first === null ? [] : [`${first.engine}, seed ${first.seed}, ${first.code} (${first.form}): ${first.what}`];
  const missing = Object.entries(notModelled).map(([what, cases]) => `${what}: ${cases}`);
  return [...unknown, ...known, ...missing].join('; ');
};

/** The row; or the opcode, for all its selections that are no instruction. */
const nameOf = ({ row }: RowTally): string => (OPCODES[row].mnemonic === 'invalid' ? opcodeLabel(row) : rowLabel(row));

export const rowOf = (tally: RowTally): readonly (string | number)[] => [
  nameOf(tally),
  tally.mode,
  tally.cases,
  tally.agreed,
  maskedText(tally),
  differenceText(tally),
];

export type Totals = {
  readonly rows: number;
  readonly fewest: number;
  readonly cases: number;
  readonly agreed: number;
  readonly explained: number;
  /** Cases that an engine does not carry out. */
  readonly notModelled: number;
  readonly differences: number;
};

export const totalsOf = ({ rows }: SiliconCheck): Totals => {
  const sum = (of: (tally: RowTally) => number): number => rows.reduce((total, tally) => total + of(tally), 0);
  return {
    rows: rows.length,
    fewest: rows.length === 0 ? 0 : Math.min(...rows.map((tally) => tally.cases)),
    cases: sum((t) => t.cases),
    agreed: sum((t) => t.agreed),
    explained: sum((t) => Object.values(t.explained).reduce((a, b) => a + b, 0)),
    notModelled: sum((t) => Object.values(t.notModelled).reduce((a, b) => a + b, 0)),
    differences: sum((t) => t.differences),
  };
};

/** Findings that explained something, with their text. */
export const explanationsUsed = ({ rows }: SiliconCheck): readonly (readonly [string, string])[] =>
  [...EXPLANATIONS, ...VENDOR_DIFFERENCES]
    .filter((e) => rows.some((tally) => (tally.explained[e.finding] ?? 0) > 0))
    .map((e) => [e.finding, e.why]);

/** What the opcode table leaves out, by name. */
export const NOT_IN_TABLE = 'AVX, AVX2, FMA, F16C, AVX-512 and all else behind VEX and EVEX but BMI1 and BMI2; XOP: a later step';

/** Rows with their modes, e.g. `0F 01 /0 mem sgdt M (64, 32, 16)`. */
const namesOf = (units: SiliconCheck['absent']): readonly string[] =>
  [...new Set(units.map(({ row }) => row))].map((row) => {
    const modes = units.filter((unit) => unit.row === row).map(({ mode }) => mode);
    return `${rowLabel(row)} (${modes.join(', ')})`;
  });

/** Reasons, and which rows they keep away. */
export const absentText = ({ absent }: SiliconCheck): readonly string[] =>
  [...new Set(absent.map(({ why }) => why))].flatMap((why) => {
    const units = absent.filter((unit) => unit.why === why);
    return [`${units.length} rows: ${why}`, ...namesOf(units).map((name) => `  ${name}`)];
  });

export const checkAsJson = (check: SiliconCheck): unknown => ({
  processor: check.processor,
  unavailable: check.unavailable,
  seeds: check.seeds,
  totals: totalsOf(check),
  notInTable: NOT_IN_TABLE,
  seconds: check.seconds,
  explanations: Object.fromEntries(explanationsUsed(check)),
  absent: check.absent.map(({ row, mode, why }) => ({ instruction: rowLabel(row), mode, why })),
  rows: check.rows.map((tally) => ({ instruction: nameOf(tally), ...tally })),
});

const escaped = (text: string | number): string =>
  String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] as string);

const STYLE = `body{font:14px system-ui,sans-serif;margin:2em;color-scheme:light dark}table{border-collapse:collapse}
th,td{padding:.2em .6em;border-bottom:1px solid #8884;text-align:left}td:nth-child(3),td:nth-child(4){text-align:right}
th{position:sticky;top:0;background:Canvas}tr.differs{background:#f443}code,td:first-child{font-family:ui-monospace,monospace}`;

/** A page that needs nothing else. */
export const checkAsHtml = (check: SiliconCheck): string => {
  const totals = totalsOf(check);
  const rows = check.rows.map((tally) => {
    const cells = rowOf(tally).map((cell) => `<td>${escaped(cell)}</td>`);
    return `<tr${tally.differences > 0 ? ' class="differs"' : ''}>${cells.join('')}</tr>`;
  });
  const explanations = explanationsUsed(check).map(([finding, why]) => `<li>${escaped(finding)}: ${escaped(why)}</li>`);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>x86 instructions on silicon</title><style>${STYLE}</style>
<h1>x86 instructions: model and executor against ${escaped(check.processor ?? 'no processor')}</h1>
<p>${totals.rows} rows, ${totals.cases} cases (seeds ${check.seeds.first} to ${check.seeds.last} of each row), ${totals.agreed} agreed,
${totals.explained} explained by findings, ${totals.notModelled} not modelled, ${totals.differences} unexplained.</p><ul>${explanations.join('')}</ul>
<table><thead><tr>${HEAD.map((head) => `<th>${escaped(head)}</th>`).join('')}</tr></thead><tbody>
${rows.join('\n')}
</tbody></table><h2>Not modelled</h2><p>${escaped(NOT_IN_TABLE)}</p><h2>Not tried here</h2><ul>${absentText(check)
    .map((line) => `<li>${escaped(line)}</li>`)
    .join('')}</ul></html>
`;
};
