/** Loads of segment registers, and what they demand of descriptors. */
import { describe, expect, test } from 'vitest';
import { AT, bareSample, faultOf, SEL, type Setting, segment, take } from '../../../bare/sample.ts';
import { readWord } from '../../../memory/memory.ts';
import { DS, SS } from '../state.ts';

/** MOV DS, AX and MOV SS, AX. */
const MOV_DS = [0x8e, 0xd8];
const MOV_SS = [0x8e, 0xd0];

const withDescriptor = (selector: number, descriptor: bigint, more: Setting = {}): Setting => ({
  ...more,
  regs: { 0: BigInt(selector) },
  words: { [AT.gdt + (selector & ~7)]: descriptor },
});

const GP = (error: number) => ({ vector: 13, error });

describe('a data segment', () => {
  test('takes base, limit and rights of its descriptor, and sets the accessed bit', () => {
    const { machine } = take(bareSample(MOV_DS, withDescriptor(SEL.free, segment(0x12345678, 0x10, 0x92, 0xc))));
    const { selectors, hidden } = machine.cpu.segments;
    expect(selectors[DS]).toBe(SEL.free);
    expect(hidden[DS]).toMatchObject({ base: { lo: 0x12345678 }, limit: 0x10fff, rights: 0xc093, usable: true });
    expect(readWord(machine.memory, AT.gdt >> 12, SEL.free >> 3).hi & 0x100).toBe(0x100);
  });
  test('may be null, and is unusable then', () => {
    const { machine } = take(bareSample(MOV_DS, { regs: { 0: 3n } }));
    expect(machine.cpu.segments.hidden[DS]).toMatchObject({ limit: 0, rights: 0, usable: false });
  });
  test.each([
    ['code that cannot be read', segment(0, 0xfffff, 0x98, 0xc), GP(SEL.free)],
    ['a system descriptor', segment(0, 0x67, 0x89, 0), GP(SEL.free)],
    ['data that is not present', segment(0, 0xfffff, 0x12, 0xc), { vector: 11, error: SEL.free }],
  ])('refuses %s', (_, descriptor, fault) => {
    expect(faultOf(bareSample(MOV_DS, withDescriptor(SEL.free, descriptor)))).toEqual(fault);
  });
  test('refuses a selector behind the limit of its table, and one without a table', () => {
    expect(faultOf(bareSample(MOV_DS, { regs: { 0: 0x80n } }))).toEqual(GP(0x80));
    expect(faultOf(bareSample(MOV_DS, { regs: { 0: 0xcn } }))).toEqual(GP(0xc));
  });
  test('refuses data of inner rings, and data under a greater RPL', () => {
    expect(faultOf(bareSample(MOV_DS, { ring: 3, regs: { 0: BigInt(SEL.data) } }))).toEqual(GP(SEL.data));
    expect(faultOf(bareSample(MOV_DS, { regs: { 0: BigInt(SEL.data | 3) } }))).toEqual(GP(SEL.data));
  });
});

describe('a stack segment', () => {
  test('holds interrupts and debug exceptions off', () => {
    expect(take(bareSample(MOV_SS, { regs: { 0: BigInt(SEL.data) } })).machine.cpu.system.shadow).toBe('ss');
  });
  test.each([
    ['null', 0, null, GP(0)],
    ['a wrong RPL', SEL.data | 1, null, GP(SEL.data)],
    ['data that cannot be written', SEL.free, segment(0, 0xfffff, 0x90, 0xc), GP(SEL.free)],
    ['data of another ring', SEL.free, segment(0, 0xfffff, 0xf2, 0xc), GP(SEL.free)],
    ['data that is not present', SEL.free, segment(0, 0xfffff, 0x12, 0xc), { vector: 12, error: SEL.free }],
  ])('refuses %s', (_, selector, descriptor, fault) => {
    const setting = descriptor === null ? { regs: { 0: BigInt(selector) } } : withDescriptor(selector, descriptor);
    expect(faultOf(bareSample(MOV_SS, setting))).toEqual(fault);
  });
  test('may be null in 64-bit mode of ring 0', () => {
    const { machine } = take(bareSample(MOV_SS, { mode: '64' }));
    expect(machine.cpu.segments.hidden[SS].usable).toBe(false);
  });
});

describe('other modes', () => {
  test('real mode sets the base alone', () => {
    const { machine } = take(bareSample(MOV_DS, { mode: 'real', regs: { 0: 0x1234n } }));
    expect(machine.cpu.segments.hidden[DS]).toMatchObject({ base: { lo: 0x12340 }, limit: 0xffff, rights: 0x93 });
  });
  test('virtual-8086 mode makes data of ring 3', () => {
    const { machine } = take(bareSample(MOV_DS, { mode: 'v86', regs: { 0: 0x1234n } }));
    expect(machine.cpu.segments.hidden[DS]).toMatchObject({ base: { lo: 0x12340 }, limit: 0xffff, rights: 0xf3 });
  });
});
