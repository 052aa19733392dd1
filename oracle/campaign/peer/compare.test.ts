import { describe, expect, it } from 'vitest';
import { compareShown, type Witnessed } from './compare.ts';
import { hypercallsIn } from './count.ts';
import type { Shown } from './witness.ts';

const LINES = ['0.1 a rc=0', '0.2 b rc=-22', '1.1 c rc=0', '2.1 d rc=0'];
const peer = (lines: readonly string[], end: string | null = 'shutdown 0'): Witnessed => ({ lines, end, why: 'gone' });
const engine = (lines: readonly string[], end = 'shutdown 0', notModelled: string | null = null): Shown => ({
  lines,
  end,
  notModelled,
  operations: {},
});

describe('a batch of three programs', () => {
  it('agrees whole', () => {
    expect(compareShown(3, peer(LINES), engine(LINES))).toEqual({ agreed: 3, difference: null, inconclusive: null });
  });

  it('that ends early on both leaves the rest unsettled', () => {
    const some = LINES.slice(0, 3);
    expect(compareShown(3, peer(some, 'shutdown 3'), engine(some, 'shutdown 3'))).toMatchObject({ agreed: 2, difference: null });
  });

  it('differs in a line, and says in whose', () => {
    const other = [...LINES.slice(0, 2), '1.1 c rc=-1', LINES[3]!];
    expect(compareShown(3, peer(LINES), engine(other))).toEqual({
      agreed: 1,
      difference: { line: 3, peer: '1.1 c rc=0', engine: '1.1 c rc=-1' },
      inconclusive: null,
    });
  });

  it('differs in the end, and in lines that one does not have', () => {
    expect(compareShown(3, peer(LINES), engine(LINES, 'shutdown 3'))).toMatchObject({
      agreed: 2,
      difference: { peer: 'end shutdown 0', engine: 'end shutdown 3' },
    });
    expect(compareShown(3, peer(LINES), engine(LINES.slice(0, 3), 'shutdown 3'))).toMatchObject({
      agreed: 2,
      difference: { peer: '2.1 d rc=0', engine: 'end shutdown 3' },
    });
  });

  it('is inconclusive where an engine stops, and settled before', () => {
    expect(compareShown(3, peer(LINES), engine(LINES.slice(0, 2), '', 'not modelled: x'))).toEqual({
      agreed: 1,
      difference: null,
      inconclusive: 'not modelled: x',
    });
    expect(compareShown(3, peer(LINES.slice(0, 1), null), engine(LINES))).toEqual({ agreed: 0, difference: null, inconclusive: 'gone' });
  });

  it('differs even when the peer was lost later', () => {
    expect(compareShown(3, peer(LINES.slice(0, 2), null), engine(['0.1 a rc=1', ...LINES.slice(1)]))).toMatchObject({
      agreed: 0,
      difference: { line: 1 },
    });
  });
});

describe('the program of a line', () => {
  const agreed = (count: number, ours: readonly string[], theirs: readonly string[], end: string | null = 'x') =>
    compareShown(count, peer(theirs, end), engine(ours, 'x')).agreed;

  it('is the number that the line begins with, on either vCPU', () => {
    expect(agreed(20, ['0.1 a', '12.1 b'], ['0.1 a', '12.1 c'])).toBe(12);
    expect(agreed(20, ['0.1 a', '1> 12.1 b'], ['0.1 a', '1> 12.1 c'])).toBe(12);
    expect(agreed(20, ['4.1 a', 'at 12.1 b'], ['4.1 a', 'at 12.1 c'])).toBe(4);
  });

  it('is the first where no line says, and the last at most', () => {
    expect(agreed(3, ['hello'], ['bye'])).toBe(0);
    expect(agreed(3, ['7.1 a'], ['7.1 b'])).toBe(2);
    expect(agreed(3, ['7.1 a', '7.2 b'], ['7.1 a'], null)).toBe(2);
    expect(agreed(3, ['7.1 a'], ['7.1 a'])).toBe(3);
    expect(agreed(3, [], [])).toBe(1);
    expect(agreed(3, ['1.1 a'], ['1.1 a'])).toBe(2);
  });

  it('is the first where what differs stands behind an end', () => {
    expect(compareShown(3, peer(['1.1 a'], 'x'), engine(['1.1 a', 'end x'], 'y'))).toEqual({
      ...{ agreed: 0, inconclusive: null },
      difference: { line: 3, peer: '(nothing)', engine: 'end y' },
    });
    expect(compareShown(3, peer(['1.1 a', 'end x'], 'y'), engine(['1.1 a'], 'x'))).toEqual({
      ...{ agreed: 0, inconclusive: null },
      difference: { line: 3, peer: 'end y', engine: '(nothing)' },
    });
  });
});

describe('hypercalls compared', () => {
  const entry = { call: 'sched_op', args: [0, 0] } as const;
  const op = { struct: 'xen.mmuext_op', fields: { cmd: 6 } } as const;
  const program = {
    steps: [
      { id: 1, do: 'hypercall' as const, call: 'sched_op' as const, args: [0, 0] },
      { id: 2, do: 'hypercall' as const, call: 'multicall' as const, args: [{ calls: [entry, entry] }, 2] },
      { id: 3, do: 'hypercall' as const, call: 'mmuext_op' as const, args: [{ structs: [op, op, op] }, 3, 0, 0x7ff0] },
      { id: 4, do: 'calls' as const, calls: [entry, entry] },
      { id: 5, do: 'calls' as const, calls: [entry], draws: 400 },
      { id: 6, do: 'events' as const },
    ],
  };

  it('are those whose result stands in a line', () => {
    const count = (...lines: string[]) => hypercallsIn([program], lines);
    expect(count('0.1 sched_op/yield rc=0')).toBe(1);
    expect(count('0.1 sched_op/yield trap=14 rip=here')).toBe(0);
    expect(count('0.2 multicall rc=0 0.rc=0 1.rc=0')).toBe(3);
    expect(count('0.3 mmuext_op rc=0')).toBe(4);
    expect(count('0.3 mmuext_op rc=-22')).toBe(1);
    expect(count('0.4 calls rc=0,0')).toBe(2);
    expect(count('0.5 calls/drawn mix=0x1')).toBe(400);
    expect(count('0.5 calls/drawn trap=14 rip=here left=100')).toBe(300);
    expect(count('0.6 events upcall=0')).toBe(0);
  });
});
