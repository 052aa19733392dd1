/** Which instructions Xen's emulator can carry out when it has nothing but memory to read and write. */
import type { Instruction } from '../../cpu/instruction.ts';

/**
 * `overwrites`: stores without reading what is there. `changes`: reads it, and stores only what differs. `compares`: CMPXCHG8B and CMPXCHG16B,
 * which store when they found what they looked for, and then whatever it is.
 */
export type StoreKind = 'overwrites' | 'changes' | 'compares';

/** Byte form and wide form each. */
const pairs = (...opcodes: readonly number[]): readonly number[] => opcodes.flatMap((opcode) => [opcode, opcode + 1]);
const range = (first: number, last: number): readonly number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** MOV, MOVS, STOS, SETcc, MOVNTI, MOVBE, POP, PUSH, PUSHF, CALL. */
const OVERWRITING: ReadonlySet<number> = new Set([
  ...pairs(0x88, 0xa2, 0xa4, 0xaa, 0xc6),
  ...range(0x0f90, 0x0f9f),
  ...range(0x50, 0x57),
  ...[0x0fc3, 0x0f38f1, 0x8f, 0x68, 0x6a, 0x9c, 0xe8],
]);
/** Arithmetic, XCHG, shifts, bit tests, CMPXCHG, XADD. */
const CHANGING: ReadonlySet<number> = new Set([
  ...pairs(0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x80, 0x86, 0xc0, 0xd0, 0xd2, 0xf6),
  ...pairs(0x0fa4, 0x0fac, 0x0fb0, 0x0fc0),
  ...[0x83, 0xfe, 0x0fab, 0x0fb3, 0x0fbb, 0x0fba],
]);
const GROUP_5 = 0xff;
const GROUP_9 = 0x0fc7;
const CMPXCHG_WIDE = 1;
const isIncOrDec = (reg: number): boolean => reg <= 1;
const isNearCallOrPush = (reg: number): boolean => reg === 2 || reg === 6;

/** Null for what it cannot do: segment and system registers, vectors, far calls. */
export const storeKind = ({ opcode, modrm }: Instruction): StoreKind | null => {
  const reg = (modrm >> 3) & 7;
  if (opcode === GROUP_9) return reg === CMPXCHG_WIDE ? 'compares' : null;
  if (opcode === GROUP_5) return isIncOrDec(reg) ? 'changes' : isNearCallOrPush(reg) ? 'overwrites' : null;
  if (OVERWRITING.has(opcode)) return 'overwrites';
  return CHANGING.has(opcode) ? 'changes' : null;
};

const XCHG: ReadonlySet<number> = new Set(pairs(0x86));
const CMPXCHG: ReadonlySet<number> = new Set(pairs(0x0fb0));
/** Whether the store is an exchange for what was read: it is locked, or a comparison. */
export const storesByExchange = ({ opcode, lock }: Instruction): boolean =>
  lock || XCHG.has(opcode) || CMPXCHG.has(opcode) || opcode === GROUP_9;

const FIRST_X87 = 0xd8;
const LAST_X87 = 0xdf;
/** Stores that Xen's emulator takes up and that are not modelled. */
export const isX87Store = ({ opcode }: Instruction): boolean => opcode >= FIRST_X87 && opcode <= LAST_X87;

const ENTER = 0xc8;
export const isEnter = ({ opcode }: Instruction): boolean => opcode === ENTER;
