/**
 * Values that a control or model-specific register must not take, by the manuals alone: what an emulator lets pass is explained only where
 * these say that a processor refuses. Sources: SDM volume 3, 2.5 and 11.11; SDM volume 4; APM volume 2, 3.2 and appendix A.
 */

/** Of QEMU's qemu64 and of the bare machine. */
const PHYSICAL_BITS = 40;

const bits = (value: bigint, mask: bigint): boolean => (value & mask) !== 0n;
const ABOVE_PHYSICAL = ~((1n << BigInt(PHYSICAL_BITS)) - 1n) & 0xffffffffffffffffn;
export const canonical = (value: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, value)) === value;
/** Uncacheable, write-combining, write-through, write-protected, write-back. */
const MTRR_TYPES = [0n, 1n, 4n, 5n, 6n] as const;
const isType = (type: bigint, types: readonly bigint[] = MTRR_TYPES): boolean => types.includes(type & 0xffn);
const areTypes = (value: bigint, types?: readonly bigint[]): boolean =>
  Array.from({ length: 8 }, (_, i) => value >> BigInt(8 * i)).every((type) => isType(type, types));

const FIXED_MTRRS: readonly number[] = [0x250, 0x258, 0x259, ...Array.from({ length: 8 }, (_, i) => 0x268 + i)];
const ADDRESSES: readonly number[] = [0xc0000082, 0xc0000083, 0xc0000100, 0xc0000101, 0xc0000102];
/** Numbers of AMD's and Intel's that a processor of this kind has, with the bits that are reserved. */
const RESERVED: ReadonlyMap<number, bigint> = new Map([
  [0x17a, ~0x7n],
  [0xc0010010, ~0x7c0000n],
  [0xc0010015, ~0x1000018n],
]);
const NO_SUCH: readonly number[] = [0x0, 0x1, 0x2, 0x11, 0x20, 0x200000, 0x40000000, 0xbfffffff, 0xc0000104, 0xdeadbeef];

/** MTRRcap and MCG_CAP. */
const READ_ONLY: readonly number[] = [0xfe, 0x179];
const PAT = 0x277;

/** Whether no processor of this kind has the register. */
export const isNoMsr = (number: number): boolean => NO_SUCH.includes(number);

export const refusesMsr = (number: number, value: bigint): boolean => {
  if (isNoMsr(number) || READ_ONLY.includes(number)) return true;
  // UC- is a type of PAT's alone.
  if (number === PAT) return !areTypes(value, [...MTRR_TYPES, 7n]);
  if (ADDRESSES.includes(number)) return !canonical(value);
  if (FIXED_MTRRS.includes(number)) return !areTypes(value);
  if (number >= 0x200 && number < 0x210)
    return number % 2 === 0 ? !isType(value) || bits(value, ABOVE_PHYSICAL | 0xf00n) : bits(value, ABOVE_PHYSICAL | 0x7ffn);
  if (number === 0x2ff) return !isType(value) || bits(value, ~0xcffn);
  return bits(value, RESERVED.get(number) ?? 0n);
};

const PE = 1n;
const NW_PG = 0xa0000000n;
const HIGH = 0xffffffff00000000n;
/** TSD to OSXMMEXCPT, UMIP, FSGSBASE, OSXSAVE, SMEP, SMAP: bits that may turn alone; PAE not in long mode. */
const CR4_FREE = 0x3507fcn;
const PAE = 0x20n;

/** Whether turning these bits of a control register, from what a case begins with, may be refused. */
export const refusesTurn = (register: number, turned: bigint, long: boolean): boolean => {
  switch (register) {
    case 0:
      return bits(turned, PE | NW_PG | HIGH);
    case 3:
      return bits(turned, ABOVE_PHYSICAL);
    case 4:
      return bits(turned, ~CR4_FREE | (long ? PAE : 0n));
    default:
      return turned > 15n;
  }
};
