/** Paging with each permission bit, canonical addresses, alignment, single step and breakpoints, shadows, devices unavailable, double faults. */
import type { Action, SystemCase } from '#oracle/image/bare/case.ts';
import { bitsOf, isLong, pageOf } from '#oracle/image/bare/case.ts';
import { NX_HIGH, PTE } from '#oracle/image/bare/descriptors.ts';
import { IDT32, IDT64, TABLES, WINDOW, WINDOW_FRAMES } from '#oracle/image/bare/layout.ts';
import type { Stream } from '../../isa/stream.ts';
import { absolute, dataAt, dataOffset, movImmediate, type Place, rowOf } from '../assemble.ts';
import { store } from '../descriptor.ts';
import { LONG_MODES, PROTECTED, somePlace } from '../places.ts';
import type { Family } from './family.ts';

const CR0_WP = 0x10000;
const CR0_AM = 0x40000;
const CR4_SMEP = 0x100000;
const CR4_SMAP = 0x200000;
const EFER_NXE = 0x800;
const AC = 0x40000;
const PAGE_INDEX = WINDOW >> 12;
const BIG = 0x400000;

/** Bits of an entry, each off or odd now and then. */
const rights = (s: Stream): number =>
  (s.one(6) ? 0 : PTE.p) |
  (s.one(3) ? 0 : PTE.rw) |
  (s.one(3) ? 0 : PTE.us) |
  (s.one(4) ? PTE.a : 0) |
  (s.one(4) ? PTE.d : 0) |
  (s.one(6) ? PTE.g : 0);
const high = (s: Stream, width: number): number => (s.one(4) ? NX_HIGH : 0) | (s.one(6) ? 1 << s.int(width - 32, 30) : 0);

/** Entries that lead to the access's address, written as the mode has them. */
const mapping = (s: Stream, at: Place): { readonly linear: number; readonly before: readonly Action[]; readonly cr4: number } => {
  const big = s.one(3);
  const linear = big ? BIG : WINDOW;
  if (at.paging === '32') {
    const node = TABLES.pt32 | rights(s) | PTE.p;
    if (big)
      return {
        linear,
        before: store(TABLES.pd32 + 4, [rights(s) | PTE.ps | (s.one(5) ? 0x2000 << s.below(9) : 0)]),
        cr4: s.one(4) ? 0 : 0x10,
      };
    return {
      linear,
      before: [
        ...store(TABLES.pt32 + 4 * PAGE_INDEX, [WINDOW_FRAMES | rights(s)]),
        ...(at.ring === 3 ? [] : store(TABLES.pd32, [node | PTE.us | PTE.rw])),
      ],
      cr4: 0,
    };
  }
  const tables = at.paging === 'pae' ? { pd: TABLES.pdpae, pt: TABLES.ptpae } : { pd: TABLES.pd64, pt: TABLES.pt64 };
  if (big) {
    const reserved = s.one(5) ? 0x2000 << s.below(8) : 0;
    return { linear, before: store(tables.pd + 16, [rights(s) | PTE.ps | reserved, high(s, 40)]), cr4: 0 };
  }
  return { linear, before: store(tables.pt + 8 * PAGE_INDEX, [WINDOW_FRAMES | rights(s), high(s, 40)]), cr4: 0 };
};

