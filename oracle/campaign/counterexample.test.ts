import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../cli/exit_code.ts';
import { type Bytes, start, startAll } from '../cli/testing/cli.ts';

const MUTANT = 'executor-close';
/** Channels are closed one by one, all at once, or because their domain ends. */
const CLAUSES = / {2}clauses: +.*(?:evtchn\w*\/|domctl\/destroydomain-channels)/;
const found = mkdtempSync(join(tmpdir(), 'xenspec-counterexample-'));
afterAll(() => rmSync(found, { recursive: true, force: true }));

let check: Bytes;
let folder: string;
/** Command lines of the README, without `xenspec`. */
let commands: readonly (readonly string[])[];

beforeAll(async () => {
  check = await start(['check', '--mutant', MUTANT, '--programs', '2000', '--no-traces', '--out', found]);
  const [name] = readdirSync(found);
  // It must need nothing but itself: it is looked at from another place.
  folder = join(found, 'moved');
  cpSync(join(found, name!), folder, { recursive: true });
  const readme = readFileSync(join(folder, 'README.txt'), 'utf8');
  commands = [...readme.matchAll(/^ {2}xenspec (.*)$/gm)].map(([, line]) => line!.split(' '));
}, 120_000);

/** The README's commands that begin so, run in the folder. */
const run = (...words: readonly string[]): Promise<readonly Bytes[]> => {
  const chosen = commands.filter((command) => words.every((word) => command.includes(word)));
  expect(chosen).not.toEqual([]);
  return startAll(chosen, { cwd: folder });
};

describe('a bug planted in the executor', () => {
  test('is found, explained, and kept in a folder', () => {
    expect(check.code).toBe(EXIT.divergence);
    expect(check.stdout.toString()).toMatch(/observation differs at memory\[.*\n.*\n.*\n {2}clauses: /);
    expect(check.stdout.toString()).toMatch(CLAUSES);
    expect(readdirSync(folder).sort()).toEqual(
      expect.arrayContaining([
        'README.txt',
        'd0.elf',
        'divergence.json',
        'expected.json',
        'machine.json',
        'original.json',
        'program.json',
        'seen.json',
      ]),
    );
    const program = JSON.parse(readFileSync(join(folder, 'program.json'), 'utf8'));
    expect(program.steps.length).toBeLessThanOrEqual(5);
  });

  test('its regression trace is rejected by the broken executor', async () => {
    const [replay] = await run('replay', 'regression-executor.trace.gz', '--mutant');
    expect([replay!.code, replay!.stdout.toString()]).toEqual([EXIT.divergence, expect.stringContaining('memory differs')]);
  });

  test('and accepted by the whole one, and by the model', async () => {
    const { code } = await start(['replay', 'regression-executor.trace.gz'], { cwd: folder });
    expect(code).toBe(EXIT.ok);
  });

  test('what the broken executor did is rejected by the model', async () => {
    const [replay] = await run('replay', 'regression-model.trace.gz');
    expect([replay!.code, replay!.stdout.toString()]).toEqual([EXIT.divergence, expect.stringMatching(CLAUSES)]);
  });

  test('the shrunk program runs on both machines', async () => {
    const [model, executor] = await run('run');
    expect([model!.code, executor!.code]).toEqual([EXIT.ok, EXIT.ok]);
    expect(model!.stdout.toString()).toMatch(/^0\.\d+ /);
    expect(executor!.stdout).toEqual(model!.stdout);
  });

  test('the seed leads to the same difference again, and the clause is explained', async () => {
    const [again] = await run('check');
    expect(again!.code).toBe(EXIT.divergence);
    const [name] = readdirSync(join(folder, 'again'));
    for (const file of ['program.json', 'divergence.json'])
      expect(readFileSync(join(folder, 'again', name!, file))).toEqual(readFileSync(join(folder, file)));
    const [explained] = await run('explain');
    expect([explained!.code, explained!.stdout.toString()]).toEqual([EXIT.ok, expect.stringContaining('spec/chapters/')]);
  });
});
