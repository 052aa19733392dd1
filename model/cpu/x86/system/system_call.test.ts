/** SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS; ports and the interrupt flag; questions about descriptors. */

import { describe, expect, test } from 'vitest';
import { EFER } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Machine } from '../../../bare/machine.ts';
import { AT, bareSample, faultOf, SEL, type Setting, segment, take } from '../../../bare/sample.ts';
import { fromBigInt } from '../../../word/word.ts';
import { CS, R11, RAX, RCX, RSP, SS } from '../state.ts';

const withMsrs = (m: Machine, msrs: Readonly<Record<number, bigint>>): Machine => ({
  ...m,
  cpu: {
    ...m.cpu,
    system: { ...m.cpu.system, msrs: new Map(Object.entries(msrs).map(([number, value]) => [Number(number), fromBigInt(value)])) },
  },
});
const where = ({ cpu }: Machine) => ({
  cs: cpu.segments.selectors[CS],
  ss: cpu.segments.selectors[SS],
  ip: cpu.rip.lo,
  cpl: cpu.system.cpl,
  mode: cpu.system.mode,
});
const { IF } = RFLAGS;
const STAR = 0xc0000081;
const LSTAR = 0xc0000082;
const SFMASK = 0xc0000084;
const MSRS = { [STAR]: 0x0023_0010_0000_9100n, [LSTAR]: 0x9000n, [SFMASK]: 0x200n };
const SYSCALL = [0x0f, 0x05];
const SYSRET = [0x0f, 0x07];

describe('SYSCALL and SYSRET', () => {
  const on = { efer: EFER.SCE } as const;
  test('in 64-bit mode', () => {
    const { machine } = take(withMsrs(bareSample(SYSCALL, { ...on, mode: '64', ring: 3, flags: IF }), MSRS));
    expect(where(machine)).toEqual({ cs: 0x10, ss: 0x18, ip: 0x9000, cpl: 0, mode: '64' });
    expect([machine.cpu.regs[RCX].lo, machine.cpu.regs[R11].lo, machine.cpu.flags]).toEqual([AT.code + 2, IF | 2, 2]);
  });
  test('back to 64-bit and to 32-bit code', () => {
    const regs = { 1: 0x9000n, 11: 0x3202n };
    const wide = take(withMsrs(bareSample([0x48, ...SYSRET], { ...on, mode: '64', regs }), MSRS)).machine;
    expect(where(wide)).toEqual({ cs: 0x33, ss: 0x2b, ip: 0x9000, cpl: 3, mode: '64' });
    expect(wide.cpu.flags).toBe(0x3202);
    const narrow = take(withMsrs(bareSample(SYSRET, { ...on, mode: '64', regs }), MSRS)).machine;
    expect(where(narrow)).toEqual({ cs: 0x23, ss: 0x2b, ip: 0x9000, cpl: 3, mode: 'compat32' });
  });
  test('in legacy mode go to STAR’s address', () => {
    const { machine } = take(withMsrs(bareSample(SYSCALL, { ...on, ring: 3, flags: IF }), MSRS));
    expect(where(machine)).toEqual({ cs: 0x10, ss: 0x18, ip: 0x9100, cpl: 0, mode: 'prot32' });
    expect(machine.cpu.flags).toBe(2);
  });
  test('are undefined without EFER.SCE', () => expect(faultOf(bareSample(SYSCALL, { mode: '64' }))).toMatchObject({ vector: 6 }));
});

describe('SYSENTER and SYSEXIT', () => {
  const msrs = { 372: 0x08n, 373: 0xd000n, 374: 0x9000n };
  test('in protected mode', () => {
    const there = take(withMsrs(bareSample([0x0f, 0x34], { ring: 3, flags: IF }), msrs)).machine;
    expect(where(there)).toEqual({ cs: 0x08, ss: 0x10, ip: 0x9000, cpl: 0, mode: 'prot32' });
    expect([there.cpu.regs[RSP].lo, there.cpu.flags]).toEqual([0xd000, 2]);
    const back = take(withMsrs(bareSample([0x0f, 0x35], { regs: { 1: 0xc000n, 2: 0x9100n } }), msrs)).machine;
    expect(where(back)).toEqual({ cs: 0x1b, ss: 0x23, ip: 0x9100, cpl: 3, mode: 'prot32' });
    expect(back.cpu.regs[RSP].lo).toBe(0xc000);
  });
  test('need a selector', () => expect(faultOf(bareSample([0x0f, 0x34]))).toEqual({ vector: 13, error: 0 }));
});

test('SWAPGS exchanges the bases', () => {
  const { cpu } = take(withMsrs(bareSample([0x0f, 0x01, 0xf8], { mode: '64' }), { 3221225730: 0x1234n })).machine;
  expect([cpu.segments.gsBase.lo, cpu.system.msrs.get(0xc0000102)?.lo]).toEqual([0x1234, 0]);
});

