import { describe, expect, test } from 'vitest';
import { INFO, MULTIBOOT, PVH } from '#spec/bare/boot.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import { barePc } from '#spec/machines/bare_pc.ts';
import { bootBare } from './engine.ts';
import { CODE, exit, imageOf, machineOf, run, say, u16, u32 } from './fixture.ts';

const dword = (page: Uint8Array, at: number): number => new DataView(page.buffer, page.byteOffset).getUint32(at & 0xfff, true);

/** A 32-bit ELF file with one segment at 1 MiB and a note. */
const pvhElf = (code: readonly number[], entry: number): Uint8Array => {
  const note = [...u32(4), ...u32(4), ...u32(PVH.NOTE_TYPE), 0x58, 0x65, 0x6e, 0, ...u32(entry)];
  const headers = 52 + 2 * 32;
  const programHeader = (type: number, offset: number, at: number, size: number): number[] =>
    [type, offset, at, at, size, size + (type === 1 ? 16 : 0), 7, 4].flatMap(u32);
  return Uint8Array.from([
    ...[0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ...[...u16(2), ...u16(3), ...u32(1), ...u32(0), ...u32(52), ...u32(0), ...u32(0), ...u16(52), ...u16(32), ...u16(2)],
    ...[...u16(40), ...u16(0), ...u16(0)],
    ...programHeader(1, headers + note.length, 0x100000, code.length),
    ...programHeader(4, headers, 0, note.length),
    ...note,
    ...code,
  ]);
};

describe('booting', () => {
  test('multiboot: registers and information', () => {
    const machine = bootBare(barePc('hello', 16), imageOf([0xf4]));
    const { cpu } = machine.observe();
    expect(cpu.gpr[0]).toBe('0x2badb002');
    expect(cpu.gpr[3]).toBe('0x9000');
    expect(cpu.rip).toBe(`0x${CODE.toString(16)}`);
    expect(cpu.cr0).toBe('0x11');
    expect(cpu.segments[1]).toEqual({ selector: 8, base: '0x0', limit: 0xffffffff, rights: 0xc09b, usable: true });
    const page = machine.page(INFO.first >>> 12);
    expect(dword(page, INFO.info + MULTIBOOT.INFO.mem_upper)).toBe(15 * 1024);
    expect(dword(page, INFO.info + MULTIBOOT.INFO.flags)).toBe(MULTIBOOT.INFO_FLAGS);
    expect(String.fromCharCode(...page.slice(INFO.cmdline & 0xfff, (INFO.cmdline & 0xfff) + 6))).toBe('hello\0');
  });

  test('PVH: the note says where', () => {
    const machine = bootBare(barePc('', 16), pvhElf([0x90, 0x90, ...exit(3)], 0x100002));
    expect(machine.observe().cpu.rip).toBe('0x100002');
    expect(dword(machine.page(INFO.first >>> 12), INFO.info)).toBe(PVH.MAGIC);
    expect(run(machine)).toEqual([{ kind: 'exit', value: 3 }]);
    expect(machine.status().ended).toEqual({ exit: 3 });
  });

  test.each([
    ['nothing', new Uint8Array(100)],
    ['an empty file', new Uint8Array()],
    ['an ELF file without a note', pvhElf([0x90], 0).map((byte, n) => (n === 124 ? 17 : byte))],
  ])('%s is no image', (_, file) => {
    expect(() => bootBare(barePc('', 16), file)).toThrow(BadInput);
  });

  test('an image must fit', () => {
    expect(() => bootBare(barePc('', 1), imageOf([0xf4]))).toThrow(BadInput);
    expect(() => bootBare(barePc('x'.repeat(3000), 16), imageOf([0xf4]))).toThrow(BadInput);
  });
});

describe('running', () => {
  test('debugcon bytes are joined, exit takes three sizes', () => {
    expect(run(machineOf([...say('h'), ...say('i'), ...exit(1)]))).toEqual([
      { kind: 'debugcon', bytes: 'hi' },
      { kind: 'exit', value: 1 },
    ]);
    expect(run(machineOf([0xb8, ...u32(0x12345678), 0x66, 0xe7, 0xf4]))).toEqual([{ kind: 'exit', value: 0x5678 }]);
    expect(run(machineOf([0xb8, ...u32(0x12345678), 0xe7, 0xf4]))).toEqual([{ kind: 'exit', value: 0x12345678 }]);
  });

  test('steps are counted one by one, and iterations of REP too', () => {
    const machine = machineOf([0x90, 0x90, 0xb9, ...u32(5), 0xbf, ...u32(0x200000), 0xf3, 0xaa, 0xf4]);
    expect(machine.apply({ kind: 'execute', steps: 3 }).retired).toBe(3);
    expect(machine.apply({ kind: 'execute', steps: 100 })).toEqual({ events: [{ kind: 'halted' }], retired: 7 });
    expect(machine.apply({ kind: 'execute', steps: 100 })).toEqual({ events: [], retired: 0 });
    expect(machine.status()).toMatchObject({ halted: true, ended: null });
  });

  test('a reset ends it', () => {
    expect(run(machineOf([0xb0, 0xfe, 0xe6, 0x64]))).toEqual([{ kind: 'shutdown', why: 'reset' }]);
    expect(run(machineOf([0xba, ...u32(0xcf9), 0xb0, 6, 0xee]))).toEqual([{ kind: 'shutdown', why: 'reset' }]);
    expect(run(machineOf([0xb0, 3, 0xe6, 0x92]))).toEqual([{ kind: 'shutdown', why: 'reset' }]);
  });

  test('an exception without a table is a triple fault', () => {
    const machine = machineOf([0x0f, 0x0b]);
    expect(run(machine)).toEqual([{ kind: 'shutdown', why: 'triple-fault' }]);
    expect(machine.observe().cpu.activity).toBe('shutdown');
    expect(machine.apply({ kind: 'execute', steps: 5 })).toEqual({ events: [], retired: 0 });
  });

  test('what is not modelled says what came before', () => {
    const machine = machineOf([...say('a'), 0xba, ...u32(0xcf8), 0xed]);
    try {
      run(machine);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(NotModelled);
      expect((error as NotModelled).what).toBe('hardware/pci');
      expect((error as NotModelled).bareBefore).toMatchObject({ events: [{ kind: 'debugcon', bytes: 'a' }] });
    }
  });

  test('time-stamp counter: steps, time, and what software adds', () => {
    const machine = machineOf([0x0f, 0x31, 0x90, 0x0f, 0x31, 0xb9, ...u32(0x10), 0x31, 0xc0, 0x31, 0xd2, 0x0f, 0x30, 0x0f, 0x31]);
    const eax = (): string => machine.observe().cpu.gpr[0];
    machine.apply({ kind: 'time', now: 1000 });
    machine.apply({ kind: 'execute', steps: 1 });
    expect(eax()).toBe('0x3e8');
    machine.apply({ kind: 'execute', steps: 2 });
    expect(eax()).toBe('0x3ea');
    machine.apply({ kind: 'execute', steps: 5 });
    expect(eax()).toBe('0x1');
  });

  test('random values come from the configuration', () => {
    const machine = machineOf([0x0f, 0xc7, 0xf0, 0x0f, 0xc7, 0xf1, 0x0f, 0xc7, 0xf2], [], { random: ['0x5', '0x7'] });
    machine.apply({ kind: 'execute', steps: 3 });
    expect(machine.observe().cpu.gpr.slice(0, 3)).toEqual(['0x5', '0x7', '0x7']);
  });
});
