/** The comparison is what everything else rests on: each field of a result, changed in one bit, must be noticed. */
import { describe, expect, it } from 'vitest';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import type { InstructionCase } from '../../image/instruction/case.ts';
import type { SiliconResult } from '../../peers/silicon/format.ts';
import { difference } from './compare.ts';
import { flagBits, type Mask, maskOf } from './mask.ts';
import type { EngineResult } from './window_state.ts';

const rowOf = (mnemonic: string, operands = ''): number =>
  OPCODES.findIndex((row) => row.mnemonic === mnemonic && row.operands.join(',').startsWith(operands));

const caseOf = (row: number, change: Partial<InstructionCase> = {}): InstructionCase => ({
  row,
  mode: '64',
  seed: 1,
  way: 'step',
  size: 4,
  destination: 0,
  form: '',
  code: Uint8Array.of(0x90),
  rip: 0x20000000,
  segments: null,
  regs: new BigUint64Array(16),
  flags: 0x202,
  fsBase: 0n,
  gsBase: 0n,
  fx: null,
  memory: null,
  pokes: [],
  selectors: [],
  ...change,
});

const NONE: Mask = { flags: 0, letters: '', destination: false };

const silicon = (change: Partial<SiliconResult> = {}): SiliconResult => ({
  end: 'step',
  vector: 1,
  error: 0,
  address: 0n,
  regs: new BigUint64Array(16),
  rip: 0x20000003n,
  flags: 0x302,
  fsBase: 0n,
  gsBase: 0n,
  fx: null,
  selectors: Uint16Array.of(0, 0x33, 0x2b, 0, 0, 0),
  changes: [{ at: 0x10000000, bytes: Uint8Array.of(1, 2) }],
  ...change,
});

const engine = (change: Partial<EngineResult> = {}): EngineResult => {
  const { selectors, fx, ...same } = silicon();
  return { ...same, fx: null, selectors: [0, 0xe033, 0x2b, 0, 0, 0], what: '', ...change };
};

const judge = (seen: SiliconResult, told: EngineResult, mask = NONE, c = caseOf(rowOf('add'))) => difference(c, seen, told, mask);

describe('two results', () => {
  it('agree when they are the same', () => {
    expect(judge(silicon(), engine())).toBeNull();
  });

  it.each([
    ['end', { end: 'done' }],
    ['rip', { rip: 0x20000004n }],
    ['rflags', { flags: 0x303 }],
    ['fs base', { fsBase: 1n }],
    ['gs base', { gsBase: 1n }],
    ['ds', { selectors: [0, 0xe033, 0x2b, 8, 0, 0] }],
    ['ss', { selectors: [0, 0xe033, 0x33, 0, 0, 0] }],
    ['memory', { changes: [] }],
    ['memory', { changes: [{ at: 0x10000000, bytes: Uint8Array.of(1, 3) }] }],
    ['memory', { changes: [{ at: 0x10000001, bytes: Uint8Array.of(1, 2) }] }],
  ] as const)('differ in %s', (what, change) => {
    expect(judge(silicon(), engine(change as Partial<EngineResult>))).toMatch(new RegExp(`^${what} `));
  });

  it('differ in each bit of each register', () => {
    for (let r = 0; r < 16; r++)
      for (const bit of [0n, 31n, 32n, 63n])
        expect(judge(silicon(), engine({ regs: new BigUint64Array(16).fill(1n << bit, r, r + 1) }))).not.toBeNull();
  });

  it('differ in vector, error code and address of a fault', () => {
    const fault = { end: 'fault', vector: 14, error: 4, address: 0x1000n } as const;
    expect(judge(silicon(fault), engine(fault))).toBeNull();
    expect(judge(silicon(fault), engine({ ...fault, vector: 13 }))).toMatch(/^end /);
    expect(judge(silicon(fault), engine({ ...fault, error: 6 }))).toMatch(/^error code /);
    expect(judge(silicon(fault), engine({ ...fault, address: 0x1001n }))).toMatch(/^cr2 /);
  });

  it('may differ in P where the kernel always says present, and in RF', () => {
    const fault = { end: 'fault', vector: 14, error: 5, address: 0xffff800000000000n } as const;
    expect(judge(silicon({ ...fault, flags: 0x10302 }), engine({ ...fault, error: 4 }))).toBeNull();
    expect(judge(silicon({ ...fault, error: 7 }), engine({ ...fault, error: 5 }))).not.toBeNull();
  });

  it('say what is not modelled', () => {
    expect(judge(silicon(), engine({ end: 'not modelled', what: 'instruction/0f28' }))).toContain('instruction/0f28');
  });
});

describe('a mask', () => {
  it('hides the flags that it names, and no other', () => {
    const mask = { ...NONE, flags: flagBits('A') };
    expect(judge(silicon({ flags: 0x312 }), engine(), mask)).toBeNull();
    expect(judge(silicon({ flags: 0x306 }), engine(), mask)).not.toBeNull();
  });

  it('hides the result only where the instruction has it', () => {
    const mask = { ...NONE, destination: true };
    const regs = (r: number) => new BigUint64Array(16).fill(7n, r, r + 1);
    expect(judge(silicon(), engine({ regs: regs(0) }), mask)).toBeNull();
    expect(judge(silicon(), engine({ regs: regs(1) }), mask)).not.toBeNull();
    expect(judge(silicon(), engine({ changes: [] }), mask)).not.toBeNull();
    expect(judge(silicon(), engine({ changes: [] }), mask, caseOf(rowOf('shld'), { destination: 'memory' }))).toBeNull();
  });

  const letters = (mnemonic: string, operands: string, change: Partial<InstructionCase> = {}) =>
    maskOf(caseOf(rowOf(mnemonic, operands), change), false).letters;
  const withCl = (count: number): Partial<InstructionCase> => ({ regs: BigUint64Array.of(0n, BigInt(count), ...new Array(14).fill(0n)) });

  it('follows the table of flags', () => {
    expect([letters('add', 'Ev'), letters('and', 'Ev'), letters('mul', 'Ev'), letters('popcnt', 'Gv'), letters('mov', 'Ev')]).toEqual([
      '',
      'A',
      'SZAP',
      '',
      '',
    ]);
  });

  it('depends on the count of shifts and rotates', () => {
    const shl = [0, 1, 2, 31, 32, 33].map((count) => letters('shl', 'Ev,CL', withCl(count)));
    expect(shl).toEqual(['', 'A', 'OA', 'OA', '', 'A']);
    expect([letters('shl', 'Eb,CL', withCl(8)), letters('sar', 'Eb,CL', withCl(8)), letters('rol', 'Ev,CL', withCl(5))]).toEqual([
      'OAC',
      'OA',
      'O',
    ]);
    expect(letters('shl', 'Ev,CL', { ...withCl(40), size: 8 })).toBe('OA');
    expect(letters('shld', 'Ev,Gv,CL', { ...withCl(17), size: 2 })).toBe('OSZAPC');
  });

  it('covers the results that are undefined', () => {
    const result = (mnemonic: string, change: Partial<InstructionCase>, zero = false) =>
      maskOf(caseOf(rowOf(mnemonic), change), zero).destination;
    expect([result('bswap', { size: 2 }), result('bswap', { size: 4 }), result('bsf', {}, true), result('bsf', {})]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    const shrd = rowOf('shrd', 'Ev,Gv,CL');
    expect([16, 17].map((count) => maskOf(caseOf(shrd, { ...withCl(count), size: 2 }), false).destination)).toEqual([false, true]);
  });
});
