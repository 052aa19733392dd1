import { describe, expect, it } from 'vitest';
import type { X86Mode } from '#spec/isa/x86/mode.ts';
import { toNumber, word } from '../../word/word.ts';
import { AC } from './flags.ts';
import { inMode, PLACE, type Setting, sample, tryOne } from './sample.ts';
import { CS, DS, ES, type Hidden, RAX, RBX, RSP, SS } from './state.ts';

type Parts = Readonly<Record<number, Partial<Hidden>>>;
const run = (mode: X86Mode, code: number[], setting: Setting = {}, parts: Parts = {}) => tryOne(inMode(sample(code, setting), mode, parts));
const ended = (...of: Parameters<typeof run>): string => {
  const outcome = run(...of);
  return outcome.kind === 'fault' ? `${outcome.fault.vector} ${outcome.fault.error}` : outcome.kind;
};
const LOAD = [0x8b, 0x03]; // mov eax,[ebx]
const STORE = [0x89, 0x03];
const at = (address: number): Setting => ({ regs: { [RBX]: BigInt(address) }, bytes: { [PLACE.data]: [1, 2, 3, 4, 5, 6, 7, 8] } });

describe('limits', () => {
  const small = (limit: number, more: Partial<Hidden> = {}): Parts => ({ [DS]: { limit, ...more } });

  it('hold for every byte of an access', () => {
    expect(ended('compat32', LOAD, at(PLACE.data), small(PLACE.data + 3))).toBe('retired');
    expect(ended('compat32', LOAD, at(PLACE.data), small(PLACE.data + 2))).toBe('13 0');
    expect(ended('compat32', LOAD, at(0xfffffffe), small(0xfffffffd))).toBe('13 0');
    expect(ended('real', [0x66, 0x8b, 0x07], at(0xfffe))).toBe('13 0'); // mov eax,[bx]
    expect(ended('real', [0x8b, 0x07], at(0xfffe))).toBe('retired');
  });

  it('of data that expands down are below', () => {
    const down = (limit: number, rights = 0xc0f7): Parts => small(limit, { rights });
    expect(ended('compat32', LOAD, at(PLACE.data), down(PLACE.data - 1))).toBe('retired');
    expect(ended('compat32', LOAD, at(PLACE.data), down(PLACE.data))).toBe('13 0');
    expect(ended('compat32', LOAD, at(0x10000), down(0xfff, 0xf7))).toBe('13 0');
  });

  it('of the stack raise #SS', () => {
    expect(ended('compat32', [0x50], { regs: { [RSP]: 0x8000n } }, { [SS]: { limit: 0x7000 } })).toBe('12 0');
    expect(ended('compat32', [0x8b, 0x45, 0], { regs: { 5: 0x8000n } }, { [SS]: { limit: 0x7000 } })).toBe('12 0');
    expect(ended('compat32', [0x3e, 0x8b, 0x45, 0], { regs: { 5: 0x8000n } }, { [SS]: { limit: 0x7000 } })).toBe('retired');
    expect(ended('compat32', [0x36, ...LOAD], at(0x8000), { [SS]: { limit: 0x7000 } })).toBe('12 0');
  });

  it('of code end its fetching and its branches', () => {
    const code = { [CS]: { limit: PLACE.code + 1 } };
    expect(ended('compat32', [0x90], {}, code)).toBe('retired');
    expect(ended('compat32', [0x83, 0xc0, 1], {}, code)).toBe('13 0');
    expect(ended('compat32', [0xeb, 0x10], {}, code)).toBe('13 0');
    expect(ended('compat32', [0xff, 0xe3], at(0x80000000))).toBe('retired');
  });
});

describe('rights', () => {
  const data = (rights: number, usable = true): Parts => ({ [DS]: { rights, usable } });

  it('are asked in protected mode', () => {
    expect(ended('compat32', STORE, at(PLACE.data), data(0xc0f1))).toBe('13 0');
    expect(ended('compat32', LOAD, at(PLACE.data), data(0xc0f1))).toBe('retired');
    expect(ended('compat32', LOAD, at(PLACE.data), data(0xc0f9))).toBe('13 0');
    expect(ended('compat32', LOAD, at(PLACE.data), data(0xc0fb))).toBe('retired');
    expect(ended('compat32', STORE, at(PLACE.data), data(0xc0fb))).toBe('13 0');
    expect(ended('compat32', [0x01, 0x03], at(PLACE.data), data(0xc0f1))).toBe('13 0');
    expect(ended('real', [0x89, 0x07], at(PLACE.data), data(0x9b))).toBe('retired');
  });

  it('are none after a null selector', () => {
    expect(ended('compat32', LOAD, at(PLACE.data), data(0, false))).toBe('13 0');
    expect(ended('compat32', [0x26, ...LOAD], at(PLACE.data), { [ES]: { usable: false } })).toBe('13 0');
  });
});

describe('linear addresses', () => {
  it('are base plus offset, cut to 32 bits', () => {
    const loaded = (mode: X86Mode, code: number[], setting: Setting, parts: Parts): number =>
      toNumber(run(mode, code, setting, parts).cpu.regs[RAX]);
    expect(loaded('compat32', LOAD, at(0x1000), { [DS]: { base: word(0, 0x3000) } })).toBe(0x4030201);
    expect(loaded('compat32', LOAD, at(0x5000), { [DS]: { base: word(0, -0x1000) } })).toBe(0x4030201);
    expect(loaded('v86', [0x8b, 0x47, 0x10], at(0xfff2), { [DS]: { base: word(0, PLACE.data - 2) } })).toBe(0x201);
  });

  it('of code have a base too, and RIP is the offset', () => {
    const outcome = run(
      'compat32',
      [],
      { rip: PLACE.code, bytes: { [PLACE.data]: [0xeb, 0x7e] } },
      {
        [CS]: { base: word(0, PLACE.data - PLACE.code) },
      },
    );
    expect([outcome.kind, toNumber(outcome.cpu.rip)]).toEqual(['retired', PLACE.code + 0x80]);
  });
});

describe('alignment', () => {
  it('is checked for ring 3 when it asks for it', () => {
    const odd = { ...at(PLACE.data + 1), flags: AC };
    expect(ended('compat32', LOAD, odd)).toBe('17 0');
    expect(ended('64', STORE, odd)).toBe('17 0');
    expect(ended('64', [0x8a, 0x03], odd)).toBe('retired');
    expect(ended('64', LOAD, at(PLACE.data + 1))).toBe('retired');
    expect(ended('64', [0x50], { regs: { [RSP]: 0x8004n }, flags: AC })).toBe('17 0');
  });
});
