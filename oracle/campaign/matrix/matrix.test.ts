import { describe, expect, test } from 'vitest';
import { ERRNO } from '#spec/abi/errno.ts';
import { HYPERCALL, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { hypercall, modelled, not, OTHER, op, refused, xenRefuses } from '#spec/matrix/cell.ts';
import { countCells, KINDS, MATRIX, nameOf } from '#spec/matrix/matrix.ts';
import { COMPAT_ROWS } from '#spec/matrix/pv32.ts';
import { ENGINES, loadEngine } from '../engines.ts';
import { liesOf } from './probe.ts';

/** xen.h: numbers 0 to 42 and the eight of the architecture; 43 to 47 have no name. */
const NUMBERS = Array.from({ length: 56 }, (_, number) => number);

describe('as data', () => {
  test('every number has a row, under its name', () => {
    expect([...new Set(MATRIX.map(({ number }) => number))]).toEqual(NUMBERS);
    const named: Readonly<Record<string, number>> = HYPERCALL;
    for (const { call, number } of MATRIX) expect([call, number]).toEqual([call, named[call] ?? Number(call.replace('hypercall_', ''))]);
    for (const call of Object.keys(HYPERCALL)) expect(MATRIX.some((row) => row.call === call)).toBe(true);
  });

  test('no operation has two rows', () => {
    const names = MATRIX.map(nameOf);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  test('every sub-operation of the ABI tables has its row and number', () => {
    for (const [call, subs] of Object.entries(SUBOPERATIONS))
      for (const [sub, command] of Object.entries(subs))
        expect([call, sub, MATRIX.find((row) => row.call === call && row.sub === sub)?.command]).toEqual([call, sub, command]);
  });

  test('what is otherwise for 32-bit callers is about rows that there are', () => {
    const names = MATRIX.map(nameOf);
    expect(COMPAT_ROWS.filter((name) => !names.includes(name))).toEqual([]);
  });

  test('only rows of single hypercalls and of unknown commands lack a command', () => {
    for (const { sub, command } of MATRIX) expect(command === null).toBe(sub === null || sub === OTHER);
  });

  test('every cell is of one kind', () => {
    for (const counts of Object.values(countCells())) expect(KINDS.reduce((sum, kind) => sum + counts[kind], 0)).toBe(MATRIX.length);
  });
});

describe.each(ENGINES)('the %s', (name) => {
  test.each(['pv64_dom0', 'pv64_domU', 'pv32_dom0', 'pv32_domU'] as const)(
    'does for %s what the matrix says',
    { timeout: 60_000 },
    async (caller) => {
      expect(liesOf(await loadEngine(name), MATRIX, caller)).toEqual([]);
    },
  );

  test('is asked by 32-bit guests too', async () => {
    const planted = hypercall('callback_op', 30, [op('register', 0, refused('EPERM')), op('initialise', 99, modelled)]);
    expect(liesOf(await loadEngine(name), planted, 'pv32_domU')).toEqual([
      { row: 'callback_op/register', claim: 'EPERM', outcome: { rc: 0 } },
    ]);
  });

  test('is asked: a cell that lies is found, whatever its lie', async () => {
    const planted = [
      ...hypercall('platform_op', 7, [op('enter_acpi_sleep', 51, modelled)]),
      ...hypercall('sched_op', 29, [op('yield', 0, not('planted')), op('pin_override', 7, refused('EPERM'))]),
      ...hypercall('mmuext_op', 26, [op('mark_super', 19, xenRefuses('EOPNOTSUPP')), op('unmark_super', 20, refused('EINVAL'))]),
    ];
    expect(liesOf(await loadEngine(name), planted, 'pv64_dom0')).toEqual([
      { row: 'platform_op/enter_acpi_sleep', claim: 'modelled', outcome: { stop: 'platform_op/enter_acpi_sleep' } },
      { row: 'sched_op/pin_override', claim: 'EPERM', outcome: { rc: 0 } },
      { row: 'mmuext_op/unmark_super', claim: 'EINVAL', outcome: { rc: -ERRNO.EOPNOTSUPP } },
      { row: 'sched_op/yield', claim: 'stops as sched_op/yield', outcome: { rc: 0 } },
      { row: 'mmuext_op/mark_super', claim: 'stops as mmuext_op/mark_super', outcome: { rc: -ERRNO.EOPNOTSUPP } },
    ]);
  });
});
