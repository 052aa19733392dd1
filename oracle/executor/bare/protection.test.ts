import { describe, expect, test } from 'vitest';
import { type Blob, CODE, descriptor, exit, flatTable, GDT, gate, IDT, machineOf, PROLOGUE, run, SEL, STACK, u16, u32 } from './fixture.ts';

const HANDLER = 0x101000 - 0x200;
const AFTER = CODE + PROLOGUE.length;

/** Interrupt gates for some vectors, all to one handler. */
const gates = (...vectors: readonly number[]): readonly Blob[] =>
  vectors.map((vector) => ({ at: IDT + 8 * vector, bytes: gate(SEL.code32, HANDLER, 0x8e) }));

/** The handler ends the run with the top of its stack. */
const showTop: Blob = { at: HANDLER, bytes: [0x58, 0xe7, 0xf4] };

describe('exceptions through 32-bit gates', () => {
  test('a fault pushes its address, CS and flags with RF', () => {
    const machine = machineOf([...PROLOGUE, 0x0f, 0x0b], [flatTable(), ...gates(6), showTop]);
    expect(run(machine)).toEqual([
      { kind: 'exception', vector: 6, error: null, address: null, software: false },
      { kind: 'exit', value: AFTER },
    ]);
    const page = machine.page((STACK - 12) >>> 12);
    const view = new DataView(page.buffer);
    expect(view.getUint32((STACK - 8) & 0xfff, true)).toBe(SEL.code32);
    expect(view.getUint32((STACK - 4) & 0xfff, true)).toBe(0x10002);
  });

  test('#GP for a selector beyond the table carries the selector', () => {
    const code = [...PROLOGUE, 0xb8, ...u32(0x0ffb), 0x8e, 0xd8];
    expect(run(machineOf(code, [flatTable(), ...gates(13), showTop]))).toEqual([
      { kind: 'exception', vector: 13, error: 0xff8, address: null, software: false },
      { kind: 'exit', value: 0xff8 },
    ]);
  });

  test('INT n pushes the address behind it; an absent gate is #NP or #GP of the entry', () => {
    expect(run(machineOf([...PROLOGUE, 0xcd, 0x40], [flatTable(), ...gates(0x40), showTop]))).toEqual([
      { kind: 'exception', vector: 0x40, error: null, address: null, software: true },
      { kind: 'exit', value: AFTER + 2 },
    ]);
    const absent: Blob = { at: IDT + 8 * 0x41, bytes: gate(SEL.code32, HANDLER, 0x0e) };
    expect(run(machineOf([...PROLOGUE, 0xcd, 0x41], [flatTable(), ...gates(11, 13), absent, showTop]))[0]).toMatchObject({
      vector: 11,
      error: 0x20a,
    });
    expect(run(machineOf([...PROLOGUE, 0xcd, 0x42], [flatTable(), ...gates(11, 13), showTop]))[0]).toMatchObject({
      vector: 13,
      error: 0x212,
    });
  });

  test('#GP while #GP is delivered is a double fault; nothing else left is the end', () => {
    const code = [...PROLOGUE, 0xb8, ...u32(0x0ffb), 0x8e, 0xd8];
    expect(run(machineOf(code, [flatTable(), ...gates(8), showTop]))).toEqual([
      { kind: 'exception', vector: 8, error: 0, address: null, software: false },
      { kind: 'exit', value: 0 },
    ]);
    expect(run(machineOf(code, [flatTable(), showTop]))).toEqual([{ kind: 'shutdown', why: 'triple-fault' }]);
  });

  test('#UD that cannot be delivered becomes #NP alone', () => {
    const absent: Blob = { at: IDT + 8 * 6, bytes: gate(SEL.code32, HANDLER, 0x0e) };
    expect(run(machineOf([...PROLOGUE, 0x0f, 0x0b], [flatTable(), ...gates(11), absent, showTop]))[0]).toMatchObject({
      vector: 11,
      error: 6 * 8 + 3,
    });
  });
});

