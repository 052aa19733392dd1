/** The bytes that travel between us and the helper; the C side is the `request` and `result` of helper.c. Little-endian. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import {
  FX_BYTES,
  type InstructionCase,
  initialFx,
  MOST_POKES,
  POKE_BYTES,
  placedCode,
  type SelectorName,
  withSelectors,
} from '../../image/instruction/case.ts';
import { pristineWindow, WINDOW, WINDOW_BYTES } from '../../image/instruction/window.ts';

const MAGIC = 0x61736931;
const CODE_BYTES = 32;
const POKE = 8 + POKE_BYTES;
const REQUEST = 16 * 8 + 4 * 8 + 8 + CODE_BYTES + MOST_POKES * POKE;
const HEADER = 16 + WINDOW.length * 8 + WINDOW_BYTES;
const RESULT = 16 * 8 + 5 * 8 + 16 + 16;

/** Linux's selectors for programs of 64 bits. */
export const HOST_SELECTORS: Readonly<Record<SelectorName, number>> = { code64: 0x33, data: 0x2b };

/** FXSAVE images travel with all cases of a batch or with none. */
const hasFx = (cases: readonly InstructionCase[]): boolean => cases.some((c) => c.fx !== null);

/** A whole batch. */
export const encodeBatch = (cases: readonly InstructionCase[]): Uint8Array => {
  const fx = hasFx(cases);
  const stride = REQUEST + (fx ? FX_BYTES : 0);
  const bytes = new Uint8Array(HEADER + cases.length * stride);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, WINDOW.length, true);
  view.setUint32(8, cases.length, true);
  view.setUint32(12, fx ? 1 : 0, true);
  for (const [n, page] of WINDOW.entries()) {
    view.setUint32(16 + 8 * n, page.address, true);
    view.setUint32(20 + 8 * n, 1 + (page.write ? 2 : 0) + (page.execute ? 4 : 0), true);
  }
  bytes.set(pristineWindow(), HEADER - WINDOW_BYTES);
  for (const [n, c] of cases.entries()) {
    encodeCase(c, bytes, view, HEADER + n * stride);
    if (fx) bytes.set(c.fx ?? initialFx(), HEADER + n * stride + REQUEST);
  }
  return bytes;
};

const encodeCase = (c: InstructionCase, bytes: Uint8Array, view: DataView, start: number): void => {
  const { regs, pokes } = withSelectors(c, HOST_SELECTORS);
  let at = start;
  for (const value of regs) {
    view.setBigUint64(at, value, true);
    at += 8;
  }
  view.setBigUint64(at, BigInt(c.rip), true);
  view.setBigUint64(at + 8, BigInt(c.flags | (c.way === 'step' ? RFLAGS.TF : 0)), true);
  view.setBigUint64(at + 16, c.fsBase, true);
  view.setBigUint64(at + 24, c.gsBase, true);
  const code = placedCode(c);
  view.setUint16(at + 32, HOST_SELECTORS.code64, true);
  view.setUint16(at + 34, code.length, true);
  view.setUint16(at + 36, pokes.length, true);
  bytes.set(code, at + 40);
  at += 40 + CODE_BYTES;
  for (const poke of pokes) {
    view.setUint32(at, poke.at, true);
    view.setUint32(at + 4, poke.bytes.length, true);
    bytes.set(poke.bytes, at + 8);
    at += POKE;
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
  const rip = end === END.left ? BigInt(c.rip + c.code.length) : word(0);
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

/** INT3 where the window is full of it, or no code at the next address: the instruction itself was done by then. */
const afterSignal = (c: InstructionCase, state: Omit<SiliconResult, 'end'>): SiliconResult => {
  const { vector, rip, error } = state;
  if (vector === DB) return { ...state, end: 'step' };
  if (vector === BP && !INTERRUPTS.includes(OPCODES[c.row].mnemonic)) return { ...state, end: 'done', rip: rip - 1n };
  if (vector === PF && (error & FETCH) !== 0 && rip !== BigInt(c.rip)) return { ...state, end: 'done' };
  return { ...state, end: vector === BP || vector === OF ? 'trap' : 'fault' };
};
