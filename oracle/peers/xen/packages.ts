/** Finds Debian's Xen and QEMU: Xen by the package manager or in the cache of fetched packages, QEMU on the PATH. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';

export const QEMU_PACKAGE = 'qemu-system-x86';
export const QEMU_PROGRAM = 'qemu-system-x86_64';

export const packageOf = (release: XenRelease): string => `xen-hypervisor-${release}-amd64`;

export type Found = {
  readonly release: XenRelease;
  /** The hypervisor, gzip-compressed. */
  readonly hypervisor: string;
  readonly qemu: string;
  readonly xenVersion: string;
  readonly qemuVersion: string;
};
export type Missing = { readonly missing: string };

/** Standard output of a command, null when it fails or does not exist. */
export type Ask = (program: string, args: readonly string[]) => string | null;

const ask: Ask = (program, args) => {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 });
  } catch {
    return null;
  }
};

/** Version of an installed package; null when dpkg is absent, or the package is not installed whole. */
export const packageVersion = (name: string, query: Ask = ask): string | null =>
  /^install ok installed (\S+)$/.exec(query('dpkg-query', ['-W', '-f=${Status} ${Version}', name])?.trim() ?? '')?.[1] ?? null;

const onPath = (program: string, path: string): string | null => {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  return null;
};

/** Names the folder where fetched packages lie, in place of the user's cache. */
export const CACHE_VARIABLE = 'XENSPEC_CACHE';
/** A package in the cache: a folder named after it, with its files, and its version in a file beside them. */
export const VERSION_FILE = 'version';

export const cacheFolder = (environment: NodeJS.ProcessEnv = process.env): string =>
  environment[CACHE_VARIABLE] ?? join(environment.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'xenspec');

type Hypervisor = { readonly hypervisor: string; readonly xenVersion: string };

const installed = (release: XenRelease, query: Ask): Hypervisor | null => {
  const xenVersion = packageVersion(packageOf(release), query);
  const hypervisor = query('dpkg', ['-L', packageOf(release)])
    ?.split('\n')
    .find((file) => /^\/boot\/.*amd64\.gz$/.test(file));
  return xenVersion !== null && hypervisor ? { hypervisor, xenVersion } : null;
};

const fetched = (release: XenRelease, cache: string): Hypervisor | null => {
  const folder = join(cache, packageOf(release));
  const [hypervisor, version] = [join(folder, 'boot', `xen-${release}-amd64.gz`), join(folder, VERSION_FILE)];
  return existsSync(hypervisor) && existsSync(version) ? { hypervisor, xenVersion: readFileSync(version, 'utf8').trim() } : null;
};

/** How one gets what is missing. */
const remedy = (release: XenRelease, absent: readonly string[]): string => {
  const packages = absent.filter((name) => release === REFERENCE_RELEASE || name !== packageOf(release));
  return [
    ...(packages.length > 0 ? [`Debian 12: apt-get install --no-install-recommends ${packages.join(' ')}`] : []),
    ...(packages.length < absent.length ? [`xenspec peers --fetch-xen ${release}`] : []),
  ].join('; ');
};

/** Where Xen of a release and QEMU are, or one line that says what is missing. */
export const findPackages = (
  release: XenRelease = REFERENCE_RELEASE,
  path: string = process.env.PATH ?? '',
  query: Ask = ask,
  cache: string = cacheFolder(),
): Found | Missing => {
  const qemu = onPath(QEMU_PROGRAM, path);
  const xen = installed(release, query) ?? fetched(release, cache);
  const absent = [...(xen ? [] : [packageOf(release)]), ...(qemu ? [] : [QEMU_PACKAGE])];
  if (!qemu || !xen) return { missing: `not installed: ${absent.join(', ')} (${remedy(release, absent)})` };
  const said = /version (\S+)/.exec(query(qemu, ['--version']) ?? '')?.[1] ?? 'unknown';
  return { release, ...xen, qemu, qemuVersion: packageVersion(QEMU_PACKAGE, query) ?? said };
};
