import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './sources.ts';

// `npm run build`, which `npm pack` runs first: dist/ mirrors the checkout, file for file, as JavaScript with declarations.
//
// Aliases such as `#spec/abi/errno.ts` stay as they are written. Node and TypeScript look them up in the nearest package.json,
// so dist/ has one of its own, in which the same names point to the compiled files.

const DIST = join(ROOT, 'dist');
const AREAS = ['spec', 'model', 'oracle', 'traces'] as const;

/** Data that programs read beside their code, at the same place as in the checkout. */
const DATA = [
  'spec/chapters',
  'spec/findings.md',
  'traces/conformance',
  'traces/recorded',
  'oracle/peers/silicon/helper.c',
  'oracle/peers/silicon/entry.h',
];

rmSync(DIST, { recursive: true, force: true });
compile();
for (const path of DATA) {
  if (existsSync(join(ROOT, path)))
    cpSync(join(ROOT, path), join(DIST, path), { recursive: true, filter: (file) => !/\.(?:ts|mts)$/.test(file) });
}
const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const imports = Object.fromEntries(AREAS.map((area) => [`#${area}/*.ts`, { types: `./${area}/*.d.ts`, default: `./${area}/*.js` }]));
writeFileSync(join(DIST, 'package.json'), `${JSON.stringify({ name, version, private: true, type: 'module', imports }, undefined, 2)}\n`);
makeCommand();

function compile(): void {
  const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')));
  // On standard error, because `npm pack --json` owns standard output.
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.build.json')], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

/** The command line's main file is the package's `bin`: it needs its first line and the right to run. */
function makeCommand(): void {
  const main = join(DIST, 'oracle/cli/main.js');
  if (!readFileSync(main, 'utf8').startsWith('#!/usr/bin/env node\n'))
    throw new Error('oracle/cli/main.ts must start with #!/usr/bin/env node');
  chmodSync(main, 0o755);
}
