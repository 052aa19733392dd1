/** Fetches Debian's package of another release of Xen into the cache, without installing it: apt-get downloads, dpkg unpacks. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { XenRelease } from '#spec/releases/release.ts';
import { archivesOf, sourcesFor } from './apt_sources.ts';
import { cacheFolder, packageOf, VERSION_FILE } from './packages.ts';

/** Debian's suite that has the release. */
const SUITE: Readonly<Record<XenRelease, string>> = { '4.14': 'bullseye', '4.17': 'bookworm', '4.20': 'trixie' };

export type Fetched = { readonly folder: string; readonly version: string } | { readonly failed: string };

const PATIENCE_MS = 300_000;

class Refused extends Error {}

/** Runs a command; throws Refused with its last line of complaint. */
const run = (program: string, args: readonly string[], cwd: string): string => {
  try {
    return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE_MS });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    const complaint =
      (stderr ?? '')
        .trim()
        .split('\n')
        .findLast((line) => line.startsWith('E:')) ?? message.split('\n')[0]!;
    throw new Refused(`${program}: ${complaint}`);
  }
};

/** apt with sources and state of its own; the machine's lists and packages stay as they are. */
const aptOptions = (work: string): readonly string[] =>
  [
    `Dir::Etc::sourcelist=${join(work, 'sources.list')}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State=${join(work, 'state')}`,
    `Dir::State::status=${join(work, 'status')}`,
    `Dir::Cache=${join(work, 'cache')}`,
    'APT::Sandbox::User=root',
    'Acquire::Retries=2',
  ].flatMap((option) => ['-o', option]);

/** `apt`: the folder of apt's configuration. What failed is told as a value. */
export const fetchXen = (release: XenRelease, cache: string = cacheFolder(), apt = '/etc/apt'): Fetched => {
  const sources = sourcesFor(SUITE[release], archivesOf(apt));
  if (sources === null)
    return { failed: `no archive of Debian's among this machine's apt sources, from which ${packageOf(release)} could come` };
  const work = mkdtempSync(join(tmpdir(), 'xenspec-fetch-'));
  try {
    for (const folder of [join(work, 'state', 'lists', 'partial'), join(work, 'cache', 'archives', 'partial'), cache])
      mkdirSync(folder, { recursive: true });
    writeFileSync(join(work, 'sources.list'), sources);
    writeFileSync(join(work, 'status'), '');
    run('apt-get', [...aptOptions(work), 'update'], work);
    run('apt-get', [...aptOptions(work), 'download', packageOf(release)], work);
    const deb = readdirSync(work).find((file) => file.endsWith('.deb'));
    if (deb === undefined) return { failed: `apt-get brought no ${packageOf(release)}` };
    return { folder: unpack(join(work, deb), release, cache, work), version: run('dpkg-deb', ['-f', deb, 'Version'], work).trim() };
  } catch (error) {
    if (error instanceof Refused) return { failed: error.message };
    throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

/** Into the cache all at once, so that half a package is never found there. */
const unpack = (deb: string, release: XenRelease, cache: string, work: string): string => {
  const [fresh, folder] = [join(cache, `${packageOf(release)}.new`), join(cache, packageOf(release))];
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  run('dpkg-deb', ['-x', deb, fresh], work);
  writeFileSync(join(fresh, VERSION_FILE), run('dpkg-deb', ['-f', deb, 'Version'], work));
  if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
  return folder;
};