const page = (s: Stream): SystemCase => {
  const modes = (['prot32', 'prot16', 'compat32', '64', '64', 'prot32'] as const).filter(() => true);
  let at = somePlace(s, modes);
  if (at.paging === 'none') at = { ...at, paging: s.pick(['32', 'pae']) };
  const { linear, before, cr4 } = mapping(s, at);
  const offset = s.pick([0x100, 0x104, 0x100, 0xffe, 0xfff]);
  const address = linear + (linear === BIG ? WINDOW_FRAMES : 0) + offset;
  const write = s.one(2);
  const how = s.pick(['data', 'data', 'data', 'fetch'] as const);
  const wide = bitsOf(at.mode) === 16 ? [0x67] : [];
  const bits = bitsOf(at.mode) === 16 ? 32 : bitsOf(at.mode);
  const code =
    how === 'data'
      ? [...wide, write ? 0x89 : 0x8b, ...absolute(bits, 1, address)]
      : [...movImmediate(at, 0, address), ...(bitsOf(at.mode) === 16 ? [0x66] : []), 0xff, 0xe0];
  const row = how === 'fetch' ? rowOf('jmp', '1 ff') : rowOf('mov', write ? '1 89' : '1 8b');
  // A 16-bit segment's limit would refuse first.
  const flat = at.ring === 0 ? 0x10 : 0x3b;
  const features = (s.one(3) ? CR4_SMEP : 0) | (s.one(3) ? CR4_SMAP : 0);
  return {
    ...at,
    row,
    note: `page ${how}${how === 'data' ? (write ? ' write' : ' read') : ''}`,
    code,
    gpr: { 1: 0x1234n },
    segments: { ds: flat },
    cr0: s.one(2) ? CR0_WP : 0,
    cr4: cr4 | features,
    efer: s.one(3) ? 0 : EFER_NXE,
    flags: s.one(2) ? AC : 0,
    // UD2 wherever a fetch begins, across the pages too.
    before: [
      ...before,
      ...store(WINDOW_FRAMES + 0x100, [0x0b0f0b0f, 0x0b0f0b0f]),
      ...store(WINDOW_FRAMES + 0xffc, offset === 0xfff ? [0x0f000000, 0x0b] : [0x0b0f0000]),
    ],
  };
};

/** 1 GiB pages, and reserved bits in the levels above the page table. */
const upper = (s: Stream): SystemCase => {
  const at = somePlace(s, LONG_MODES);
  const wide = bitsOf(at.mode) === 16 ? [0x67] : [];
  const bits = bitsOf(at.mode) === 16 ? 32 : bitsOf(at.mode);
  const gib = s.one(2);
  const address = (gib ? 0x4000_0000 : BIG) + WINDOW_FRAMES + 0x100;
  const entry = rights(s) | PTE.ps | (s.one(4) ? 0x2000 << s.below(8) : 0);
  const before = gib ? store(TABLES.pdpt64 + 8, [entry, high(s, 40)]) : store(TABLES.pd64 + 16, [entry, high(s, 40)]);
  const write = s.one(2);
  return {
    ...at,
    row: rowOf('mov', write ? '1 89' : '1 8b'),
    note: gib ? 'page of 1 GiB' : 'page of 2 MiB',
    code: [...wide, write ? 0x89 : 0x8b, ...absolute(bits, 1, address)],
    segments: { ds: at.ring === 0 ? 0x10 : 0x3b },
    efer: s.one(3) ? 0 : EFER_NXE,
    cr0: s.one(2) ? CR0_WP : 0,
    before,
  };
};

const canonical = (s: Stream): SystemCase => {
  const at = somePlace(s, ['64']);
  const value = s.pick([0x800000000000n, 0x7fffffffffffn, 0xffff7fffffffffffn, 0x8000000000000000n, 0x7ffffffffff9n, 0xffff7ffffffffff9n]);
  const [row, code] = s.pick([
    [rowOf('mov', '1 8b'), [0x48, 0x8b, 0x08]],
    [rowOf('mov', '1 89'), [0x48, 0x89, 0x08]],
    [rowOf('mov', '1 8b'), [0x48, 0x8b, 0x4d, 0x00]],
    [rowOf('push'), [0x48, 0x89, 0xc4, 0x50]],
    [rowOf('jmp', '1 ff'), [0xff, 0xe0]],
    [rowOf('call', '1 ff'), [0xff, 0xd0]],
    [rowOf('ret'), [0x50, 0xc3]],
    [rowOf('invlpg'), [0x0f, 0x01, 0x38]],
  ] as const);
  return { ...at, row, note: 'canonical', code, gpr: { 0: value, 5: value } };
};

