/** Where this machine's apt fetches Debian's packages from, so that another suite can be fetched from the same place. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** An archive: its address, the suites named for it, and the keyring that it must be signed with, where one is named. */
export type Archive = { readonly uri: string; readonly suites: readonly string[]; readonly signedBy: string | null };

/** Archives in the one-line format: `deb [options] uri suite component…`. */
export const archivesInList = (text: string): readonly Archive[] =>
  text.split('\n').flatMap((line) => {
    const found = /^deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)/.exec(line.trim());
    if (!found) return [];
    const [, options = '', uri, suite] = found as unknown as [string, string | undefined, string, string];
    return [{ uri, suites: [suite], signedBy: /signed-by=(\S+)/.exec(options)?.[1] ?? null }];
  });

/** Archives in the format of stanzas: `Types`, `URIs`, `Suites`, `Signed-By`. */
export const archivesInStanzas = (text: string): readonly Archive[] =>
  text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)$`, 'mi').exec(stanza)?.[1]?.trim() ?? '';
    const disabled = /^no$/i.test(field('Enabled'));
    if (disabled || !field('Types').split(/\s+/).includes('deb')) return [];
    const suites = field('Suites').split(/\s+/);
    return field('URIs')
      .split(/\s+/)
      .filter((uri) => uri !== '')
      .map((uri) => ({ uri, suites, signedBy: field('Signed-By') || null }));
  });

/** All archives of a folder such as `/etc/apt`. */
export const archivesOf = (folder: string): readonly Archive[] => {
  const parts = join(folder, 'sources.list.d');
  const files = [
    join(folder, 'sources.list'),
    ...(existsSync(parts)
      ? readdirSync(parts)
          .sort()
          .map((file) => join(parts, file))
      : []),
  ];
  return files.flatMap((file) => {
    if (!existsSync(file)) return [];
    if (file.endsWith('.list')) return archivesInList(readFileSync(file, 'utf8'));
    return file.endsWith('.sources') ? archivesInStanzas(readFileSync(file, 'utf8')) : [];
  });
};

const SUITE = /^(?:bullseye|bookworm|trixie|forky|stable|oldstable|testing)$/;
const SECURITY = /^(?:bullseye|bookworm|trixie|forky|stable|oldstable|testing)-security$/;

/** A sources.list for one suite of Debian with its security updates, from where this machine fetches its own; null when it fetches none. */
export const sourcesFor = (suite: string, archives: readonly Archive[]): string | null => {
  const line = (pattern: RegExp, name: string): readonly string[] => {
    const archive = archives.find(({ suites }) => suites.some((one) => pattern.test(one)));
    if (!archive) return [];
    return [`deb ${archive.signedBy === null ? '' : `[signed-by=${archive.signedBy}] `}${archive.uri} ${name} main`];
  };
  const lines = [...line(SUITE, suite), ...line(SECURITY, `${suite}-security`)];
  return lines.length === 0 ? null : `${lines.join('\n')}\n`;
};
