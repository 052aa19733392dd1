import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { planDomain as planModel } from '#model/domain/build.ts';
import { boot as model } from '#model/engine.ts';
import { boot as executor } from '#oracle/executor/engine.ts';
import { planDomain as planExecutor } from '#oracle/executor/hypervisor/domain_builder/build.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import { lockstep } from '../compare/lockstep.ts';
import { damage } from '../hygiene/hostile.ts';
import { EXIT } from './exit_code.ts';
import { reportFailure } from './failure.ts';
import { smallMachine } from './testing/machine.ts';
import { IMAGES } from './testing/variants.ts';

const config = smallMachine();
const originals = Object.values(IMAGES);
const imageOf = (seed: number): Uint8Array => damage(originals[seed % originals.length]!, seed);

const said: string[] = [];
const stderr = vi.spyOn(process.stderr, 'write');
beforeAll(() => {
  stderr.mockImplementation((text) => said.push(String(text)) > 0);
});
afterAll(() => stderr.mockRestore());

/** How the command line would end, and what it would say. */
const verdictOf = (action: () => unknown): string => {
  try {
    action();
    return 'boots';
  } catch (error) {
    said.length = 0;
    const code = reportFailure(error);
    const known = (error instanceof BadInput && code === EXIT.badInput) || (error instanceof NotModelled && code === EXIT.notModelled);
    if (!known || said.length !== 1 || !/^xenspec: [^\n]+\n$/.test(said[0]!)) return `ended with ${code}: ${said.join('')}`;
    return error instanceof NotModelled ? error.message : 'refused';
  }
};

test('the whole images boot on both machines and run alike', () => {
  for (const [name, image] of Object.entries(IMAGES)) {
    const verdict = lockstep({ reference: model, subject: executor }, { config, images: [image] }, { limit: 2_000_000 });
    expect([name, verdict]).toMatchObject([name, { agree: true, agreement: { finish: 'halted', halted: 0 } }]);
  }
});

test('10,000 damaged images are refused in one line or accepted, by both builders alike', () => {
  const [domain] = config.domains as [(typeof config.domains)[number]];
  const counts = new Map<string, number>();
  const strange: string[] = [];
  for (let seed = 1; seed <= 10_000; seed++) {
    const image = imageOf(seed);
    const verdict = verdictOf(() => planModel(domain, image));
    const other = verdictOf(() => planExecutor(domain, image));
    if (verdict !== other || verdict.startsWith('ended')) strange.push(`image ${seed}: ${verdict} / ${other}`);
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  }
  expect(strange).toEqual([]);
  // The damage neither spares all files nor breaks them all.
  expect(counts.get('refused')).toBeGreaterThan(1000);
  expect(counts.get('boots')).toBeGreaterThan(1000);
});

test('those that boot run alike on both machines, whatever became of their code', () => {
  const strange: string[] = [];
  const finishes = new Set<string>();
  for (let seed = 1; seed <= 400; seed++) {
    const image = imageOf(seed);
    const verdict = verdictOf(() => model(config, [image]));
    expect(verdictOf(() => executor(config, [image]))).toBe(verdict);
    if (verdict !== 'boots') continue;
    const run = lockstep({ reference: model, subject: executor }, { config, images: [image] }, { limit: 2000 });
    if (run.agree) finishes.add(`${run.agreement.finish} ${run.agreement.halted ?? ''}`);
    else strange.push(`image ${seed}: ${JSON.stringify(run.divergence.difference)}`);
  }
  expect(strange).toEqual([]);
  expect(finishes.size).toBeGreaterThan(2);
});