describe('ports and the interrupt flag', () => {
  const OUT = [0xe6, 0x80];
  const GP0 = { vector: 13, error: 0 };
  /** The map follows the task state at once. */
  const mapped = (bits: number): Setting => ({
    ring: 3,
    bytes: { [AT.tss + 102]: [0x68 - 0x10, 0], [AT.tss + 0x68]: [bits, 0xff] },
  });
  test('ring 3 needs IOPL 3, or the permission map', () => {
    expect(faultOf(bareSample(OUT, { ring: 3, bytes: { [AT.tss + 102]: [0xff, 0xff] } }))).toEqual(GP0);
    expect(faultOf(bareSample(OUT, { ring: 3, flags: 0x3000 }))).toBeNull();
    const wider = (m: Machine): Machine => ({
      ...m,
      cpu: { ...m.cpu, system: { ...m.cpu.system, tr: { ...m.cpu.system.tr, limit: 0x6a } } },
    });
    expect(faultOf(wider(bareSample(OUT, mapped(0xfe))))).toBeNull();
    expect(faultOf(wider(bareSample(OUT, mapped(0x01))))).toEqual(GP0);
  });
  test('CLI and STI ask IOPL', () => {
    expect(faultOf(bareSample([0xfa], { ring: 3 }))).toEqual(GP0);
    expect(take(bareSample([0xfb])).machine.cpu).toMatchObject({ flags: IF | 2, system: { shadow: 'sti' } });
    expect(take(bareSample([0xfb], { flags: IF })).machine.cpu.system.shadow).toBe('none');
  });
});

describe('questions about descriptors', () => {
  const { ZF } = RFLAGS;
  const asked = (code: readonly number[], selector: number, setting: Setting = {}) => {
    const { cpu } = take(bareSample(code, { ...setting, regs: { 0: 0xaaaan, 1: BigInt(selector) } })).machine;
    return { zf: (cpu.flags & ZF) !== 0, eax: cpu.regs[RAX].lo >>> 0 };
  };
  const LAR = [0x0f, 0x02, 0xc1];
  const LSL = [0x0f, 0x03, 0xc1];
  test('LAR gives rights, LSL the limit in bytes', () => {
    expect(asked(LAR, SEL.data)).toEqual({ zf: true, eax: 0xcf9300 });
    expect(asked(LSL, SEL.data)).toEqual({ zf: true, eax: 0xffffffff });
    expect(asked(LSL, SEL.tss)).toEqual({ zf: true, eax: 0x67 });
  });
  test('what cannot be seen leaves the destination', () => {
    expect(asked(LAR, 0)).toEqual({ zf: false, eax: 0xaaaa });
    expect(asked(LAR, SEL.data, { ring: 3 })).toEqual({ zf: false, eax: 0xaaaa });
    expect(asked(LSL, SEL.free, { words: { [AT.gdt + SEL.free]: segment(0, 0, 0x8c, 0) } })).toEqual({ zf: false, eax: 0xaaaa });
  });
  test('VERR and VERW', () => {
    expect(asked([0x0f, 0x00, 0xe1], SEL.code32).zf).toBe(true);
    expect(asked([0x0f, 0x00, 0xe9], SEL.code32).zf).toBe(false);
    expect(asked([0x0f, 0x00, 0xe9], SEL.data).zf).toBe(true);
  });
});

describe('table registers', () => {
  test('LTR makes the task state busy; null is refused', () => {
    const { machine } = take(bareSample([0x0f, 0x00, 0xd8], { regs: { 0: BigInt(SEL.tss) } }));
    expect(machine.cpu.system.tr).toMatchObject({ selector: SEL.tss, limit: 0x67, rights: 0x8b });
    expect(faultOf(bareSample([0x0f, 0x00, 0xd8]))).toEqual({ vector: 13, error: 0 });
  });
  test('LLDT takes a local table, or null', () => {
    const words = { [AT.gdt + SEL.free]: segment(AT.ldt, 0x1f, 0x82, 0) };
    expect(take(bareSample([0x0f, 0x00, 0xd0], { regs: { 0: BigInt(SEL.free) }, words })).machine.cpu.system.ldtr).toMatchObject({
      base: { lo: AT.ldt },
      limit: 0x1f,
      usable: true,
    });
    expect(faultOf(bareSample([0x0f, 0x00, 0xd0]))).toBeNull();
    expect(faultOf(bareSample([0x0f, 0x00, 0xd0], { regs: { 0: BigInt(SEL.data) } }))).toEqual({ vector: 13, error: SEL.data });
  });
  test('LGDT with 16 bits takes 24 of the base', () => {
    const bytes = { [AT.data]: [0xff, 0x00, 0x78, 0x56, 0x34, 0x12] };
    const { gdtr } = take(bareSample([0x66, 0x0f, 0x01, 0x15, 0x00, 0xb0, 0, 0], { bytes })).machine.cpu.system;
    expect([gdtr.limit, gdtr.base.lo]).toEqual([0xff, 0x345678]);
  });
});
