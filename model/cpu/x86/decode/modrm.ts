/** The modrm byte, with the SIB byte and the displacement that may follow it. */
import type { Size } from '../../../word/size.ts';
import { Word } from '../../../word/word.ts';
import { NONE, Operand, RIP_BASE } from '../instruction.ts';
import { DS, RBP, RBX, RDI, RSI, RSP, SS } from '../state.ts';
import type { Bytes } from './bytes.ts';
import { type Prefixes, REX } from './prefixes.ts';

const NOTHING = new Word(0, 0);

/** Where r/m points: a register, or base, index and displacement of memory. */
export type RegisterOrMemory =
  | { readonly kind: 'reg'; readonly index: number }
  | { readonly kind: 'mem'; readonly base: number; readonly index: number; readonly scale: number; readonly displacement: Word };

export type ModRm = { readonly byte: number; readonly reg: number; readonly rm: RegisterOrMemory };

const inMemory = (base: number, displacement: Word, index = NONE, scale = 0): RegisterOrMemory => ({
  kind: 'mem',
  base,
  index,
  scale,
  displacement,
});

/** `register`: r/m names a register whatever mod says, as in moves from and to control and debug registers. */
export const readModRm = (bytes: Bytes, prefixes: Prefixes, register = false): ModRm => {
  const { rex } = prefixes;
  const byte = bytes.u8();
  const reg = ((byte >> 3) & 7) | ((rex & REX.R) << 1);
  if (byte >> 6 === 3 || register) return { byte, reg, rm: { kind: 'reg', index: (byte & 7) | ((rex & REX.B) << 3) } };
  return { byte, reg, rm: prefixes.addressSize === 2 ? readShort(bytes, byte) : readLong(bytes, byte, prefixes) };
};

/** Addresses of 32 and 64 bits. Base 5 without displacement means a bare one of 32 bits, in 64-bit mode relative to RIP. */
const readLong = (bytes: Bytes, byte: number, { rex, mode }: Prefixes): RegisterOrMemory => {
  const mod = byte >> 6;
  const low = byte & 7;
  if (low === 4) return readSib(bytes, mod, rex);
  if (mod === 0 && low === 5) return inMemory(mode === '64' ? RIP_BASE : NONE, bytes.signed(4));
  return inMemory(low | ((rex & REX.B) << 3), readDisplacement(bytes, mod, 4));
};

/** Index 4 means none, unless REX.X makes it R12. Base 5 without displacement means a bare 32-bit displacement. */
const readSib = (bytes: Bytes, mod: number, rex: number): RegisterOrMemory => {
  const sib = bytes.u8();
  const numbered = ((sib >> 3) & 7) | ((rex & REX.X) << 2);
  const index = numbered === RSP ? NONE : numbered;
  const scale = sib >> 6;
  if (mod === 0 && (sib & 7) === RBP) return inMemory(NONE, bytes.signed(4), index, scale);
  return inMemory((sib & 7) | ((rex & REX.B) << 3), readDisplacement(bytes, mod, 4), index, scale);
};

/** Base and index of addresses of 16 bits. BP alone without displacement means a bare one. */
const SHORT: readonly (readonly [number, number])[] = [
  [RBX, RSI],
  [RBX, RDI],
  [RBP, RSI],
  [RBP, RDI],
  [RSI, NONE],
  [RDI, NONE],
  [RBP, NONE],
  [RBX, NONE],
];

const readShort = (bytes: Bytes, byte: number): RegisterOrMemory => {
  const mod = byte >> 6;
  const low = byte & 7;
  if (mod === 0 && low === 6) return inMemory(NONE, bytes.signed(2));
  const [base, index] = SHORT[low];
  return inMemory(base, readDisplacement(bytes, mod, 2), index);
};

const readDisplacement = (bytes: Bytes, mod: number, long: 2 | 4): Word => (mod === 0 ? NOTHING : bytes.signed(mod === 1 ? 1 : long));

/** A memory operand as an instruction holds it. A base of RSP or RBP means the stack segment, unless a prefix says another. */
export const memoryOperand = (rm: RegisterOrMemory & { kind: 'mem' }, size: Size, width: number, prefixes: Prefixes): Operand => {
  const usual = rm.base === RSP || rm.base === RBP ? SS : DS;
  const segment = prefixes.segment === NONE ? usual : prefixes.segment;
  return new Operand('mem', size, rm.index, rm.displacement, rm.base, rm.scale, segment, prefixes.addressSize, segment === SS, width);
};
