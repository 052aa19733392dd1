/** What this installation knows of each clause: its text, the code of the model that cites it, the recordings that are evidence for it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { CLAUSES } from '#spec/clauses.ts';
import { RECORDED_FOLDER } from '../campaign/conformance.ts';

/** The checkout, or the package's dist folder, which mirrors it. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export type Section = {
  readonly id: string;
  /** File of the chapter and the heading's line in it. */
  readonly chapter: string;
  readonly line: number;
  readonly text: string;
};
export type Citation = { readonly file: string; readonly line: number };
export type Evidence = { readonly trace: string; readonly producer: string; readonly title: string };

const sectionsOf = (path: string, ids: ReadonlySet<string>): readonly Section[] => {
  const found: { id: string; line: number; text: string[] }[] = [];
  let open = false;
  for (const [i, line] of readFileSync(join(ROOT, path), 'utf8').split('\n').entries()) {
    const heading = /^#{1,6}\s+(.*?)\s*$/.exec(line)?.[1];
    if (heading === undefined) {
      if (open) found.at(-1)!.text.push(line);
      continue;
    }
    const id = heading.replaceAll('`', '');
    open = ids.has(id);
    if (open) found.push({ id, line: i + 1, text: [] });
  }
  return found.map(({ id, line, text }) => ({ id, chapter: path, line, text: text.join('\n').trim() }));
};

/** Every clause with its text, in the order in which Xen checks: the chapters'. */
export const clauseSections = (): readonly Section[] => {
  const ids: ReadonlySet<string> = new Set(Object.keys(CLAUSES));
  const folder = 'spec/chapters';
  return readdirSync(join(ROOT, folder))
    .filter((file) => file.endsWith('.md'))
    .sort()
    .flatMap((file) => sectionsOf(`${folder}/${file}`, ids));
};

/** Sources in a checkout, what was compiled from them in a package. */
const CODE = /(?<!\.test|\.d)\.(?:ts|js)$/;

const codeIn = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return codeIn(path);
    return CODE.test(entry.name) ? [path] : [];
  });

/** Where the model cites clauses. */
export const citations = (ids: ReadonlySet<string>): ReadonlyMap<string, readonly Citation[]> => {
  const found = new Map<string, Citation[]>();
  for (const path of codeIn(join(ROOT, 'model')))
    for (const [i, line] of readFileSync(path, 'utf8').split('\n').entries())
      for (const [, id] of line.matchAll(/['"`]([a-z0-9_]+\/[a-z0-9_-]+)['"`]/g)) {
        if (!ids.has(id!)) continue;
        const places = found.get(id!) ?? [];
        places.push({ file: relative(ROOT, path), line: i + 1 });
        found.set(id!, places);
      }
  return found;
};

/** Only the first line of a trace is wanted, so it is not checked whole. */
const headerOf = (path: string): { producer?: { name?: string; version?: string }; title?: string; clauses?: readonly string[] } => {
  const text = gunzipSync(readFileSync(path)).toString('utf8');
  return JSON.parse(text.slice(0, text.indexOf('\n')));
};

/** How many first letters of a trace's name say what it is about: the clause. */
const aboutIt = (id: string, trace: string): number => {
  const name = id.replace('/', '-');
  let same = 0;
  while (same < name.length && name[same] === trace[same]) same++;
  return same;
};

/** Recorded traces that are evidence, by clause; those that are named after it first. */
export const evidence = (folder = RECORDED_FOLDER): ReadonlyMap<string, readonly Evidence[]> => {
  const found = new Map<string, Evidence[]>();
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.trace.gz')) : [];
  for (const file of files.sort()) {
    const { producer, title, clauses } = headerOf(join(folder, file));
    for (const id of clauses ?? []) {
      const one = { trace: file, producer: `${producer?.name} ${producer?.version}`, title: title ?? '' };
      found.set(id, [...(found.get(id) ?? []), one]);
    }
  }
  for (const [id, shown] of found) shown.sort((a, b) => aboutIt(id, b.trace) - aboutIt(id, a.trace));
  return found;
};
