import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Chapter, duplicates, readChapter } from './chapter.ts';
import { clauseTable } from './clause_table.ts';
import { withDiagrams } from './diagrams.ts';

const CHAPTERS = new URL('../../spec/chapters/', import.meta.url);
export const TABLE = new URL('../../spec/clauses.ts', import.meta.url);

/** Every chapter of the specification, by name. */
export function chapters(): Chapter[] {
  return readdirSync(CHAPTERS)
    .filter((file) => file.endsWith('.md') && file !== 'README.md')
    .sort()
    .map((file) => readChapter(file.slice(0, -'.md'.length), readFileSync(new URL(file, CHAPTERS), 'utf8')));
}

/** The files of all chapters. */
export const chapterFiles = (): URL[] =>
  readdirSync(CHAPTERS)
    .filter((file) => file.endsWith('.md'))
    .map((file) => new URL(file, CHAPTERS));

/** Draw the diagrams of the chapters anew (diagrams.ts). */
function draw(): void {
  for (const file of chapterFiles()) {
    const before = readFileSync(file, 'utf8');
    const after = withDiagrams(before);
    if (after !== before) writeFileSync(file, after);
  }
}

/** `npm run clauses`: draw the chapters' diagrams and write spec/clauses.ts anew, or say why the chapters do not allow it. */
function main(): number {
  draw();
  const all = chapters();
  const problems = [...all.flatMap((chapter) => chapter.problems), ...duplicates(all)];
  if (problems.length > 0) {
    for (const problem of problems) console.error(problem);
    return 1;
  }
  writeFileSync(TABLE, clauseTable(all));
  console.log(`spec/clauses.ts: ${all.flatMap((chapter) => chapter.clauses).length} clauses from ${all.length} chapters`);
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main();
