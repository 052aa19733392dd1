/** The check of system-level behaviour as tables: text for people, JSON for programs, HTML for both. */
import { PRIVILEGED_CELLS } from '../../generators/system/system_case.ts';
import { rowLabel } from '../isa/row_label.ts';
import type { SystemCheck } from './check.ts';
import { EXPLANATIONS, REPAIRS } from './findings.ts';
import type { SystemTally } from './tally.ts';

export const SYSTEM_HEAD = [
  'instruction',
  'mode',
  'ring',
  'cases',
  'agreed',
  'but for findings',
  'first difference, findings, what is lacking',
] as const;

const counted = (counts: Readonly<Record<string, number>>): readonly string[] => Object.entries(counts).map(([what, n]) => `${what}: ${n}`);

const said = ({ first, explained, lacking }: SystemTally): string =>
  [
    ...(first === null ? [] : [`${first.engine}, seed ${first.seed}, ${first.note} (${first.code}): ${first.what}`]),
    ...counted(explained),
    ...counted(lacking),
  ].join('; ');

export const systemRow = (t: SystemTally): readonly (string | number)[] => [
  rowLabel(t.row),
  t.mode,
  t.ring,
  t.cases,
  t.agreed,
  t.butFor,
  said(t),
];

const total = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

export type SystemTotals = {
  readonly rows: number;
  readonly cases: number;
  readonly agreed: number;
  /** All fields agreed but single words that findings explain. */
  readonly butFor: number;
  /** The case went another way, as a finding says. */
  readonly explained: number;
  readonly lacking: number;
  readonly differences: number;
};

export const systemTotals = ({ rows }: SystemCheck): SystemTotals => {
  const sum = (of: (t: SystemTally) => number): number => rows.reduce((all, t) => all + of(t), 0);
  const [cases, agreed, butFor, lacking] = [sum((t) => t.cases), sum((t) => t.agreed), sum((t) => t.butFor), sum((t) => total(t.lacking))];
  const differences = sum((t) => t.differences);
  return { rows: rows.length, cases, agreed, butFor, explained: cases - agreed - butFor - lacking - differences, lacking, differences };
};

export type Shares = {
  /** Privileged rows by mode and ring: those that cases are made of, and those that had one. */
  readonly cells: number;
  readonly tried: number;
  /** Cases of the cell that had the fewest, and of the one in the middle. */
  readonly fewest: number;
  readonly median: number;
};

export const privilegedShares = ({ rows }: SystemCheck): Shares => {
  const cases = new Map(rows.map((t) => [`${t.row} ${t.mode} ${t.ring}`, t.cases]));
  const shares = PRIVILEGED_CELLS.map(({ row, mode, ring }) => cases.get(`${row} ${mode} ${ring}`) ?? 0).sort((a, b) => a - b);
  return { cells: shares.length, tried: shares.filter((n) => n > 0).length, fewest: shares[0], median: shares[shares.length >> 1] };
};

export const sharesText = ({ cells, tried, fewest, median }: Shares): string =>
  `${tried} of ${cells} tried; cases of each: ${fewest} at least, ${median} in the middle`;

/** Findings that explained something: how often, and their text. */
export const findingsUsed = ({
  rows,
}: SystemCheck): readonly { readonly finding: string; readonly cases: number; readonly why: string }[] => {
  const reasons = Map.groupBy([...REPAIRS, ...EXPLANATIONS], ({ finding }) => finding);
  const counts = new Map<string, number>();
  for (const { explained } of rows)
    for (const [finding, n] of Object.entries(explained)) counts.set(finding, (counts.get(finding) ?? 0) + n);
  return [...counts]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([finding, cases]) => ({ finding, cases, why: (reasons.get(finding) ?? []).map((r) => r.why).join('\n') }));
};

export const systemJson = (check: SystemCheck): unknown => ({
  ...check,
  totals: systemTotals(check),
  privileged: privilegedShares(check),
  findings: findingsUsed(check),
  rows: check.rows.map((t) => ({ instruction: rowLabel(t.row), ...t })),
});

const escaped = (text: string | number): string =>
  String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] as string);

const STYLE = `body{font:14px system-ui,sans-serif;margin:2em;color-scheme:light dark}table{border-collapse:collapse}
th,td{padding:.2em .6em;border-bottom:1px solid #8884;text-align:left}td:nth-child(4),td:nth-child(5),td:nth-child(6){text-align:right}
th{position:sticky;top:0;background:Canvas}tr.differs{background:#f443}td:first-child{font-family:ui-monospace,monospace}`;

/** A page that needs nothing else. */
export const systemHtml = (check: SystemCheck): string => {
  const t = systemTotals(check);
  const rows = check.rows.map(
    (tally) =>
      `<tr${tally.differences > 0 ? ' class="differs"' : ''}>${systemRow(tally)
        .map((cell) => `<td>${escaped(cell)}</td>`)
        .join('')}</tr>`,
  );
  const findings = findingsUsed(check).map(
    ({ finding, cases, why }) => `<li>${finding} (${cases} cases): ${escaped(why).replaceAll('\n', '<br>')}</li>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>x86 system level</title><style>${STYLE}</style>
<h1>x86 system level: model and executor against ${escaped(check.peer)}</h1>
<p>${t.rows} rows by mode and ring, ${t.cases} cases (seeds ${check.seeds.first} to ${check.seeds.last}), ${t.agreed} agreed, ${t.butFor} agreed but for single
words that findings explain, ${t.explained} went another way as findings say, ${t.lacking} for which something is lacking, ${t.differences} unexplained.</p>
<p>Privileged rows by mode and ring: ${sharesText(privilegedShares(check))}.</p><ul>${findings.join('')}</ul>
<table><thead><tr>${SYSTEM_HEAD.map((head) => `<th>${head}</th>`).join('')}</tr></thead><tbody>
${rows.join('\n')}
</tbody></table></html>
`;
};
