import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the repository: its path from the root, with forward slashes, and its text. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** The repository's root directory, absolute. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const NOT_OURS = new Set(['.git', 'node_modules', 'dist', 'coverage', 'counterexamples']);
const TEXT = /(?:\.(?:ts|mjs|md|json|yml|yaml|c|h|lds|S|html|css)|^\.[a-z0-9]+(?:rc|ignore)?|run|LICENSE)$/;

/** Every text file that belongs to the repository, whether committed yet or not; recorded traces are data, not text. */
export function sources(root: string = ROOT): Source[] {
  return readdirSync(root, { recursive: false, withFileTypes: true })
    .filter((entry) => !NOT_OURS.has(entry.name))
    .flatMap((entry) => (entry.isDirectory() ? walk(join(root, entry.name)) : entry.isFile() ? [join(root, entry.name)] : []))
    .filter((path) => TEXT.test(path.split(sep).at(-1) ?? ''))
    .map((path) => ({ path: relative(root, path).split(sep).join('/'), text: readFileSync(path, 'utf8') }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function walk(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => !NOT_OURS.has(entry.name))
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory() ? walk(path) : entry.isFile() ? [path] : [];
    });
}

export const isTypeScript = (source: Source): boolean => source.path.endsWith('.ts');
export const isTest = (source: Source): boolean => source.path.endsWith('.test.ts');
