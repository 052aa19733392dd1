/**
 * A small bare machine for trying system instructions: examples and tests use it. Descriptor tables, a task state and page tables (the
 * first 4 MiB mapped one to one, for every ring) are in place; code runs in the mode and ring that is asked for.
 */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { X86Mode } from '#spec/isa/x86/mode.ts';
import { barePc } from '#spec/machines/bare_pc.ts';
import { type CpuState, CS } from '../cpu/x86/state.ts';
import { hiddenOf } from '../cpu/x86/system/descriptor.ts';
import { inModeOf, withSegment, withV86 } from '../cpu/x86/system/segments.ts';
import { writeBytes } from '../memory/access.ts';
import { writeWord } from '../memory/memory.ts';
import { fromBigInt, fromNumber, type Word, word, ZERO } from '../word/word.ts';
import { bootBareMachine } from './boot.ts';
import type { Machine } from './machine.ts';
import { type Outcome, step } from './step.ts';

export const AT = {
  gdt: 0x1000,
  idt: 0x2000,
  tss: 0x3000,
  ldt: 0x3800,
  code: 0x8000,
  handler: 0xa000,
  data: 0xb000,
  stack: 0xe000,
  inner: 0xf000,
  tables: 0x20000,
} as const;
/** Selectors of the descriptors that are in place. */
export const SEL = {
  code32: 0x08,
  data: 0x10,
  code64: 0x18,
  code16: 0x20,
  data16: 0x28,
  user32: 0x33,
  userData: 0x3b,
  user64: 0x43,
  tss: 0x48,
  free: 0x58,
} as const;

const descriptor = (base: number, limit: number, access: number, flags: number): bigint =>
  BigInt(limit & 0xffff) |
  (BigInt(base & 0xffffff) << 16n) |
  (BigInt(access) << 40n) |
  (BigInt((limit >>> 16) & 0xf) << 48n) |
  (BigInt(flags) << 52n) |
  (BigInt(base >>> 24) << 56n);

/** A descriptor of a segment: base, limit in its unit, access byte, flags (8 granularity, 4 big, 2 long). */
export const segment = descriptor;
/** A gate of 8 bytes. */
export const gate = (selector: number, offset: number, access: number, count = 0): bigint =>
  BigInt(offset & 0xffff) | (BigInt(selector) << 16n) | (BigInt(count) << 32n) | (BigInt(access) << 40n) | (BigInt(offset >>> 16) << 48n);

const GDT: readonly bigint[] = [
  0n,
  descriptor(0, 0xfffff, 0x9b, 0xc),
  descriptor(0, 0xfffff, 0x93, 0xc),
  descriptor(0, 0xfffff, 0x9b, 0xa),
  descriptor(0, 0xffff, 0x9b, 0),
  descriptor(0, 0xffff, 0x93, 0),
  descriptor(0, 0xfffff, 0xfb, 0xc),
  descriptor(0, 0xfffff, 0xf3, 0xc),
  descriptor(0, 0xfffff, 0xfb, 0xa),
  descriptor(AT.tss, 0x67, 0x89, 0),
  0n,
];

export type Setting = {
  readonly mode?: X86Mode;
  readonly ring?: 0 | 3;
  readonly regs?: Readonly<Record<number, bigint>>;
  readonly flags?: number;
  /** Little-endian words of 8 bytes by physical address. */
  readonly words?: Readonly<Record<number, bigint>>;
  readonly bytes?: Readonly<Record<number, readonly number[]>>;
  /** Bits added to the control registers. */
  readonly cr0?: number;
  readonly cr4?: number;
  readonly efer?: number;
  readonly paging?: boolean;
  readonly dr?: readonly number[];
};

/** A multiboot image of one HLT. */
const image = (): Uint8Array => {
  const file = new Uint8Array(64);
  const view = new DataView(file.buffer);
  const header = [0x1badb002, 0x10000, -(0x1badb002 + 0x10000), 0x100000, 0x100000, 0, 0, 0x100020];
  for (const [n, value] of header.entries()) view.setUint32(4 * n, value >>> 0, true);
  file[32] = 0xf4;
  return file;
};

/** One table a level, so that address 0 to 4 MiB is itself, in large pages under `top`. */
const tables = (long: boolean): Readonly<Record<number, bigint>> =>
  long
    ? {
        [AT.tables]: BigInt(AT.tables + 0x1000) | 7n,
        [AT.tables + 0x1000]: BigInt(AT.tables + 0x2000) | 7n,
        [AT.tables + 0x2000]: 0x87n,
        [AT.tables + 0x2008]: 0x200087n,
      }
    : { [AT.tables]: 0x87n };

const put = (m: Machine, at: number, bytes: readonly number[]): Machine => ({
  ...m,
  memory: writeBytes(m.memory, Math.floor(at / 4096), at % 4096, Uint8Array.from(bytes)),
});
const putWord = (m: Machine, at: number, value: bigint): Machine => ({
  ...m,
  memory: writeWord(m.memory, Math.floor(at / 4096), (at % 4096) / 8, fromBigInt(value)),
});

