import { MATRIX, nameOf } from '#spec/matrix/matrix.ts';
import { CLAUSE_ID } from './chapter.ts';
import { tokens } from './lexer.ts';
import { isTest, isTypeScript, type Source } from './sources.ts';

/** A string literal in code that has the form of a clause id. */
interface Citation {
  readonly id: string;
  readonly path: string;
  readonly line: number;
}

// What is not modelled is named in the same form ("grant_table_op/copy") and is no clause; nor is a row of the matrix.
const NAMES_WHAT_IS_NOT_MODELLED = /not_?modelled\w*\s*\(\s*(?:\w+\s*,\s*)*$/i;
const THE_TABLE_ITSELF = 'spec/clauses.ts';
const ROWS: ReadonlySet<string> = new Set(MATRIX.map(nameOf));

function citations(source: Source): Citation[] {
  const found: Citation[] = [];
  let before = '';
  for (const token of tokens(source.text)) {
    if (token.kind === 'string' && CLAUSE_ID.test(token.value) && !NAMES_WHAT_IS_NOT_MODELLED.test(before)) {
      found.push({ id: token.value, path: source.path, line: token.line });
    }
    if (token.kind !== 'comment') before = token.kind === 'code' ? token.value : '';
  }
  return found;
}

/** Orphans on either side, one line each: clauses that no code of the model cites, and citations of clauses that no chapter has.
 *
 * A literal counts as a citation when its family, the part before the slash, is one that the chapters use.
 */
export function orphans(ids: Iterable<string>, all: readonly Source[]): string[] {
  const known = new Set(ids);
  const families = new Set([...known].map((id) => id.slice(0, id.indexOf('/'))));
  const cited = all.filter((source) => isTypeScript(source) && source.path !== THE_TABLE_ITSELF).flatMap(citations);
  const inTheModel = new Set(cited.filter(({ path }) => path.startsWith('model/') && !isTest({ path, text: '' })).map(({ id }) => id));
  return [
    ...[...known].filter((id) => !inTheModel.has(id)).map((id) => `no code of the model cites ${id}`),
    ...cited
      .filter(({ id, path }) => !(ROWS.has(id) && !path.startsWith('model/')))
      .filter(({ id }) => !known.has(id) && families.has(id.slice(0, id.indexOf('/'))))
      .map(({ id, path, line }) => `${path}:${line} cites ${id}, which no chapter has`),
  ];
}
