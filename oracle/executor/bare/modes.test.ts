import { describe, expect, test } from 'vitest';
import { type Blob, CODE, exit, flatTable, GDT, IDT, machineOf, PROLOGUE, run, SEL, STACK, u16, u32, u64 } from './fixture.ts';

const PML4 = 0x108000;
const PDPT = 0x109000;
const PD = 0x10a000;
const LONG_CODE = 0x101000 - 0x300;

/** Identity of the lowest 2 MiB, by one large page. */
const identity: readonly Blob[] = [
  { at: PML4, bytes: u64(BigInt(PDPT | 7)) },
  { at: PDPT, bytes: u64(BigInt(PD | 7)) },
  { at: PD, bytes: u64(0x87n) },
];

/** MOV EAX, n; MOV CRx, EAX. */
const cr = (number: number, value: number): number[] => [0xb8, ...u32(value), 0x0f, 0x22, 0xc0 | (number << 3)];
const wrmsr = (msr: number, lo: number, hi = 0): number[] => [0xb9, ...u32(msr), 0xb8, ...u32(lo), 0xba, ...u32(hi), 0x0f, 0x30];

/** Into long mode, and to 64-bit code at LONG_CODE. */
const toLong = [
  ...PROLOGUE,
  ...cr(4, 0x620),
  ...cr(3, PML4),
  ...wrmsr(0xc0000080, 0x901),
  ...cr(0, 0x80000031),
  ...[0xea, ...u32(LONG_CODE), ...u16(SEL.code64)],
];

describe('long mode', () => {
  const boot = (code: readonly number[], blobs: readonly Blob[] = []) =>
    machineOf(toLong, [flatTable(), ...identity, { at: LONG_CODE, bytes: code }, ...blobs]);

  test('is entered by CR4.PAE, EFER.LME, CR0.PG and a far jump', () => {
    const machine = boot([0x48, 0xb8, ...u64(0x123456789abcdefn), ...exit(1)]);
    expect(run(machine)).toEqual([{ kind: 'exit', value: 1 }]);
    const { cpu } = machine.observe();
    expect(cpu.gpr[0]).toBe('0x123456789abcd01');
    expect(cpu.segments[1].rights & 0x2000).toBe(0x2000);
    expect(cpu.msrs.find(([number]) => number === 0xc0000080)).toEqual([0xc0000080, '0xd01']);
  });

  test('page tables get accessed and dirty bits', () => {
    const machine = boot([0x88, 0x04, 0x25, ...u32(0x1000), ...exit(1)]);
    run(machine);
    expect(machine.page(PML4 >>> 12)[0]).toBe(0x27);
    expect(machine.page(PD >>> 12)[0]).toBe(0xe7);
  });

  test('a page fault tells CR2 and its cause; interrupts push an aligned frame of five words', () => {
    const gate = [...u16(LONG_CODE + 0x100), ...u16(SEL.code64), 0, 0x8e, ...u16(LONG_CODE >>> 16), ...u64(0n)];
    const handler: Blob = { at: LONG_CODE + 0x100, bytes: [0x58, 0xe7, 0xf4] };
    const machine = boot([0x88, 0x04, 0x25, ...u32(0x200000)], [{ at: IDT + 16 * 14, bytes: gate }, handler]);
    expect(run(machine)).toEqual([
      { kind: 'exception', vector: 14, error: 2, address: '0x200000', software: false },
      { kind: 'exit', value: 2 },
    ]);
    expect(machine.observe().cpu).toMatchObject({ cr2: '0x200000', gpr: expect.arrayContaining([`0x${(STACK - 40).toString(16)}`]) });
  });

  test('SYSCALL and SYSRET', () => {
    const star = [
      ...wrmsr(0xc0000081, 0, (SEL.code64 << 16) | SEL.code64),
      ...wrmsr(0xc0000082, LONG_CODE + 0x80),
      ...wrmsr(0xc0000084, 0x200),
    ];
    const sysret = [0xb9, ...u32(LONG_CODE + 0x60), 0x41, 0xbb, ...u32(0x202), 0x48, 0x0f, 0x07];
    const machine = boot(
      [...star, ...sysret],
      [
        { at: LONG_CODE + 0x60, bytes: [0x0f, 0x05] },
        { at: LONG_CODE + 0x80, bytes: exit(7) },
      ],
    );
    expect(run(machine)).toEqual([{ kind: 'exit', value: 7 }]);
    const { cpu } = machine.observe();
    expect(cpu.gpr[1]).toBe(`0x${(LONG_CODE + 0x62).toString(16)}`);
    expect(cpu.gpr[11]).toBe('0x202');
    expect(cpu.rflags).toBe('0x2');
    expect(cpu.cpl).toBe(0);
  });

  test('SWAPGS, and a base that is not canonical', () => {
    const machine = boot([...wrmsr(0xc0000102, 0x1234), 0x0f, 0x01, 0xf8, ...wrmsr(0xc0000101, 0, 0x8000)]);
    expect(run(machine)).toEqual([{ kind: 'shutdown', why: 'triple-fault' }]);
    expect(machine.observe().cpu.segments[5].base).toBe('0x1234');
  });
});