const CODE: Readonly<Record<X86Mode, readonly [ring0: number, ring3: number]>> = {
  real: [0, 0],
  v86: [0, 0],
  prot16: [SEL.code16, SEL.code16],
  prot32: [SEL.code32, SEL.user32],
  compat16: [SEL.code16, SEL.code16],
  compat32: [SEL.code32, SEL.user32],
  '64': [SEL.code64, SEL.user64],
};

/** A machine about to run `code`. */
export const bareSample = (code: readonly number[], setting: Setting = {}): Machine => {
  const { mode = 'prot32', ring = 0, regs = {}, flags = 0, words = {}, bytes = {}, cr0 = 0, cr4 = 0, efer = 0, dr = [] } = setting;
  const long = mode === '64' || mode.startsWith('compat');
  const paging = long || (setting.paging ?? false);
  const empty = bootBareMachine(barePc(), image());
  const allWords = {
    ...Object.fromEntries(GDT.map((value, n) => [AT.gdt + 8 * n, value])),
    [AT.tss]: BigInt(AT.inner) << 32n,
    // SS0 of a 32-bit task state; the upper half of RSP0 in long mode.
    [AT.tss + 8]: long ? 0n : BigInt(SEL.data),
    ...tables(long),
    ...words,
  };
  const filled = Object.entries(allWords).reduce((m, [at, value]) => putWord(m, Number(at), value), put(empty, AT.code, code));
  const ready = Object.entries(bytes).reduce((m, [at, value]) => put(m, Number(at), value), filled);
  const control = {
    cr0: mode === 'real' ? 0x10 | cr0 : 0x11 | cr0 | (paging ? 1 << 31 : 0),
    cr3: fromNumber(AT.tables),
    cr4: cr4 | (long ? 0x20 : 0x10),
    efer: efer | (long ? 0x500 : 0),
  };
  return { ...ready, cpu: cpuFor(ready.cpu, { mode, ring, regs, flags, dr }, control) };
};

type Control = Pick<CpuState['system'], 'cr0' | 'cr3' | 'cr4' | 'efer'>;
type Wanted = {
  readonly mode: X86Mode;
  readonly ring: 0 | 3;
  readonly regs: Readonly<Record<number, bigint>>;
  readonly flags: number;
  readonly dr: readonly number[];
};

const cpuFor = (cpu: CpuState, { mode, ring, regs, flags: more, dr }: Wanted, control: Control): CpuState => {
  const flags = 2 | more | (mode === 'v86' ? RFLAGS.VM : 0);
  const byParagraph = mode === 'real' || mode === 'v86';
  const wide = mode.endsWith('16') ? 'data16' : 'data';
  const data = byParagraph ? 0 : ring === 3 ? SEL.userData : SEL[wide];
  const load = (segments: CpuState['segments'], register: number, selector: number) =>
    mode === 'v86'
      ? withV86(segments, register, selector)
      : mode === 'real'
        ? withSegment(segments, register, selector, { base: word(0, selector << 4), limit: 0xffff, rights: 0x93, usable: true })
        : withSegment(segments, register, selector, hiddenOf(descriptorAt(selector)));
  const segments = [0, 1, 2, 3, 4, 5].reduce(
    (now, register) => load(now, register, register === CS ? CODE[mode][ring === 3 ? 1 : 0] : data),
    { ...cpu.segments, selectors: cpu.segments.selectors },
  );
  const system = {
    ...cpu.system,
    ...control,
    gdtr: { base: word(0, AT.gdt), limit: 0x7f },
    idtr: { base: word(0, mode === 'real' ? 0 : AT.idt), limit: 0xfff },
    tr: { selector: SEL.tss, base: word(0, AT.tss), limit: 0x67, rights: 0x8b, usable: true },
    dr: cpu.system.dr.map((old, n) => (dr[n] === undefined ? old : word(0, dr[n]))),
  };
  const values = cpu.regs.map((_, n): Word => (regs[n] === undefined ? (n === 4 ? word(0, AT.stack) : ZERO) : fromBigInt(regs[n])));
  return {
    ...cpu,
    regs: values,
    rip: word(0, AT.code),
    flags,
    segments,
    system: inModeOf(system, flags, segments, mode === 'v86' ? 3 : ring),
  };
};

const descriptorAt = (selector: number) => {
  const value = fromBigInt(GDT[selector >> 3]);
  return { at: ZERO, lo: value.lo, hi: value.hi };
};

/** Steps of a sample. */
export const take = (m: Machine, steps = 1): Outcome => step(m, { kind: 'execute', steps });

/** Vector and error code of the first exception of one step; null when there is none. */
export const faultOf = (m: Machine): { readonly vector: number; readonly error: number | null } | null => {
  const withHandlers = [...Array(32).keys()].reduce(
    (now, vector) =>
      now.cpu.system.efer & 0x400
        ? putWord(putWord(now, AT.idt + 16 * vector, gate(SEL.code64, AT.handler, 0x8e)), AT.idt + 16 * vector + 8, 0n)
        : putWord(now, AT.idt + 8 * vector, gate(SEL.code32, AT.handler, 0x8e)),
    m,
  );
  const [event] = take(withHandlers).events;
  return event?.kind === 'exception' ? { vector: event.vector, error: event.error } : null;
};
