/** `xenspec explain --matrix`: every hypercall and sub-operation, and what becomes of it here, by who calls. */
import { writeFileSync } from 'node:fs';
import { BadInput } from '#spec/failure.ts';
import type { Row } from '#spec/matrix/cell.ts';
import { countCells, MATRIX } from '#spec/matrix/matrix.ts';
import { onFile } from '../files.ts';
import { matrixHtml, matrixText } from '../matrix_page.ts';

/** The rows of one hypercall, or all. Throws BadInput for a word that is no hypercall. */
export const matrixRows = (call: string | undefined): readonly Row[] => {
  if (call === undefined) return MATRIX;
  const plain = call.replace(/^(?:__HYPERVISOR_|HYPERVISOR_)/, '');
  const rows = MATRIX.filter((row) => row.call === plain);
  if (rows.length === 0) throw new BadInput(`${call}: --matrix shows all hypercalls, or one by its name`);
  return rows;
};

export type MatrixOptions = { readonly json?: true; readonly html?: string };

/** Shows the matrix on standard output, and writes the page where `html` says. Throws BadInput when it cannot. */
export const explainMatrix = (call: string | undefined, { json, html }: MatrixOptions): void => {
  const rows = matrixRows(call);
  if (html !== undefined) onFile(html, () => writeFileSync(html, matrixHtml(rows)));
  if (json) process.stdout.write(`${JSON.stringify({ counts: countCells(rows), rows }, null, 2)}\n`);
  else if (html === undefined) process.stdout.write(matrixText(rows));
};
