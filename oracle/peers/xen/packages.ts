/** Finds Debian's Xen and QEMU: Xen by the package manager, QEMU on the PATH. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export const XEN_PACKAGE = 'xen-hypervisor-4.17-amd64';
export const QEMU_PACKAGE = 'qemu-system-x86';
export const QEMU_PROGRAM = 'qemu-system-x86_64';

export type Found = {
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

/** Where Xen and QEMU are, or one line that says what is missing. */
export const findPackages = (path: string = process.env.PATH ?? '', query: Ask = ask): Found | Missing => {
  const qemu = onPath(QEMU_PROGRAM, path);
  const xenVersion = packageVersion(XEN_PACKAGE, query);
  const hypervisor = query('dpkg', ['-L', XEN_PACKAGE])
    ?.split('\n')
    .find((file) => /amd64\.gz$/.test(file));
  const absent = [...(xenVersion !== null && hypervisor ? [] : [XEN_PACKAGE]), ...(qemu ? [] : [QEMU_PACKAGE])];
  if (absent.length > 0 || !qemu || !hypervisor || xenVersion === null)
    return { missing: `not installed: ${absent.join(', ')} (Debian 12: apt-get install --no-install-recommends ${absent.join(' ')})` };
  const said = /version (\S+)/.exec(query(qemu, ['--version']) ?? '')?.[1] ?? 'unknown';
  return { hypervisor, qemu, xenVersion, qemuVersion: packageVersion(QEMU_PACKAGE, query) ?? said };
};
