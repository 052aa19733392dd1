/** Images by multiboot and PVH, and images that are none. */

import { describe, expect, test } from 'vitest';
import { INFO, MULTIBOOT, PVH } from '#spec/bare/boot.ts';
import { barePc } from '#spec/machines/bare_pc.ts';
import { CS, RAX, RBX } from '../cpu/x86/state.ts';
import { read } from '../memory/access.ts';
import { bootBareMachine } from './boot.ts';
import type { Machine } from './machine.ts';

const dwordAt = ({ memory }: Machine, at: number): number => read(memory, at >> 12, at & 0xfff, 4).lo >>> 0;
const textAt = (m: Machine, at: number): string => {
  const byte = read(m.memory, at >> 12, at & 0xfff, 1).lo;
  return byte === 0 ? '' : String.fromCharCode(byte) + textAt(m, at + 1);
};

/** A file of dwords from `at` on. */
const file = (length: number, ...parts: readonly (readonly [at: number, dwords: readonly number[]])[]): Uint8Array => {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  for (const [at, dwords] of parts) for (const [n, value] of dwords.entries()) view.setUint32(at + 4 * n, value >>> 0, true);
  return bytes;
};
const header = (flags: number, ...addresses: readonly number[]): readonly number[] => [
  MULTIBOOT.HEADER_MAGIC,
  flags,
  -(MULTIBOOT.HEADER_MAGIC + flags),
  ...addresses,
];
/** An ELF32 file with one segment of the whole file at `paddr`, and a note. */
const elf32 = (paddr: number, ...parts: readonly (readonly [at: number, dwords: readonly number[]])[]): Uint8Array =>
  file(
    0x200,
    [0, [0x464c457f, 0x00010101, 0, 0, 0x00030002, 1, 0x100100, 0x34, 0, 0, 0x00200034, 2]],
    [0x34, [1, 0, paddr, paddr, 0x200, 0x1000, 7, 4, 4, 0x180, 0, 0, 20, 20, 4, 4]],
    ...parts,
  );
const NOTE = [0x180, [4, 4, PVH.NOTE_TYPE, 0x006e6558, 0x100140]] as const;

describe('multiboot', () => {
  test('loads an ELF file by its headers', () => {
    const m = bootBareMachine(barePc('quiet', 16), elf32(0x100000, [0x100, header(3)]));
    expect([m.cpu.rip.lo, m.cpu.regs[RAX].lo, m.cpu.regs[RBX].lo]).toEqual([0x100100, MULTIBOOT.LOADED_MAGIC, INFO.info]);
    expect(dwordAt(m, 0x100100)).toBe(MULTIBOOT.HEADER_MAGIC);
    const field = (name: keyof typeof MULTIBOOT.INFO): number => dwordAt(m, INFO.info + MULTIBOOT.INFO[name]);
    expect([field('flags'), field('mem_lower'), field('mem_upper')]).toEqual([MULTIBOOT.INFO_FLAGS, 639, 15 * 1024]);
    expect([textAt(m, field('cmdline')), textAt(m, field('boot_loader_name'))]).toEqual(['quiet', 'xenspec']);
    const last = field('mmap_addr') + 3 * MULTIBOOT.MMAP_ENTRY_BYTES;
    expect([0, 4, 12, 20].map((n) => dwordAt(m, last + n))).toEqual([20, 0x100000, 15 << 20, 1]);
  });
  test('loads what a header with addresses says', () => {
    const image = file(0x100, [0x20, header(0x10000, 0x100020, 0x100000, 0, 0x102000, 0x100040)], [0x40, [0x12345678]]);
    const m = bootBareMachine(barePc('', 16), image);
    expect([m.cpu.rip.lo, dwordAt(m, 0x100040)]).toEqual([0x100040, 0x12345678]);
  });
  test('comes before PVH', () => {
    expect(bootBareMachine(barePc('', 16), elf32(0x100000, [0x100, header(0)], NOTE)).cpu.regs[RAX].lo).toBe(MULTIBOOT.LOADED_MAGIC);
  });
});

test('PVH enters where the note says', () => {
  const m = bootBareMachine(barePc('quiet', 16), elf32(0x100000, NOTE));
  expect([m.cpu.rip.lo, m.cpu.regs[RBX].lo, m.cpu.system.mode]).toEqual([0x100140, INFO.info, 'prot32']);
  expect([dwordAt(m, INFO.info), dwordAt(m, INFO.info + PVH.START_INFO.memmap_entries)]).toEqual([PVH.MAGIC, 5]);
  expect(textAt(m, dwordAt(m, INFO.info + PVH.START_INFO.cmdline_paddr))).toBe('quiet');
  expect(m.cpu.segments.hidden[CS]).toMatchObject({ limit: 0xffffffff, rights: 0xc09b });
});

describe('no image', () => {
  test.each([
    ['is anything else', file(0x200)],
    ['is an ELF file without a note', elf32(0x100000)],
    ['lies outside RAM', elf32(0x1000000, NOTE)],
    ['lies in the hole', elf32(0xa0000, NOTE)],
    ['lies where the information goes', elf32(0x9000, NOTE)],
    ['has a segment that is larger in the file', elf32(0x100000, NOTE, [0x34 + 20, [0x100]])],
    ['is for another processor', elf32(0x100000, NOTE, [0x10, [0x00280002]])],
    ['asks for video', elf32(0x100000, [0x100, header(4)])],
    ['is cut', elf32(0x100000, NOTE).subarray(0, 0x190)],
  ])('%s', (_, image) => expect(() => bootBareMachine(barePc('', 16), image)).toThrow('image: '));
  test('has too long a command line', () => {
    expect(() => bootBareMachine(barePc('x'.repeat(0x800), 16), elf32(0x100000, NOTE))).toThrow('command line');
  });
});
