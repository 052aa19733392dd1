/** The modrm byte, with the SIB byte and the displacement that may follow it. */

import type { Size } from '../../../word/size.ts';
import { Word } from '../../../word/word.ts';
import { NONE, Operand, RIP_BASE } from '../instruction.ts';
import { RBP, RSP } from '../state.ts';
import type { Bytes } from './bytes.ts';
import { type Prefixes, REX } from './prefixes.ts';

const NOTHING = new Word(0, 0);

/** Where r/m points: a register, or base, index and displacement of memory. */
export type RegisterOrMemory =
  | { readonly kind: 'reg'; readonly index: number }
  | { readonly kind: 'mem'; readonly base: number; readonly index: number; readonly scale: number; readonly displacement: Word };

export type ModRm = { readonly byte: number; readonly reg: number; readonly rm: RegisterOrMemory };

/** `register`: r/m names a register whatever mod says, as in moves from and to control and debug registers. */
export const readModRm = (bytes: Bytes, { rex }: Prefixes, register = false): ModRm => {
  const byte = bytes.u8();
  const reg = ((byte >> 3) & 7) | ((rex & REX.R) << 1);
  const low = byte & 7;
  const high = (rex & REX.B) << 3;
  const mod = byte >> 6;
  if (mod === 3 || register) return { byte, reg, rm: { kind: 'reg', index: low | high } };
  if (low === 4) return { byte, reg, rm: readSib(bytes, mod, rex) };
  if (mod === 0 && low === 5)
    return { byte, reg, rm: { kind: 'mem', base: RIP_BASE, index: NONE, scale: 0, displacement: bytes.signed(4) } };
  return { byte, reg, rm: { kind: 'mem', base: low | high, index: NONE, scale: 0, displacement: readDisplacement(bytes, mod) } };
};

/** Index 4 means none, unless REX.X makes it R12. Base 5 without displacement means a bare 32-bit displacement. */
const readSib = (bytes: Bytes, mod: number, rex: number): RegisterOrMemory => {
  const sib = bytes.u8();
  const numbered = ((sib >> 3) & 7) | ((rex & REX.X) << 2);
  const index = numbered === RSP ? NONE : numbered;
  const scale = sib >> 6;
  if (mod === 0 && (sib & 7) === RBP) return { kind: 'mem', base: NONE, index, scale, displacement: bytes.signed(4) };
  return { kind: 'mem', base: (sib & 7) | ((rex & REX.B) << 3), index, scale, displacement: readDisplacement(bytes, mod) };
};

const readDisplacement = (bytes: Bytes, mod: number): Word => (mod === 0 ? NOTHING : bytes.signed(mod === 1 ? 1 : 4));

/** A memory operand as an instruction holds it. */
export const memoryOperand = (rm: RegisterOrMemory & { kind: 'mem' }, size: Size, prefixes: Prefixes): Operand =>
  new Operand(
    'mem',
    size,
    rm.index,
    rm.displacement,
    rm.base,
    rm.scale,
    prefixes.segment,
    prefixes.addressSize,
    prefixes.segment === 0 && (rm.base === RSP || rm.base === RBP),
  );
