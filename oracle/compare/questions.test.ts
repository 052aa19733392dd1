/** Engines may leave `questions` out of their reports, and the comparison is silent then: ours do not. */
import { expect, it } from 'vitest';
import { boot as bootModel } from '#model/engine.ts';
import { boot as bootExecutor } from '#oracle/executor/engine.ts';
import type { Report } from '#spec/engine.ts';
import { debian_4_17, dom0 } from '#spec/machines/debian_4_17.ts';
import { Program } from '#spec/program.ts';
import { caseOf } from '../campaign/case.ts';
import { runEngine } from '../campaign/run.ts';

/** Pins a level 2 table: its entries are asked about. */
const PINS = Program.parse({
  steps: [
    {
      id: 1,
      do: 'hypercall',
      call: 'mmuext_op',
      args: [{ structs: [{ struct: 'xen.mmuext_op', fields: { cmd: 1, arg1: { page: 0, as: 'mfn' }, arg2: 0 } }] }, 1, 0, 0x7ff0],
    },
  ],
});

it.each([
  ['model', bootModel],
  ['executor', bootExecutor],
])('the %s says of every input how often it asked whether to stop', (_, boot) => {
  const { images } = caseOf(PINS, 0);
  const engine = boot(debian_4_17([dom0('', 32)]), images);
  const reports: Report[] = [];
  runEngine({
    ...engine,
    status: () => engine.status(),
    observe: () => engine.observe(),
    apply: (input) => {
      const report = engine.apply(input);
      reports.push(report);
      return report;
    },
  });
  expect(reports.every(({ questions }) => questions !== undefined)).toBe(true);
  expect(reports.reduce((sum, { questions = 0 }) => sum + questions, 0)).toBeGreaterThan(0);
});