const alignment = (s: Stream): SystemCase => {
  const at = somePlace(s);
  const offset = dataOffset(at, s.pick([0, 1, 2, 3, 4]));
  const bits = bitsOf(at.mode);
  const write = s.one(2);
  const size = s.pick(['b', 'v', 'o'] as const);
  const opcode = (write ? 0x88 : 0x8a) | (size === 'b' ? 0 : 1);
  const code = [...(size === 'o' ? [0x66] : []), opcode, ...absolute(bits, 1, offset)];
  return {
    ...at,
    row: rowOf('mov', `1 ${opcode.toString(16)}`),
    note: 'alignment',
    code,
    cr0: s.one(5) ? 0 : CR0_AM,
    flags: s.one(5) ? 0 : AC,
  };
};

const TF = 0x100;
/** Single step over instructions of all kinds, and TF that an instruction sets. */
const singleStep = (s: Stream): SystemCase => {
  const at = somePlace(s);
  const ring0 = at.ring === 0;
  const choices: (readonly [string, number[]])[] = [
    ['nop', [0x90]],
    ['pushf', [0x9c]],
    ['rep_stos', [0xf3, 0xaa, 0x90]],
    ['int3', [0xcc]],
    ['int', [0xcd, 0x03]],
    ['mov_to_seg', [0x8c, 0xd0, 0x8e, 0xd0, 0x90, 0x90]],
    ['int1', [0xf1]],
    ['ud2', [0x0f, 0x0b]],
    ['cli', ring0 ? [0xfa] : [0x90]],
    ['popf', [...movImmediate(at, 0, TF | 2), 0x50, 0x9d, 0x90, 0x90]],
  ];
  const [what, code] = s.pick(choices);
  const row = what === 'rep_stos' ? rowOf('stos') : what === 'nop' ? rowOf('xchg') : what === 'ud2' ? rowOf('ud2') : rowOf(what);
  return {
    ...at,
    row,
    note: `step ${what}`,
    code,
    flags: (what === 'popf' ? 0 : TF) | (at.mode === 'v86' ? 0x3000 : 0) | (s.one(6) ? 0x10000 : 0),
    gpr: { 1: 2n, 7: BigInt(dataOffset(at)) },
  };
};

/** Breakpoints on the code and on data: each kind and length, RF, local and global, beside the address. */
const breakpoint = (s: Stream): SystemCase => {
  const at = somePlace(s);
  const n = s.below(4);
  const kind = s.pick([0, 0, 1, 3, 3]);
  const length = kind === 0 ? 0 : s.pick([0, 1, 3, ...(isLong(at.mode) ? [2] : [])]);
  const data = dataAt(at, 0);
  const write = s.one(2);
  const access = [write ? 0x89 : 0x8b, ...absolute(bitsOf(at.mode), 1, dataOffset(at))];
  const ss = s.one(5);
  const code = [...(ss ? [0x8c, 0xd0, 0x8e, 0xd0] : [0x90]), ...access, 0x90];
  const target = kind === 0 ? pageOf(at) + s.pick([0, 1, 2, 4]) : data + s.pick([0, 0, 1, 2, 4, 8, -4]);
  const dr = [0n, 0n, 0n, 0n, 0n];
  dr[n] = BigInt(target);
  dr[4] = 0x400n | (BigInt(s.pick([1, 2, 3, 0])) << BigInt(2 * n)) | (BigInt(kind | (length << 2)) << BigInt(16 + 4 * n));
  return {
    ...at,
    row: rowOf('mov', write ? '1 89' : '1 8b'),
    note: kind === 0 ? 'breakpoint code' : 'breakpoint data',
    code,
    dr,
    flags: s.one(4) ? 0x10000 : 0,
  };
};

