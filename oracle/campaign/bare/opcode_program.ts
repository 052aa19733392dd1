/**
 * Programs of random system opcodes for the bare machine: descriptors, gates, tasks, control and debug registers, ports, in the rings
 * and modes. Handlers step over what faults, a byte at a time, so that a program gets somewhere.
 */
import {
  type Blob,
  CODE,
  descriptor,
  flatTable,
  gate,
  IDT,
  imageOf,
  PROLOGUE,
  SEL,
  STACK,
  u16,
  u32,
  u64,
} from '../../executor/bare/fixture.ts';
import { Stream } from '../../generators/isa/stream.ts';

/** Streams of other generators begin elsewhere. */
const BRANCH = 0x0b5c;

/** Where a program begins to run: 32-bit code in ring 0 or 3, with or without paging; virtual-8086 mode; 64-bit code; compatibility mode. */
type Start = 'ring0' | 'paged' | 'ring3' | 'v86' | 'long' | 'long3';
const STARTS: readonly Start[] = ['ring0', 'paged', 'ring3', 'v86', 'long', 'long3'];

const [BODY, LOW] = [0x100d00, 0x7000];
const [HANDLER, WITH_ERROR] = [0x103000, 0x103100];
const [TSS, OTHER_TSS, LDT] = [0x104000, 0x105000, 0x106000];
const [PML4, PDPT, PD] = [0x108000, 0x109000, 0x10a000];
const ERROR_CODES: readonly number[] = [8, 10, 11, 12, 13, 14, 17];
const GATES = 64;

const SYSTEM: readonly (readonly number[])[] = [
  ...[0, 1, 2, 3, 5, 6, 7, 9, 0x20, 0x21, 0x22, 0x23, 0x30, 0x31, 0x32, 0x34, 0x35, 0xa0, 0xa1, 0xa8, 0xa9, 0xb2, 0xb4, 0xb5, 0xc7],
].map((byte) => [0x0f, byte]);
const PLAIN: readonly (readonly number[])[] = [
  ...[0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x50, 0x58, 0x60, 0x61, 0x63, 0x6c, 0x6e, 0x89, 0x8b, 0x8c, 0x8e, 0x9a, 0x9c, 0x9d],
  ...[0xa4, 0xc3, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xe4, 0xe8, 0xea, 0xec, 0xee, 0xf1, 0xfa, 0xfb, 0xff, 0xff],
].map((byte) => [byte]);
const WHOLE: readonly (readonly number[])[] = [
  [0x0f, 0x01, 0xd0],
  [0x0f, 0x01, 0xf8],
  [0xe6, 0x80],
];
const OPCODES = [...SYSTEM, ...SYSTEM, ...PLAIN, ...WHOLE];
const PREFIXES: readonly number[] = [0x2e, 0x36, 0x64, 0x65, 0x67, 0xf3, 0xf0];

/** Selectors, control register values, MSR numbers, addresses, flags. */
const value = (s: Stream): number => {
  switch (s.below(6)) {
    case 0:
      return s.pick([0x80000031, 0x11, 0x620, 0x200620, 0x60000010]);
    case 1:
      return 0xc0000080 + s.below(5);
    case 2:
      return 0x100000 + s.below(0x8000);
    case 3:
      return 0x2 | (s.below(2) << 8) | (s.below(4) << 12);
    case 4:
      return s.bits();
    default:
      return 8 * s.below(18) + s.pick([0, 0, 3]);
  }
};

const INSTRUCTIONS = 60;
const body = (s: Stream, long: boolean): number[] => {
  const code: number[] = [];
  for (let n = 0; n < INSTRUCTIONS; n++) {
    if (s.one(5)) {
      code.push(0xb8 + s.below(8), ...u32(value(s)));
      continue;
    }
    if (s.one(4)) code.push(0x66);
    if (s.one(8)) code.push(s.pick(PREFIXES));
    if (long && s.one(3)) code.push(0x40 + s.below(16));
    code.push(...s.pick(OPCODES), s.one(2) ? 0xc0 + s.below(64) : s.below(256));
    if (s.one(2)) code.push(s.pick([0, 8, 0x10, s.below(256)]), s.pick([0, s.below(256)]));
  }
  return code;
};

const cr = (number: number, to: number): number[] => [0xb8, ...u32(to), 0x0f, 0x22, 0xc0 | (number << 3)];
const wrmsr = (msr: number, to: number): number[] => [0xb9, ...u32(msr), 0xb8, ...u32(to), 0x31, 0xd2, 0x0f, 0x30];
const push = (...values: readonly number[]): number[] => values.flatMap((each) => [0x68, ...u32(each)]);
const loadTask = [0xb8, ...u32(SEL.tss), 0x0f, 0x00, 0xd8];

