import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './sources.ts';

// Packs the project as `npm publish` would, unpacks it in an empty folder and uses it from there, without a network: its
// dependencies are links to those of the checkout.

const ENTRIES = ['spec', 'model', 'traces', 'oracle'] as const;
const folder = mkdtempSync(join(tmpdir(), 'xenspec-package-'));
const installed = join(folder, 'node_modules/xenspec');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
let packed: string[] = [];

/** Run a program to its end in the folder; its standard output, or an error with both outputs. */
function run(command: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
}

/** The Node that the machine itself has, if any: users of the package have no Node 24 from our dependencies. */
const systemPath = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((entry) => !entry.includes('node_modules'))
  .join(delimiter);

function link(name: string): void {
  mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name), 'junction');
}

beforeAll(() => {
  const report = JSON.parse(run('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', folder], { cwd: ROOT }));
  const { filename, files } = Array.isArray(report) ? report[0] : report[manifest.name];
  packed = files.map((file: { path: string }) => file.path);
  mkdirSync(installed, { recursive: true });
  run('tar', ['-xzf', join(folder, filename), '-C', installed, '--strip-components=1']);
  for (const name of Object.keys(manifest.dependencies)) link(name);
  for (const name of ['@types/node', 'undici-types']) link(name);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }\n');
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the packed package', () => {
  it('holds what it needs and no sources or tests', () => {
    expect(packed).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/package.json', manifest.bin.xenspec]));
    expect(packed.filter((path) => /\.test\.|(?<!\.d)\.ts$|^oracle|^spec|^model|^traces/.test(path))).toEqual([]);
  });

  it('gives its four entries to plain Node', () => {
    const names = ENTRIES.map((entry) => `Object.keys(await import('xenspec/${entry}')).length`);
    writeFileSync(join(folder, 'use.js'), `console.log(JSON.stringify([${names.join(', ')}]));\n`);
    for (const path of [process.env.PATH, systemPath]) {
      const counts: number[] = JSON.parse(run('node', ['use.js'], { env: { ...process.env, PATH: path } }));
      expect(counts.filter((count) => count > 0)).toHaveLength(ENTRIES.length);
    }
  });

  it('gives their types to a strict TypeScript project', () => {
    const uses = ENTRIES.map(
      (entry) => `import * as ${entry} from 'xenspec/${entry}';\nexport const has_${entry}: string[] = Object.keys(${entry});\n`,
    );
    writeFileSync(
      join(folder, 'use.ts'),
      `${uses.join('')}import type { ClauseId } from 'xenspec/spec';\n// @ts-expect-error\nexport const wrong: ClauseId = 'no/such_clause';\n`,
    );
    const options = { strict: true, noEmit: true, module: 'nodenext', target: 'es2024', types: ['node'], skipLibCheck: false };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['use.ts'] }));
    const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')));
    expect(run(process.execPath, [tsc, '-p', '.'])).toBe('');
  });

  it('gives the command xenspec, which answers as a link too', () => {
    mkdirSync(join(folder, 'node_modules/.bin'));
    symlinkSync(join(installed, manifest.bin.xenspec), join(folder, 'node_modules/.bin/xenspec'));
    expect(run(join(folder, 'node_modules/.bin/xenspec'), ['--version']).trim()).toBe(manifest.version);
    expect(run(join(folder, 'node_modules/.bin/xenspec'), ['--help'])).toContain('replay');
  });

  it('runs a guest, explains a clause and holds a campaign out of what it contains, on any Node', () => {
    const bin = join(installed, manifest.bin.xenspec);
    writeFileSync(
      join(folder, 'guest.js'),
      `import { writeFileSync } from 'node:fs';\nimport { buildImages, EXAMPLES } from 'xenspec/oracle';\nwriteFileSync('hello.elf', buildImages(EXAMPLES.hello)[0]);\n`,
    );
    for (const path of [process.env.PATH, systemPath]) {
      const env = { ...process.env, PATH: path };
      run('node', ['guest.js'], { env });
      expect(run('node', [bin, 'run', 'hello.elf'], { env })).toBe('hello\n0.1 console_io/write rc=0\n');
      expect(run('node', [bin, 'explain', 'EVTCHNOP_close'], { env })).toMatch(/evtchn\/close-closed\n[\s\S]*evidence: +evtchn-/);
    }
    const checked = JSON.parse(run('node', [bin, 'check', '--seeds', '1..2', '--no-traces', '--json']));
    expect(checked).toMatchObject({ verdict: 'agreed', programs: 2 });
    const recorded = packed.filter((path) => path.endsWith('.trace.gz'));
    expect(recorded.length).toBeGreaterThanOrEqual(40);
    expect(run('node', [bin, 'replay', join(installed, recorded[0]!)])).toContain('accepted');
  });
});
