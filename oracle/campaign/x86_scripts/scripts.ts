/** The scripts of the processor and of the machine without Xen, as they lie in their folders. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BadInput } from '#spec/failure.ts';
import { parseX86Script, type X86Script } from '#traces/conformance_x86.ts';

export const CONFORMANCE_FOLDER = fileURLToPath(new URL('../../../traces/conformance/', import.meta.url));
/** `x86`: clauses of x86 and fp; `bare`: of bare and device. */
export const X86_FOLDERS = ['x86', 'bare'] as const;

export type NamedX86Script = { readonly name: string; readonly path: string; readonly script: X86Script };

/** All scripts, by name. Throws BadInput for one that is not valid, or when this is no checkout. */
export const readX86Scripts = (folder = CONFORMANCE_FOLDER): readonly NamedX86Script[] => {
  if (!existsSync(folder)) throw new BadInput('conformance scripts are part of a checkout, and there is none here');
  return X86_FOLDERS.filter((kind) => existsSync(join(folder, kind))).flatMap((kind) =>
    readdirSync(join(folder, kind))
      .filter((file) => file.endsWith('.json'))
      .sort()
      .map((file) => {
        const path = join(folder, kind, file);
        const name = `${kind}/${file.slice(0, -'.json'.length)}`;
        return { name, path, script: parseX86Script(readFileSync(path, 'utf8'), name) };
      }),
  );
};