describe('paging', () => {
  const DIRECTORY = 0x108000;
  const TABLE = 0x109000;
  const ENTRIES = Array.from({ length: 512 }, (_, n) => u32((n << 12) | 3)).flat();

  test('32-bit: write protection counts in ring 0 with CR0.WP only; changes of tables are seen at once', () => {
    const readOnly = [0xc7, 0x05, ...u32(TABLE + 4 * 0x50), ...u32(0x50001)];
    const write = [0xc6, 0x05, ...u32(0x50000), 0x55];
    const code = [...PROLOGUE, ...cr(3, DIRECTORY), ...cr(0, 0x80000011), ...write, ...readOnly, ...write, ...cr(0, 0x80010011), ...write];
    const machine = machineOf(code, [flatTable(), { at: DIRECTORY, bytes: u32(TABLE | 3) }, { at: TABLE, bytes: ENTRIES }]);
    expect(run(machine)).toEqual([{ kind: 'shutdown', why: 'triple-fault' }]);
    expect(machine.observe().cpu.cr2).toBe('0x50000');
    expect(machine.page(0x50)[0]).toBe(0x55);
    expect(machine.page(TABLE >>> 12)[4 * 0x50]).toBe(0x61);
  });

  test('4 MiB pages with CR4.PSE', () => {
    const code = [...PROLOGUE, ...cr(4, 0x10), ...cr(3, DIRECTORY), ...cr(0, 0x80000011), 0xa1, ...u32(0x400000 + CODE), ...exit(2)];
    const machine = machineOf(code, [flatTable(), { at: DIRECTORY, bytes: [...u32(0x83), ...u32(0x83)] }]);
    expect(run(machine)).toEqual([{ kind: 'exit', value: 2 }]);
    expect(machine.page(DIRECTORY >>> 12).slice(0, 8)).toEqual(Uint8Array.from([...u32(0xa3), ...u32(0xa3)]));
  });

  test('PAE: a root with a reserved bit is refused when it is loaded', () => {
    const code = [...PROLOGUE, ...cr(4, 0x20), ...cr(3, DIRECTORY), ...cr(0, 0x80000011), ...exit(3)];
    const good = machineOf(code, [flatTable(), { at: DIRECTORY, bytes: u64(BigInt(TABLE | 1)) }, { at: TABLE, bytes: u64(0x83n) }]);
    expect(run(good)).toEqual([{ kind: 'exit', value: 3 }]);
    expect(good.page(DIRECTORY >>> 12)[0]).toBe(1);
    const bad = machineOf(code, [flatTable(), { at: DIRECTORY, bytes: u64(BigInt(TABLE | 3)) }, { at: TABLE, bytes: u64(0x83n) }]);
    expect(run(bad)).toEqual([{ kind: 'shutdown', why: 'triple-fault' }]);
  });
});

describe('real and virtual-8086 mode', () => {
  const REAL = 0x7000;
  /** Code for low memory is brought there first. */
  const copy = (bytes: readonly number[]): number[] => bytes.flatMap((byte, n) => [0xc6, 0x05, ...u32(REAL + n), byte]);

  test('back to real mode, and an interrupt through the table at 0', () => {
    // A 16-bit stack segment, which real mode keeps; MOV CR0, 0; JMP 0:…; MOV SS, AX; MOV SP; INT 0x21
    const leave = [0xb8, ...u16(SEL.data16), 0x8e, 0xd0, 0x66, 0x31, 0xc0, 0x0f, 0x22, 0xc0];
    const body = [...leave, 0xea, ...u16(REAL + leave.length + 5), 0, 0, 0x8e, 0xd0, 0xbc, ...u16(0x6000), 0xcd, 0x21];
    const handler = [...exit(6)];
    const vector = [0xc7, 0x05, ...u32(4 * 0x21), ...u32(REAL + 0x40)];
    const lidt = [0x0f, 0x01, 0x1d, ...u32(CODE + 0x7f0)];
    const all = [...body, ...new Array<number>(0x40 - body.length).fill(0x90), ...handler];
    const code = [...PROLOGUE, ...copy(all), ...vector, ...lidt, 0xea, ...u32(REAL), ...u16(SEL.code16)];
    const machine = machineOf(code, [flatTable(), { at: CODE + 0x7f0, bytes: [...u16(0x3ff), ...u32(0)] }]);
    expect(run(machine)).toEqual([
      { kind: 'exception', vector: 0x21, error: null, address: null, software: true },
      { kind: 'exit', value: 6 },
    ]);
    const { cpu } = machine.observe();
    expect(cpu.gpr[4]).toMatch(/5ffa$/);
    const stack = new DataView(machine.page(5).buffer);
    expect(stack.getUint16(0xffa, true)).toBe(REAL + body.length);
  });

  test('IRET to virtual-8086 mode, where ports ask the map', () => {
    const tss = 0x104000;
    const ring0: readonly Blob[] = [
      { at: tss + 4, bytes: [...u32(STACK - 0x100), ...u32(SEL.data)] },
      { at: tss + 0x66, bytes: u16(0x68) },
    ];
    const handler: Blob = { at: CODE + 0x600, bytes: [0x58, 0x8b, 0x44, 0x24, 0x04, 0xe7, 0xf4] };
    const gp: Blob = { at: IDT + 8 * 13, bytes: [...u16((CODE + 0x600) & 0xffff), ...u16(SEL.code32), 0, 0x8e, ...u16(CODE >>> 16)] };
    const frame = [0, 0, 0, 0, 0x100, 0x6000, 0x20002, REAL >>> 4, 4].flatMap((value) => [0x68, ...u32(value)]);
    const code = [...PROLOGUE, ...copy([0x90, 0x90, 0x90, 0x90, 0xe6, 0x80]), 0xb8, ...u32(SEL.tss), 0x0f, 0x00, 0xd8, ...frame, 0xcf];
    const machine = machineOf(code, [flatTable(tss), ...ring0, gp, handler]);
    expect(run(machine)).toEqual([
      { kind: 'exception', vector: 13, error: 0, address: null, software: false },
      { kind: 'exit', value: 0x700 },
    ]);
    const { cpu } = machine.observe();
    expect(cpu.segments[3].usable).toBe(false);
    expect(cpu.gdtr).toEqual({ base: `0x${GDT.toString(16)}`, limit: 0x1ff });
  });
});
