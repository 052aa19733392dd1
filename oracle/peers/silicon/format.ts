/** The bytes that travel between us and the helper; the C side is the `request` and `result` of helper.c. Little-endian. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import {
  codeBase,
  FX_BYTES,
  type InstructionCase,
  initialFx,
  placedCode,
  type SelectorName,
  withSelectors,
} from '../../image/instruction/case.ts';
import { type CaseSegment, SEGMENTS } from '../../image/instruction/segments.ts';
import { pristineWindow, WINDOW, WINDOW_BYTES } from '../../image/instruction/window.ts';

const MAGIC = 0x61736931;
const CODE_BYTES = 40;
const REQUEST = 16 * 8 + 4 * 8 + 6 * 2 + 2 * 2 + 8 + CODE_BYTES;
const POKE_HEADER = 8;
const LDT = SEGMENTS.filter((segment) => !segment.gdt);
const HEADER = 24 + WINDOW.length * 8 + LDT.length * 16 + WINDOW_BYTES;
const RESULT = 16 * 8 + 5 * 8 + 16 + 16;

/** Linux's selectors for programs of 64 bits. */
export const HOST_SELECTORS: Readonly<Record<SelectorName, number>> = { code64: 0x33, data: 0x2b };

/** FXSAVE images travel with all cases of a batch or with none. */
const hasFx = (cases: readonly InstructionCase[]): boolean => cases.some((c) => c.fx !== null);

/** `struct user_desc` from its fourth word on. */
const userDescription = ({ kind, big, open, expandDown, conforming, pages, absent }: CaseSegment): number =>
  (big ? 1 : 0) |
  ((kind === 'code' ? 2 : 0) << 1) |
  (expandDown || conforming ? 2 : 0) |
  (open ? 0 : 8) |
  (pages ? 0x10 : 0) |
  (absent ? 0x20 : 0);

/** A whole batch. */
export const encodeBatch = (cases: readonly InstructionCase[]): Uint8Array => {
  const fx = hasFx(cases);
  const placed = cases.map((c) => withSelectors(c, HOST_SELECTORS));
  const sizes = placed.map(({ pokes }) => REQUEST + (fx ? FX_BYTES : 0) + pokes.reduce((sum, p) => sum + POKE_HEADER + p.bytes.length, 0));
  const bytes = new Uint8Array(HEADER + sizes.reduce((a, b) => a + b, 0));
  const view = new DataView(bytes.buffer);
  for (const [n, word] of [MAGIC, WINDOW.length, LDT.length, cases.length, fx ? 1 : 0, 0].entries()) view.setUint32(4 * n, word, true);
  let at = 24;
  const words = (...numbers: readonly number[]): void => {
    for (const number of numbers) {
      view.setUint32(at, number, true);
      at += 4;
    }
  };
  for (const page of WINDOW) words(page.address, 1 + (page.write ? 2 : 0) + (page.execute ? 4 : 0));
  for (const segment of LDT) words(segment.index, segment.base, segment.limit, userDescription(segment));
  bytes.set(pristineWindow(), at);
  at = HEADER;
  for (const [n, c] of cases.entries()) {
    encodeCase(c, placed[n], fx, bytes, view, at);
    at += sizes[n];
  }
  return bytes;
};

/** Linux's selectors for a 64-bit program: no data segments, and SS. */
const PROGRAM: readonly number[] = [0, HOST_SELECTORS.code64, HOST_SELECTORS.data, 0, 0, 0];

const encodeCase = (
  c: InstructionCase,
  { regs, pokes }: ReturnType<typeof withSelectors>,
  fx: boolean,
  bytes: Uint8Array,
  view: DataView,
  start: number,
): void => {
  let at = start;
  for (const value of regs) {
    view.setBigUint64(at, value, true);
    at += 8;
  }
  view.setBigUint64(at, BigInt(c.rip - codeBase(c)), true);
  view.setBigUint64(at + 8, BigInt(c.flags | (c.way === 'step' ? RFLAGS.TF : 0)), true);
  view.setBigUint64(at + 16, c.fsBase, true);
  view.setBigUint64(at + 24, c.gsBase, true);
  at += 32;
  for (const selector of c.segments ?? PROGRAM) {
    view.setUint16(at, selector, true);
    at += 2;
  }
  const code = placedCode(c);
  view.setUint16(at, code.length, true);
  view.setUint16(at + 2, pokes.length, true);
  view.setUint32(at + 4, c.rip, true);
  bytes.set(code, at + 12);
  at += 12 + CODE_BYTES;
  if (fx) {
    bytes.set(c.fx ?? initialFx(), at);
    at += FX_BYTES;
  }
  for (const poke of pokes) {
    view.setUint32(at, poke.at, true);
    view.setUint32(at + 4, poke.bytes.length, true);
    bytes.set(poke.bytes, at + POKE_HEADER);
    at += POKE_HEADER + poke.bytes.length;
  }
};

