/** The memory operand that ModRM, SIB and displacement describe. */
import { NEXT_RIP, NO_REGISTER } from './instruction.ts';
import type { Reader } from './reader.ts';

export type Address = { base: number; index: number; scale: number; displacement: number };

export const NO_ADDRESS: Address = { base: NO_REGISTER, index: NO_REGISTER, scale: 0, displacement: 0 };

const [BX, BP, SI, DI] = [3, 5, 6, 7];
/** Base and index by modrm.rm, with 16-bit addresses. */
const SHORT_FORMS = [
  [BX, SI],
  [BX, DI],
  [BP, SI],
  [BP, DI],
  [SI, NO_REGISTER],
  [DI, NO_REGISTER],
  [BP, NO_REGISTER],
  [BX, NO_REGISTER],
] as const;

export const readShortAddress = (reader: Reader, modrm: number): Address => {
  const mod = modrm >> 6;
  if (mod === 0 && (modrm & 7) === 6) return { ...NO_ADDRESS, displacement: reader.u16() };
  const [base, index] = SHORT_FORMS[modrm & 7];
  const displacement = mod === 0 ? 0 : mod === 1 ? reader.s8() : reader.u16();
  return { base, index, scale: 0, displacement };
};

/** With addresses of 32 or 64 bits. `long`: without a base, a 32-bit displacement counts from RIP. */
export const readAddress = (reader: Reader, modrm: number, rex: number, long: boolean): Address => {
  const mod = modrm >> 6;
  const found: Address = { base: (modrm & 7) | ((rex & 1) << 3), index: NO_REGISTER, scale: 0, displacement: 0 };
  if ((modrm & 7) === 4) {
    const sib = reader.u8();
    found.base = (sib & 7) | ((rex & 1) << 3);
    const index = ((sib >> 3) & 7) | ((rex & 2) << 2);
    if (index !== 4) {
      found.index = index;
      found.scale = sib >> 6;
    }
    if ((sib & 7) === 5 && mod === 0) {
      found.base = NO_REGISTER;
      found.displacement = reader.s32();
    }
  } else if ((modrm & 7) === 5 && mod === 0) {
    found.base = long ? NEXT_RIP : NO_REGISTER;
    found.displacement = reader.s32();
  }
  if (mod === 1) found.displacement = reader.s8();
  else if (mod === 2) found.displacement = reader.s32();
  return found;
};
