import { describe, expect, test } from 'vitest';
import type { Call, Program } from '#spec/program.ts';
import { OPERATIONS } from '../generators/operations/index.ts';
import { AskedRows } from './rows_asked.ts';

const programOf = (...calls: readonly Call[]): Program => ({
  steps: calls.map(({ call, args }, id) => ({ id, do: 'hypercall', call, args: [...args] })),
});
const neverAsked = (...calls: readonly Call[]): readonly string[] => {
  const rows = new AskedRows('pv64_domU');
  rows.add(programOf(...calls));
  return rows.toJSON().never;
};

describe('rows of the matrix that programs ask', () => {
  test('nobody asks at first', () => {
    const { asked, of, never } = new AskedRows('pv64_dom0').toJSON();
    expect([asked, never.length]).toEqual([0, of]);
  });

  test.each(OPERATIONS.map(({ row, call, args }) => [row, { call, args }] as const))('a right call of %s asks its row', (row, call) => {
    expect(neverAsked(call)).not.toContain(row);
  });

  test('entries of multicalls ask theirs, and unknown commands the row of all others', () => {
    const inner: Call = { call: 'event_channel_op', args: [99, 0] };
    const never = neverAsked({ call: 'multicall', args: [{ calls: [inner] }, 1] });
    expect(never).not.toContain('multicall');
    expect(never).not.toContain('event_channel_op/(any other)');
    expect(never).toContain('event_channel_op/send');
  });
});