describe('rings', () => {
  /** Stack of ring 0 in a TSS at this address. */
  const TSS = 0x104000;
  const tss: readonly Blob[] = [
    { at: TSS + 4, bytes: [...u32(STACK - 0x100), ...u32(SEL.data)] },
    { at: TSS + 0x66, bytes: u16(0x68) },
  ];
  /** LTR, then IRET to ring 3 at the code behind. */
  const toRing3 = (user: readonly number[]): number[] => {
    const head = [...PROLOGUE, 0xb8, ...u32(SEL.tss), 0x0f, 0x00, 0xd8];
    const frame = (ip: number): number[] => [
      ...[0x6a, SEL.dataUser, 0x68, ...u32(STACK - 0x800), 0x68, ...u32(0x2), 0x6a, SEL.code32user, 0x68, ...u32(ip), 0xcf],
    ];
    return [...head, ...frame(CODE + head.length + frame(0).length), ...user];
  };

  test('IRET to ring 3, and back through a gate with the stack of the task state', () => {
    const open: Blob = { at: IDT + 8 * 0x80, bytes: gate(SEL.code32, HANDLER, 0xee) };
    const handler: Blob = { at: HANDLER, bytes: [0x8b, 0x44, 0x24, 0x0c, 0xe7, 0xf4] };
    const machine = machineOf(toRing3([0xcd, 0x80]), [flatTable(TSS), ...tss, open, handler]);
    expect(run(machine).at(-1)).toEqual({ kind: 'exit', value: STACK - 0x800 });
    const { cpu } = machine.observe();
    expect(cpu.cpl).toBe(0);
    expect(cpu.gpr[4]).toBe(`0x${(STACK - 0x100 - 20).toString(16)}`);
    expect(cpu.tr.rights & 15).toBe(11);
  });

  test('ring 3 may not use a closed gate, privileged instructions, or ports without a map', () => {
    const blobs = [flatTable(TSS), ...tss, ...gates(13, 0x81), showTop];
    expect(run(machineOf(toRing3([0xcd, 0x81]), blobs))[0]).toMatchObject({ vector: 13, error: 0x81 * 8 + 2 });
    expect(run(machineOf(toRing3([0xf4]), blobs))[0]).toMatchObject({ vector: 13, error: 0 });
    expect(run(machineOf(toRing3([0xe6, 0x80]), blobs))[0]).toMatchObject({ vector: 13, error: 0 });
    const map: Blob = { at: TSS + 0x66, bytes: u16(0x10) };
    const code = toRing3([0xe6, 0x80, 0xe6, 0xa0]);
    const free = machineOf(code, [...blobs, map, { at: TSS + 0x24, bytes: [1] }]);
    expect(run(free)[0]).toMatchObject({ vector: 13, error: 0 });
    const top = STACK - 0x100 - 20;
    expect(new DataView(free.page(top >>> 12).buffer).getUint32(top & 0xfff, true)).toBe(CODE + code.length - 2);
  });

  test('SYSENTER and SYSEXIT', () => {
    const wrmsr = (msr: number, value: number): number[] => [0xb9, ...u32(msr), 0xb8, ...u32(value), 0x31, 0xd2, 0x0f, 0x30];
    const setup = [...wrmsr(0x174, SEL.code32), ...wrmsr(0x175, STACK - 0x40), ...wrmsr(0x176, HANDLER)];
    const handler: Blob = { at: HANDLER, bytes: exit(9) };
    const machine = machineOf([...PROLOGUE, ...setup, 0x0f, 0x34], [flatTable(), handler]);
    expect(run(machine)).toEqual([{ kind: 'exit', value: 9 }]);
    expect(machine.observe().cpu).toMatchObject({ cpl: 0, gpr: expect.arrayContaining([`0x${(STACK - 0x40).toString(16)}`]) });
  });
});

describe('tasks', () => {
  const [OLD, NEW] = [0x104000, 0x105000];
  const SELECTOR = 0x50;
  const table = flatTable(OLD, descriptor(NEW, 0x67, 0x89, 0));

  test('a far JMP to a task state saves one task and loads the other', () => {
    const state: Blob = {
      at: NEW + 0x20,
      bytes: [CODE + 0x300, 0x202, 1, 2, 3, 4, STACK - 0x400, 6, 7, 8, SEL.data, SEL.code32, SEL.data, SEL.data, 0, 0, 0].flatMap(u32),
    };
    const code = [...PROLOGUE, 0xb8, ...u32(SEL.tss), 0x0f, 0x00, 0xd8, 0xea, ...u32(0), SELECTOR, 0];
    const machine = machineOf(code, [table, state, { at: CODE + 0x300, bytes: exit(5) }]);
    expect(run(machine)).toEqual([{ kind: 'exit', value: 5 }]);
    const { cpu } = machine.observe();
    expect(cpu.tr).toEqual({ selector: SELECTOR, base: `0x${NEW.toString(16)}`, limit: 0x67, rights: 0x8b, usable: true });
    expect(cpu.gpr.slice(1, 4)).toEqual(['0x2', '0x3', '0x4']);
    expect(Number(cpu.cr0) & 8).toBe(8);
    const old = new DataView(machine.page(OLD >>> 12).buffer);
    expect(old.getUint32(0x20, true)).toBe(CODE + code.length);
    expect(machine.page(GDT >>> 12)[SEL.tss + 5]).toBe(0x89);
    expect(machine.page(GDT >>> 12)[SELECTOR + 5]).toBe(0x8b);
  });
});
