/** `xenspec explain --matrix`: every hypercall and sub-operation, and what becomes of it here, by who calls. */
import { writeFileSync } from 'node:fs';
import { BadInput } from '#spec/failure.ts';
import type { Row } from '#spec/matrix/cell.ts';
import { countCells, MATRIX } from '#spec/matrix/matrix.ts';
import { CHANGES } from '#spec/releases/changes.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { clauseSections } from '../clause_index.ts';
import { onFile } from '../files.ts';
import { matrixHtml, matrixText } from '../matrix_page.ts';
import { clausesOf, operationNamed } from '../operation_clauses.ts';

/** The rows of one hypercall, or all. Throws BadInput for a word that is no hypercall. */
export const matrixRows = (call: string | undefined): readonly Row[] => {
  if (call === undefined) return MATRIX;
  const plain = call.replace(/^(?:__HYPERVISOR_|HYPERVISOR_)/, '');
  const rows = MATRIX.filter((row) => row.call === plain);
  if (rows.length === 0) throw new BadInput(`${call}: --matrix shows all hypercalls, or one by its name`);
  return rows;
};

export type MatrixOptions = { readonly json?: true; readonly html?: string; readonly xen?: XenRelease };

export type ReleaseRow = { readonly change: string; readonly clause: string; readonly says: string };

/** What a release does otherwise than the cells say, which are the reference's; of one hypercall, or of all. */
export const releaseRows = (release: XenRelease, call: string | undefined): readonly ReleaseRow[] => {
  const operation = call === undefined ? null : operationNamed(call);
  const named =
    operation &&
    clausesOf(
      operation,
      clauseSections().map(({ id }) => id),
    );
  const about = named && [...named.own, ...named.shared];
  return Object.entries(CHANGES).flatMap(([change, { clause, ways, says }]) => {
    if (ways[release] === ways[REFERENCE_RELEASE] || (about && !about.includes(clause))) return [];
    const said: Readonly<Record<string, string>> = says;
    return [{ change, clause, says: said[ways[release]]! }];
  });
};

const releaseText = (release: XenRelease, rows: readonly ReleaseRow[]): string =>
  [
    `Xen ${release} does otherwise than these cells, which are those of ${REFERENCE_RELEASE}:`,
    ...(rows.length === 0 ? ['  nothing that is known'] : rows.map(({ clause, says }) => `  ${clause}: ${says}`)),
    '',
  ].join('\n');

/** Shows the matrix on standard output, and writes the page where `html` says. Throws BadInput when it cannot. */
export const explainMatrix = (call: string | undefined, { json, html, xen = REFERENCE_RELEASE }: MatrixOptions): void => {
  const rows = matrixRows(call);
  const changed = releaseRows(xen, call);
  if (html !== undefined)
    onFile(html, () =>
      writeFileSync(html, matrixHtml(rows, xen === REFERENCE_RELEASE ? [] : releaseText(xen, changed).trim().split('\n'))),
    );
  if (json)
    process.stdout.write(
      `${JSON.stringify({ counts: countCells(rows), rows, ...(xen === REFERENCE_RELEASE ? {} : { release: xen, changed }) }, null, 2)}\n`,
    );
  else if (html === undefined) process.stdout.write(matrixText(rows) + (xen === REFERENCE_RELEASE ? '' : `\n${releaseText(xen, changed)}`));
};
