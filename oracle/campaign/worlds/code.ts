/** Machine code of the guests, as bytes. */
import { HYPERCALL, type HypercallName } from '#spec/abi/hypercall.ts';

export type Code = readonly number[];
/** A number of 64 bits; negative ones in two's complement. */
export type Word = number | bigint;

const le = (value: number): Code => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255];
const TWO32 = 2 ** 32;
const quad = (value: Word): Code => {
  if (typeof value === 'number') return [...le(value % TWO32), ...le(Math.floor(value / TWO32))];
  return [...le(Number(BigInt.asIntN(32, value))), ...le(Number(BigInt.asIntN(32, value >> 32n)))];
};

const NUMBERS = {
  rax: 0,
  rcx: 1,
  rdx: 2,
  rbx: 3,
  rsp: 4,
  rbp: 5,
  rsi: 6,
  rdi: 7,
  r8: 8,
  r9: 9,
  r10: 10,
  r11: 11,
  r12: 12,
  r13: 13,
  r14: 14,
  r15: 15,
} as const;
export type Register = keyof typeof NUMBERS;

/** MOV register, immediate: always of ten bytes, so that programs that differ in a number have the same length. */
export const mov = (register: Register, value: Word): Code => {
  const n = NUMBERS[register];
  return [n < 8 ? 0x48 : 0x49, 0xb8 + (n & 7), ...quad(value)];
};
/** MOV [address], RAX, of eight bytes. */
export const keep = (address: number): Code => [0x48, 0x89, 0x04, 0x25, ...le(address)];
/** MOV register, [address]. */
export const loadInto = (register: Register, address: number): Code => {
  const n = NUMBERS[register];
  return [n < 8 ? 0x48 : 0x4c, 0x8b, 0x04 | ((n & 7) << 3), 0x25, ...le(address)];
};
export const store = (address: number, value: Word): Code => [...mov('rax', value), ...keep(address)];
/** The same but for some bits, which stay. */
export const storePart = (address: number, value: Word, keeps: bigint): Code => [
  ...mov('rdx', keeps),
  ...mov('rax', value),
  ...[0x48, 0x21, 0x14, 0x25, ...le(address)],
  ...[0x48, 0x09, 0x04, 0x25, ...le(address)],
];
/** REP MOVSQ. */
export const copyWords = (from: number, to: number, count: number): Code => [
  ...mov('rsi', from),
  ...mov('rdi', to),
  ...mov('rcx', count),
  ...[0xf3, 0x48, 0xa5],
];
/** MOVDQU xmm, [address]; FLD qword [address]. */
export const loadXmm = (n: number, address: number): Code => [
  0xf3,
  ...(n < 8 ? [] : [0x44]),
  0x0f,
  0x6f,
  0x04 | ((n & 7) << 3),
  0x25,
  ...le(address),
];
export const loadFloat = (address: number): Code => [0xdd, 0x04, 0x25, ...le(address)];

const ARGUMENTS: readonly Register[] = ['rdi', 'rsi', 'rdx', 'r10', 'r8'];
/** The arguments of a call. */
export const load = (args: readonly Word[]): Code => args.flatMap((value, i) => mov(ARGUMENTS[i]!, value));
/** The call, with the registers as they are: RAX is the answer. */
export const enter = (name: HypercallName): Code => [0xb8, ...le(HYPERCALL[name]), 0x0f, 0x05];
export const call = (name: HypercallName, ...args: readonly Word[]): Code => [...load(args), ...enter(name)];
