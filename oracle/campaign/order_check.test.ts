import { expect, test } from 'vitest';
import { MATRIX, nameOf } from '#spec/matrix/matrix.ts';
import { OPERATIONS } from '../generators/operations/index.ts';
import { ENGINES } from './engines.ts';
import { checkOrder, type OrderRow } from './order_check.ts';
import { engineRecorder } from './recorder.ts';

const engines = Object.fromEntries(await Promise.all(ENGINES.map(async (name) => [name, await engineRecorder(name, 'test')] as const)));
const rowOf = (rows: readonly OrderRow[], name: string): OrderRow => rows.find(({ operation }) => operation === name)!;

test.each([
  ['pv64_dom0', 0],
  ['pv64_domU', 1],
] as const)('calls of %s that are wrong in two ways are answered alike by both engines', { timeout: 60_000 }, async (caller, domain) => {
  const { rows, inconclusive } = await checkOrder(caller, engines, { domain });
  expect(inconclusive).toEqual([]);
  expect(rows.flatMap(({ operation, differences }) => differences.map((d) => ({ operation, ...d })))).toEqual([]);
  expect(rows.length).toBeGreaterThan(270);
  expect(rows.reduce((sum, { pairs }) => sum + pairs, 0)).toBeGreaterThan(8500);
  // The vCPU's number is looked at before the command, and that before the argument.
  const { order, decided, pairs } = rowOf(rows, 'vcpu_op/set_periodic_timer');
  expect(order).toEqual(['vcpu', 'command', 'period_ns', 'argument 2']);
  expect([decided, pairs]).toEqual([29, 29]);
});

test('a part of the operations can be asked for', async () => {
  const { rows } = await checkOrder('pv64_dom0', engines, { operations: 'sched_op/' });
  expect(rows.map(({ operation }) => operation.split('/')[0])).toEqual(rows.map(() => 'sched_op'));
});

test('every operation has its row in the matrix, and no row has two', () => {
  const names = MATRIX.map(nameOf);
  for (const { row } of OPERATIONS) expect(names.some((name) => name === row || name.startsWith(`${row}/`))).toBe(true);
  expect(new Set(OPERATIONS.map(({ row }) => row)).size).toBe(OPERATIONS.length);
});
