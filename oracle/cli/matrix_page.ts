/** The matrix of hypercalls for people: a text table, and the same as one HTML page that needs nothing else. */
import { CALLERS, type Caller, type Cell, type Row } from '#spec/matrix/cell.ts';
import { countCells, KINDS, kindOf, nameOf } from '#spec/matrix/matrix.ts';

const TITLE: Readonly<Record<Caller, string>> = {
  pv64_dom0: 'PV64 dom0',
  pv64_domU: 'PV64 domU',
  pv32_dom0: 'PV32 dom0',
  pv32_domU: 'PV32 domU',
};

const LEGEND = [
  'modelled: model and executor carry it out; -ERRNO: they refuse it as Xen does; (-ERRNO): Xen refuses it, a run here stops at it;',
  'not: a run stops at it, with its name. "after": what earlier checks answer, in their order.',
  "PV64: as real Xen 4.17 answers. PV32: Debian's Xen is built without it, so as Xen's public source has it.",
];

const short = (cell: Cell): string => {
  if (cell.kind === 'modelled') return 'modelled';
  if (cell.kind === 'not modelled') return 'not';
  return cell.answered ? `-${cell.errno}` : `(-${cell.errno})`;
};

/** Why, or after which other checks; empty where there is nothing to say. */
const note = (cell: Cell): string => {
  if (cell.kind === 'modelled') return '';
  if (cell.kind === 'not modelled') return cell.reason;
  const after = cell.after.length > 0 ? `after ${cell.after.join(', ')}` : '';
  return [after, cell.because ?? ''].filter(Boolean).join('; ');
};

/** What holds for a caller in every row is said once, not in each. */
const everywhere = (rows: readonly Row[], caller: Caller): string => {
  const notes = new Set(rows.map(({ cells }) => note(cells[caller])));
  return rows.length > 1 && notes.size === 1 ? [...notes][0]! : '';
};

/** The notes of a row: one for callers of whom the same is true, each with its callers where they differ. */
const notesOf = ({ cells }: Row, common: ReadonlySet<string>): string => {
  const said = CALLERS.filter((caller) => note(cells[caller]) !== '' && !common.has(note(cells[caller])));
  const texts = [...new Set(said.map((caller) => note(cells[caller])))];
  if (texts.length === 1 && new Set(CALLERS.map((caller) => note(cells[caller]))).size === 1) return texts[0]!;
  return texts.map((text) => `${callersOf(said.filter((c) => note(cells[c]) === text)).join(', ')}: ${text}`).join('; ');
};

/** A domain of either width is named once. */
const callersOf = (said: readonly Caller[]): readonly string[] =>
  (['dom0', 'domU'] as const).flatMap((domain) => {
    const widths = (['pv64', 'pv32'] as const).filter((width) => said.includes(`${width}_${domain}`));
    return widths.length === 2 ? [domain] : widths.map((width) => TITLE[`${width}_${domain}`]);
  });

type Line = { readonly cells: readonly string[]; readonly note: string };
type Page = {
  readonly counts: readonly (readonly string[])[];
  readonly common: readonly string[];
  readonly head: readonly string[];
  readonly lines: readonly Line[];
};

const pageOf = (rows: readonly Row[]): Page => {
  const counts = countCells(rows);
  const common = new Map(CALLERS.map((caller) => [caller, everywhere(rows, caller)]));
  const texts = new Set([...common.values()].filter(Boolean));
  return {
    counts: [['cells', ...KINDS], ...CALLERS.map((caller) => [TITLE[caller], ...KINDS.map((kind) => String(counts[caller][kind]))])],
    common: [...texts].map(
      (text) =>
        `${CALLERS.filter((c) => common.get(c) === text)
          .map((c) => TITLE[c])
          .join(', ')}: ${text}`,
    ),
    head: ['operation', 'number', ...CALLERS.map((caller) => TITLE[caller])],
    lines: rows.map((row) => ({
      cells: [
        nameOf(row),
        row.command === null ? String(row.number) : `${row.number}/${row.command}`,
        ...CALLERS.map((caller) => short(row.cells[caller])),
      ],
      note: notesOf(row, texts),
    })),
  };
};

const columns = (lines: readonly (readonly string[])[]): readonly string[] => {
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return lines.map((line) =>
    line
      .map((text, i) => text.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
};

export const matrixText = (rows: readonly Row[]): string => {
  const { counts, common, head, lines } = pageOf(rows);
  const body = [[...head, ''], ...lines.map(({ cells, note }) => [...cells, note])];
  return [...columns(counts), '', ...LEGEND, ...common, '', ...columns(body), ''].join('\n');
};

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (c) => ESCAPES[c]!);
const tableRow = (tag: 'td' | 'th', texts: readonly string[], classes: readonly string[] = []): string =>
  `<tr>${texts.map((text, i) => `<${tag}${classes[i] ? ` class="${classes[i]}"` : ''}>${escaped(text)}</${tag}>`).join('')}</tr>`;

const STYLE = `body{font:14px/1.4 system-ui,sans-serif;margin:2em}table{border-collapse:collapse;margin:1em 0}
th,td{border:1px solid #ccc;padding:2px 8px;text-align:left}.modelled{background:#cfc}.refused{background:#def}.refused-by-Xen{background:#ffd}`;

/** `more`: paragraphs behind the table. */
export const matrixHtml = (rows: readonly Row[], more: readonly string[] = []): string => {
  const { counts, common, head, lines } = pageOf(rows);
  const classes = rows.map(({ cells }) => ['', '', ...CALLERS.map((caller) => kindOf(cells[caller]).replaceAll(' ', '-'))]);
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><title>Hypercalls of Xen 4.17</title><style>${STYLE}</style></head><body>`,
    '<h1>Hypercalls of Xen 4.17</h1>',
    `<table>${tableRow('th', counts[0]!)}${counts
      .slice(1)
      .map((row) => tableRow('td', row))
      .join('')}</table>`,
    ...[LEGEND.join(' '), ...common].map((text) => `<p>${escaped(text)}</p>`),
    '<table>',
    tableRow('th', [...head, 'order of checks, or why']),
    ...lines.map(({ cells, note }, i) => tableRow('td', [...cells, note], classes[i])),
    '</table>',
    ...more.map((text) => `<p>${escaped(text)}</p>`),
    '</body></html>',
    '',
  ].join('\n');
};
