/** What no recording shows, for a guest must not see it: clauses about long calls that stop. Recorded scripts come to them when Xen is made to stop. */
import { expect, test } from 'vitest';
import type { Boot } from '#spec/engine.ts';
import { WITHOUT_SCRIPT } from './clauses_without_script.ts';
import { readScripts } from './conformance.ts';
import { loadEngine } from './engines.ts';
import { checkPreemption } from './preemption.ts';

/** Each is stopped at every question, and at a few alone. */
const SCRIPTS: readonly string[] = [
  'memory_op-exchange',
  'page_type-tree',
  'stopped-calls',
  'two_domains-destroy',
  'two_domains-frames_many',
];
const SINGLE = 4;

const model = await loadEngine('model');
const executor = await loadEngine('executor');

/** The model, with what it cites kept. */
const citingInto =
  (cited: Set<string>): Boot =>
  (config, images) => {
    const engine = model(config, images);
    return new Proxy(engine, {
      get: (target, key) => {
        const own = Reflect.get(target, key, target);
        if (key !== 'apply') return typeof own === 'function' ? own.bind(target) : own;
        return (...[input]: Parameters<typeof engine.apply>) => {
          const report = target.apply(input);
          for (const clause of report.clauses ?? []) cited.add(clause);
          return report;
        };
      },
    });
  };

test('scripts whose long calls are stopped end alike, and come to every clause that is excused for that', { timeout: 60_000 }, () => {
  const cited = new Set<string>();
  const pair = { reference: citingInto(cited), subject: executor };
  const scripts = readScripts().filter(({ name }) => SCRIPTS.includes(name));
  expect(scripts.map(({ name }) => name)).toEqual(SCRIPTS);
  for (const { name, script } of scripts)
    expect({ name, ...checkPreemption(pair, script.program, SINGLE) }).toMatchObject({ name, finish: 'halted', parted: [] });
  const here = 'oracle/campaign/preempted_clauses.test.ts';
  const excused = WITHOUT_SCRIPT.filter(({ tests = [] }) => tests.includes(here)).flatMap(({ clauses = [] }) => clauses);
  expect(excused.length).toBeGreaterThan(10);
  expect(excused.filter((clause) => !cited.has(clause))).toEqual([]);
});
