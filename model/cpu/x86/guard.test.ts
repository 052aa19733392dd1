import { describe, expect, it } from 'vitest';
import type { Row, RowState } from '#spec/isa/x86/row.ts';
import { decode } from './decode/decode.ts';
import { Exit } from './fault.ts';
import type { Fpu } from './fpu/state.ts';
import { guarded } from './guard.ts';
import { started } from './running.ts';
import { SAMPLE_PLATFORM, sample } from './sample.ts';
import { CR0, CR4, type SystemState } from './system/state.ts';

const NOP = decode(() => 0x90);
const row = (more: Partial<Row>): Row => ({ map: '1', opcode: 0x90, mnemonic: 'nop', operands: [], ...more });

/** The vector that a row's checks raise, or null. */
const raised = (more: Partial<Row>, system: Partial<SystemState>, fpu: Partial<Fpu> = {}): number | null => {
  const { cpu, memory } = sample([0x90]);
  const state = { ...cpu, system: { ...cpu.system, ...system }, fpu: { ...cpu.fpu, ...fpu } };
  try {
    guarded(row(more), (s) => s)(started(state, memory, SAMPLE_PLATFORM), NOP);
    return null;
  } catch (thrown) {
    if (thrown instanceof Exit) return thrown.fault.vector;
    throw thrown;
  }
};

const [UD, NM, GP, MF] = [6, 7, 13, 16];
const NE = CR0.NE | CR0.PE;

describe('what CR0 and CR4 forbid', () => {
  const table: readonly (readonly [RowState, number, number, number | null])[] = [
    ['x87', CR0.EM, 0, NM],
    ['x87', CR0.TS, 0, NM],
    ['x87_nowait', CR0.TS, 0, NM],
    ['wait', CR0.TS, 0, null],
    ['wait', CR0.TS | CR0.MP, 0, NM],
    ['wait', CR0.EM, 0, null],
    ['mmx', CR0.EM | CR0.TS, 0, UD],
    ['mmx', CR0.TS, 0, NM],
    ['sse', 0, 0, UD],
    ['sse', CR0.EM, CR4.OSFXSR, UD],
    ['sse', CR0.TS, CR4.OSFXSR, NM],
    ['sse', 0, CR4.OSFXSR, null],
    ['fx', CR0.EM, 0, NM],
    ['fx', 0, 0, null],
    ['xsave', CR0.EM, CR4.OSXSAVE, null],
    ['xsave', CR0.TS, CR4.OSXSAVE, NM],
  ];
  for (const [state, cr0, cr4, vector] of table)
    it(`${state} with CR0 ${cr0.toString(16)}, CR4 ${cr4.toString(16)}`, () =>
      expect(raised({ state }, { cr0: NE | cr0, cr4 })).toBe(vector));

  it('XSAVE without OSXSAVE', () => expect(raised({ state: 'xsave' }, { kind: 'bare', cr4: 0 })).toBe(UD));
});

describe('an exception that waits', () => {
  const pending = { status: 0x81 };
  it('is raised by the next instruction that waits', () => {
    for (const state of ['x87', 'wait', 'mmx'] as const) expect(raised({ state }, { cr0: NE }, pending)).toBe(MF);
    for (const state of ['x87_nowait', 'sse', 'fx'] as const) expect(raised({ state }, { cr0: NE }, pending)).toBeNull();
  });
  it('goes another way without CR0.NE', () => expect(() => raised({ state: 'x87' }, { cr0: CR0.PE }, pending)).toThrow('instruction/ferr'));
});

describe('privilege and modes', () => {
  it('privileged rows ask for CPL 0', () => {
    expect([raised({ privileged: true }, {}), raised({ privileged: true }, { cpl: 0 })]).toEqual([GP, null]);
    expect(raised({ privileged: true, iopl: true }, {})).toBeNull();
  });
  it('rows of protected mode, and those behind VEX, are undefined in real and virtual-8086 mode', () => {
    for (const mode of ['real', 'v86'] as const)
      expect([raised({ protected: true }, { mode }), raised({ vex: true }, { mode })]).toEqual([UD, UD]);
    expect(raised({ protected: true, vex: true }, { mode: 'prot16' })).toBeNull();
  });
});