const CR0_MP = 2;
const CR0_EM = 4;
const CR0_TS = 8;
/** Coprocessor and SSE instructions while CR0 and CR4 say that there is none. */
const unavailable = (s: Stream): SystemCase => {
  const at = somePlace(s);
  const memory = absolute(bitsOf(at.mode), 0, dataOffset(at, 0x20) & ~0xf);
  const [row, code] = s.pick([
    [rowOf('fnop'), [0xd9, 0xd0]],
    [rowOf('fwait'), [0x9b]],
    [rowOf('emms'), [0x0f, 0x77]],
    [rowOf('xorps'), [0x0f, 0x57, 0xc0]],
    [rowOf('fninit'), [0xdb, 0xe3]],
    [rowOf('ldmxcsr'), [0x0f, 0xae, ...absolute(bitsOf(at.mode), 2, dataOffset(at, 0x10))]],
    [rowOf('movaps', '28'), [0x0f, 0x28, ...memory]],
  ] as const);
  const cr0 = (s.one(2) ? CR0_MP : 0) | (s.one(2) ? CR0_EM : 0) | (s.one(2) ? CR0_TS : 0);
  return { ...at, row, note: 'coprocessor', code, cr0, before: store(dataAt(at, 0x10), [0x1f80]) };
};

/** Gates that fail: the second fault of a double fault, and a page fault's behind it. */
const doubleFault = (s: Stream): SystemCase => {
  const at = somePlace(s, PROTECTED);
  const long = isLong(at.mode);
  const vector = s.pick([6, 13, 0, 14]);
  const entry = long ? IDT64 + 16 * vector : IDT32 + 8 * vector;
  const [row, code] =
    vector === 6
      ? ([rowOf('ud2'), []] as const)
      : vector === 0
        ? ([rowOf('div', 'Ev'), [0xf7, 0xf1]] as const)
        : vector === 13
          ? ([rowOf('int'), [0xcd, 0x22]] as const)
          : ([rowOf('ud2'), []] as const);
  // Not present, or of no gate's type.
  const access = s.pick([0x0e, 0x80]);
  return { ...at, row, note: `gate of ${vector} fails`, code, before: store(entry, [0x00080000 | 0x1000, access << 8]) };
};

/** PUSH and POP on stacks whose limit or page ends. In ring 3: one that cannot take a handler's frame would end the machine from ring 0. */
const stackEnd = (s: Stream): SystemCase => {
  const at = somePlace(s, ['prot16', 'prot32', 'compat32', '64'], [3]);
  const sp = at.mode === 'prot16' ? s.pick([0, 1, 2, 3, 4]) : WINDOW + s.pick([0, 4, 8]);
  const mapped = at.paging !== 'none' && at.mode !== 'prot16';
  const tables = at.paging === '32' ? TABLES.pt32 : at.paging === 'pae' ? TABLES.ptpae : TABLES.pt64;
  const size = at.paging === '32' ? 4 : 8;
  const [row, code] = s.pick([
    [rowOf('push'), [0x50]],
    [rowOf('pop'), [0x58]],
    [rowOf('pushf'), [0x9c]],
    [rowOf('leave'), [0xc9]],
  ] as const);
  return {
    ...at,
    row,
    note: 'stack end',
    code,
    sp: BigInt(sp),
    gpr: { 5: BigInt(sp) },
    // What it pops, whatever other cases left there.
    before: [
      ...store(at.paging === 'none' ? WINDOW : WINDOW_FRAMES, [0, 0, 0, 0]),
      ...(mapped ? store(tables + size * (PAGE_INDEX - 1), [0]) : []),
    ],
    ...(mapped ? { after: store(tables + size * (PAGE_INDEX - 1), [((PAGE_INDEX - 1) << 12) | 0x63]) } : {}),
  };
};

export const FAULTS: readonly Family[] = [
  { name: 'page', weight: 9, make: page },
  { name: 'upper level', weight: 2, make: upper },
  { name: 'canonical', weight: 2, privileged: /^invlpg$/, make: canonical },
  { name: 'alignment', weight: 2, make: alignment },
  { name: 'single step', weight: 3, make: singleStep },
  { name: 'breakpoint', weight: 4, make: breakpoint },
  { name: 'coprocessor', weight: 3, make: unavailable },
  { name: 'double fault', weight: 2, make: doubleFault },
  { name: 'stack end', weight: 2, make: stackEnd },
];
