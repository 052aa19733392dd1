import type { Source } from './sources.ts';

interface Leak {
  readonly pattern: RegExp;
  readonly what: string;
  /** Files in which the pattern is rightful. */
  readonly except?: RegExp;
}

// Each pattern is spelled so that it does not match itself.
const LEAKS: readonly Leak[] = [
  { pattern: /(?:^|[^\w.}])\/(?:wor[k]|tm[p]|hom[e]|roo[t]|User[s])\/[\w.]/, what: "a path of one person's machine" },
  { pattern: /\b(?:TO[D]O|FIX[M]E|HA[C]K|XX[X])\b/, what: 'work left open' },
  // Nothing but a peer may be absent from a machine, and its absence shows in the report.
  { pattern: /\b(?:it|test|describe|suite)\s*\.\s*(?:ski[p]|onl[y]|tod[o]|fail[s])\b/, what: 'a test that does not run, or runs alone' },
  { pattern: /\b(?:it|test|describe|suite)\s*\.\s*(?:skipI[f]|runI[f])\b/, what: 'a test that may not run', except: /^oracle\/peers\// },
];

/** What tells of somebody's machine or of unfinished work, one line each. */
export function leaks(all: readonly Source[]): string[] {
  return all
    .filter((source) => source.path !== 'package-lock.json')
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, index) =>
          LEAKS.filter((leak) => leak.pattern.test(line) && !leak.except?.test(path)).map(
            (leak) => `${path}:${index + 1} ${leak.what}: ${line.trim()}`,
          ),
        ),
    );
}

/** What ties the lockfile to one registry, or leaves a package without version or checksum, one line each. */
export function lockfileProblems(text: string): string[] {
  const packages: Record<
    string,
    { version?: string; resolved?: string; integrity?: string; optionalDependencies?: Record<string, string> }
  > = JSON.parse(text).packages;
  const names = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)));
  return Object.entries(packages).flatMap(([path, entry]) => [
    ...(entry.resolved ? [`${path} names a host: ${entry.resolved}`] : []),
    ...(path !== '' && !entry.version ? [`${path} has no version`] : []),
    ...(path !== '' && !entry.integrity?.startsWith('sha512-') ? [`${path} has no checksum`] : []),
    ...Object.keys(entry.optionalDependencies ?? {})
      .filter((name) => !names.has(name))
      .map((name) => `${path} wants ${name}, which npm ci will miss`),
  ]);
}