/** The way to the body. */
const wayTo = (s: Stream, start: Start, program: readonly number[]): number[] => {
  const flags = 0x2 | (s.below(4) << 12);
  const toBody = [0xb8, ...u32(BODY), 0xff, 0xe0];
  switch (start) {
    case 'ring0':
      return toBody;
    case 'paged':
      return [...cr(4, 0x630), ...cr(3, PDPT), ...cr(0, 0x80000031), ...toBody];
    case 'ring3':
      return [...push(SEL.dataUser, STACK - 0x800, flags, SEL.code32user, BODY), 0xcf];
    case 'v86':
      return [
        ...program.slice(0, 120).flatMap((byte, n) => [0xc6, 0x05, ...u32(LOW + n), byte]),
        ...push(0, 0, 0, 0, 0x100, 0x6000, 0x20000 | flags, LOW >>> 4, 0),
        0xcf,
      ];
    default:
      return [
        ...[...cr(4, 0x620), ...cr(3, PML4), ...wrmsr(0xc0000080, 0x901), ...cr(0, 0x80000031)],
        ...[0xea, ...u32(BODY), ...u16(SEL.code64)],
      ];
  }
};

/** IRETQ to 64-bit, 32-bit or 16-bit code of ring 3. */
const USER_CODE: readonly number[] = [0x73, SEL.code32user, 0x7b];
const FRAME_BYTES = 22;
const toRing3 = (s: Stream): number[] => [
  ...[0x6a, SEL.dataUser, ...push(STACK - 0x800, 0x2 | (s.below(4) << 12)), 0x6a, s.pick(USER_CODE)],
  ...[...push(BODY + FRAME_BYTES), 0x48, 0xcf],
];

const handlers = (long: boolean): readonly Blob[] => {
  const skip = long ? [0x48, 0x83, 0x04, 0x24, 1, 0x48, 0xcf] : [0x83, 0x04, 0x24, 1, 0xcf];
  const drop = long ? [0x48, 0x83, 0xc4, 8] : [0x83, 0xc4, 4];
  const gates = Array.from({ length: GATES }, (_, vector): Blob => {
    const [to, access] = [ERROR_CODES.includes(vector) ? WITH_ERROR : HANDLER, vector >= 32 ? 0xef : 0x8e];
    if (!long) return { at: IDT + 8 * vector, bytes: gate(SEL.code32, to, access) };
    return { at: IDT + 16 * vector, bytes: [...gate(SEL.code64, to, access), ...u64(0n)] };
  });
  return [...gates, { at: HANDLER, bytes: skip }, { at: WITH_ERROR, bytes: [...drop, ...skip] }];
};

/** A second task, a call gate, a task gate, a local table, and code and data of ring 3. */
const EXTRA: readonly number[] = [
  ...[...descriptor(OTHER_TSS, 0x67, 0x89, 0), ...gate(SEL.code32, CODE + 200, 0xec), ...gate(0x50, 0, 0xe5)],
  ...[...descriptor(LDT, 0xff, 0x82, 0), ...descriptor(0, 0xfffff, 0xfb, 0xa), ...descriptor(0, 0xfffff, 0xfb, 4)],
  ...[...descriptor(LOW, 0xfff, 0xfb, 0), ...descriptor(0, 0xfff, 0xf7, 4)],
];

const tasks = (long: boolean): readonly Blob[] => {
  const stacks = long ? [...u64(BigInt(STACK - 0x1000)), ...u64(BigInt(STACK - 0x1400))] : [...u32(STACK - 0x1000), ...u32(SEL.data)];
  const registers = [CODE + 300, 0x2, 1, 2, 3, 4, STACK - 0x400, 6, 7, 8];
  const other = [PML4, ...registers, SEL.data, SEL.code32, SEL.data, SEL.data, 0, 0, 0, 0x680000];
  return [
    { at: TSS + 4, bytes: stacks },
    { at: TSS + 0x66, bytes: u16(0x68) },
    { at: OTHER_TSS + 4, bytes: [...u32(STACK - 0x200), ...u32(SEL.data)] },
    { at: OTHER_TSS + 0x1c, bytes: other.flatMap(u32) },
  ];
};

/** Tables for four levels and for PAE: the lowest 8 MiB as they are, some of them for ring 0 or reading alone. */
const paging = (long: boolean): readonly Blob[] => {
  const entry = BigInt(PD | (long ? 7 : 1));
  return [
    { at: PML4, bytes: u64(BigInt(PDPT | 7)) },
    { at: PDPT, bytes: [entry, entry, long ? entry : 0n, entry].flatMap(u64) },
    { at: PD, bytes: [0x87n, 0x200087n, 0x400085n, 0x600083n].flatMap(u64) },
  ];
};

/** The image of a seed, always the same. */
export const opcodeProgram = (seed: number): Uint8Array => {
  const s = new Stream(seed, BRANCH);
  const start = s.pick(STARTS);
  const long = start === 'long' || start === 'long3';
  const program = body(s, start === 'long');
  const code = [...PROLOGUE, ...loadTask, ...wayTo(s, start, program)];
  const inBody = start === 'long3' ? [...toRing3(s), ...program] : program;
  return imageOf(code, [flatTable(TSS, EXTRA), ...handlers(long), ...tasks(long), ...paging(long), { at: BODY, bytes: inBody }]);
};