/** Bytes that the instruction changed. */
export type Change = { readonly at: number; readonly bytes: Uint8Array };

/**
 * What came of a case. `done`: at the next instruction. `step`: the same, with the #DB that RFLAGS.TF asks for. `fault` and `trap`
 * (INT3 and INT 4) tell the vector; a fault without an error code has 0. `syscall`: a system call was asked for.
 */
export type SiliconResult = {
  readonly end: 'done' | 'step' | 'fault' | 'trap' | 'syscall' | 'time';
  readonly vector: number;
  readonly error: number;
  readonly address: bigint;
  readonly regs: BigUint64Array;
  readonly rip: bigint;
  readonly flags: number;
  readonly fsBase: bigint;
  readonly gsBase: bigint;
  /** The FXSAVE image, for a case that brought one. */
  readonly fx: Uint8Array | null;
  /** ES CS SS DS FS GS. */
  readonly selectors: Uint16Array;
  readonly changes: readonly Change[];
};

const SIGSYS = 31;
const END = { left: 0, signal: 1, time: 2 } as const;

/** The results of the cases, as far as the helper got. */
export const decodeResults = (cases: readonly InstructionCase[], bytes: Uint8Array): SiliconResult[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const results: SiliconResult[] = [];
  const fx = hasFx(cases) ? FX_BYTES : 0;
  let at = 0;
  for (const c of cases) {
    if (at + RESULT + fx > bytes.length) break;
    const tail = at + 16 * 8 + 5 * 8;
    const runs = view.getUint16(tail + 16 + 14, true);
    const changes: Change[] = [];
    let next = at + RESULT + fx;
    for (let n = 0; n < runs; n++) {
      if (next + 8 > bytes.length) return results;
      const length = view.getUint32(next + 4, true);
      changes.push({ at: view.getUint32(next, true), bytes: bytes.slice(next + 8, next + 8 + length) });
      next += 8 + length;
    }
    if (next > bytes.length) return results;
    const image = c.fx === null ? null : bytes.slice(at + RESULT, at + RESULT + FX_BYTES);
    results.push(decodeResult(c, view, at, tail, changes, image));
    at = next;
  }
  return results;
};

const decodeResult = (
  c: InstructionCase,
  view: DataView,
  at: number,
  tail: number,
  changes: Change[],
  fx: Uint8Array | null,
): SiliconResult => {
  const regs = BigUint64Array.from({ length: 16 }, (_, r) => view.getBigUint64(at + 8 * r, true));
  const word = (n: number): bigint => view.getBigUint64(at + 128 + 8 * n, true);
  const signal = view.getUint32(tail + 4, true);
  const vector = view.getUint32(tail + 8, true);
  const error = view.getUint32(tail + 12, true);
  const end = view.getUint32(tail, true);
  const rip = end === END.left ? BigInt(c.rip - codeBase(c) + c.code.length) : word(0);
  const state = {
    vector,
    error,
    address: word(4),
    regs,
    rip,
    flags: Number(word(1)),
    fsBase: word(2),
    gsBase: word(3),
    fx,
    selectors: Uint16Array.from({ length: 6 }, (_, s) => view.getUint16(tail + 16 + 2 * s, true)),
    changes,
  };
  if (end === END.left) return { ...state, end: 'done' };
  if (end === END.time) return { ...state, end: 'time' };
  if (signal === SIGSYS) return { ...state, end: 'syscall' };
  return afterSignal(c, state);
};

const [DB, BP, OF, PF] = [1, 3, 4, 14];
const FETCH = 16;
const INTERRUPTS: readonly string[] = ['int3', 'int'];

/** A load of SS holds the trap off: what follows it, INT3 or the end of the segment, is met at once. */
const STACK_LOADS: readonly string[] = ['pop_seg', 'mov_to_seg', 'lss'];

/** INT3 where the window is full of it, or no code at the next address: the instruction itself was done by then. */
const afterSignal = (c: InstructionCase, state: Omit<SiliconResult, 'end'>): SiliconResult => {
  const { vector, rip, error } = state;
  if (vector === DB) return { ...state, end: 'step' };
  if (vector === BP && !INTERRUPTS.includes(OPCODES[c.row].mnemonic)) return { ...state, end: 'done', rip: rip - 1n };
  const behind = rip === BigInt(c.rip - codeBase(c) + c.code.length);
  if (behind && STACK_LOADS.includes(OPCODES[c.row].mnemonic)) return { ...state, end: 'done' };
  if (vector === PF && (error & FETCH) !== 0 && rip !== BigInt(c.rip - codeBase(c))) return { ...state, end: 'done' };
  return { ...state, end: vector === BP || vector === OF ? 'trap' : 'fault' };
};
