import { describe, expect, it } from 'vitest';
import { read } from '../../../memory/access.ts';
import { fromNumber, toBigInt, toNumber } from '../../../word/word.ts';
import { CF, IF, NT, RF, TF } from '../flags.ts';
import { frameOf, PLACE, type Setting, sample, tryOne } from '../sample.ts';
import { CS, DS, ES, FS, RSP, SS } from '../state.ts';

const run = (code: number[], setting: Setting = {}) => tryOne(sample(code, setting));
const TOP = PLACE.stack + 0x800;
const words = (...values: number[]): number[] => values.flatMap((v) => [v & 255, (v >> 8) & 255, (v >> 16) & 255, v >>> 24, 0, 0, 0, 0]);
/** mov <segment>,ax */
const load = (segment: number, selector: number) => run([0x8e, 0xc0 | (segment << 3)], { regs: { 0: BigInt(selector) } });

describe('loading a segment register', () => {
  it('takes the three descriptors of ring 3 and null', () => {
    for (const selector of [0, 3, 0xe02b, 0xe028, 0xe033, 0xe023])
      expect(load(DS, selector)).toMatchObject({ kind: 'retired', cpu: { segments: { selectors: [0, 0xe033, 0xe02b, selector, 0, 0] } } });
  });

  it('refuses everything else with the selector as error code', () => {
    for (const selector of [0x1234, 0xe010, 0xe040, 7, 0xffff])
      expect(load(ES, selector)).toMatchObject({ kind: 'fault', fault: { vector: 13, error: selector & 0xfffc } });
  });

  it('lets SS be flat data only, and never null', () => {
    expect(load(SS, 0xe02b).kind).toBe('retired');
    expect(load(SS, 0)).toMatchObject({ fault: { vector: 13, error: 0 } });
    expect(load(SS, 0xe028)).toMatchObject({ fault: { vector: 13, error: 0xe028 } });
  });

  it('makes the base of FS zero', () => {
    const start = sample([0x8e, 0xe0]); // mov fs,ax
    const outcome = tryOne({ ...start, cpu: { ...start.cpu, segments: { ...start.cpu.segments, fsBase: fromNumber(5) } } });
    expect(toNumber(outcome.cpu.segments.fsBase)).toBe(0);
  });

  it('has no encoding for CS, nor for registers 6 and 7', () => {
    for (const segment of [CS, 6, 7]) expect(load(segment, 0xe033)).toMatchObject({ fault: { vector: 6, error: null } });
    expect(run([0x8c, 0xf0])).toMatchObject({ fault: { vector: 6 } });
  });

  it('from the stack uses the low 16 bits', () => {
    const outcome = run([0x0f, 0xa1], { bytes: { [TOP]: words(0xe02b) } }); // pop fs
    expect([outcome.cpu.segments.selectors[FS], toNumber(outcome.cpu.regs[RSP])]).toEqual([0xe02b, TOP + 8]);
  });
});

describe('storing a segment register', () => {
  it('fills a register, but only 16 bits of memory', () => {
    expect(toBigInt(run([0x48, 0x8c, 0xd0], { regs: { 0: ~0n } }).cpu.regs[0])).toBe(0xe02bn);
    const { memory } = run([0x8c, 0x13], { regs: { 3: BigInt(PLACE.data) }, bytes: { [PLACE.data]: [9, 9, 9, 9] } });
    expect(read(memory, frameOf(PLACE.data), 0, 4).lo).toBe(0x0909_e02b);
  });
});

describe('far transfers', () => {
  const pointer = (offset: number, selector: number) => ({ [PLACE.data]: [...words(offset).slice(0, 4), selector & 255, selector >> 8] });
  const jump = (offset: number, selector: number, modrm = 0x2b) =>
    run([0xff, modrm], { regs: { 3: BigInt(PLACE.data) }, bytes: pointer(offset, selector) });

  it('JMP takes the 64-bit code selector with any RPL', () => {
    const outcome = jump(0x5000, 0xe030);
    expect([toNumber(outcome.cpu.rip), outcome.cpu.segments.selectors[CS]]).toEqual([0x5000, 0xe033]);
  });

  it('refuse other selectors, and reach 32-bit code', () => {
    expect(jump(0x5000, 0)).toMatchObject({ fault: { vector: 13, error: 0 } });
    expect(jump(0x5000, 0xe02b)).toMatchObject({ fault: { vector: 13, error: 0xe028 } });
    expect(jump(0x5000, 0xe023)).toMatchObject({ kind: 'retired', cpu: { system: { mode: 'compat32' } } });
  });

  it('CALL pushes CS and the way back, RET takes them', () => {
    const called = jump(0x5000, 0xe033, 0x1b);
    expect(toNumber(called.cpu.regs[RSP])).toBe(TOP - 8);
    expect(toBigInt(read(called.memory, frameOf(TOP), (TOP - 8) % 4096, 8))).toBe((0xe033n << 32n) | BigInt(PLACE.code + 2));
    const returned = run([0x48, 0xcb], { bytes: { [TOP]: words(0x6000, 0xe033) } });
    expect([toNumber(returned.cpu.rip), toNumber(returned.cpu.regs[RSP])]).toEqual([0x6000, TOP + 16]);
    expect(run([0x48, 0xcb], { bytes: { [TOP]: words(0x6000, 0xe030) } })).toMatchObject({ fault: { vector: 13, error: 0xe030 } });
  });
});

describe('IRET', () => {
  const frame = (cs: number, ss: number, flags = 0) => ({ [TOP]: words(0x6000, cs, flags, 0x7770, ss) });

  it('pops RIP, CS, RFLAGS, RSP and SS', () => {
    const { cpu } = run([0x48, 0xcf], { bytes: frame(0xe033, 0xe02b, CF | TF | RF | 0x3000) });
    expect([toNumber(cpu.rip), toNumber(cpu.regs[RSP]), cpu.flags]).toEqual([0x6000, 0x7770, CF | TF | RF | IF | 2]);
  });

  it('stays in ring 3 and needs NT clear', () => {
    expect(run([0x48, 0xcf], { bytes: frame(0xe030, 0xe02b) })).toMatchObject({ fault: { vector: 13, error: 0xe030 } });
    expect(run([0x48, 0xcf], { bytes: frame(0xe033, 0) })).toMatchObject({ fault: { vector: 13, error: 0 } });
    expect(run([0x48, 0xcf], { bytes: frame(0xe033, 0xe02b), flags: NT })).toMatchObject({ fault: { vector: 13, error: 0 } });
  });
});
