/** Machine code of 32-bit guests, as bytes. */

export type Code = readonly number[];

const REGISTERS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'] as const;
export type Register = (typeof REGISTERS)[number];

/** Little-endian bytes of a word. */
export const le = (value: number): Code => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255];

/** MOV register, immediate. */
export const mov = (register: Register, value: number): Code => [0xb8 + REGISTERS.indexOf(register), ...le(value)];

/** MOV dword [address], immediate. */
export const store = (address: number, value: number): Code => [0xc7, 0x05, ...le(address), ...le(value)];

/** MOV byte [address], immediate. */
export const storeByte = (address: number, value: number): Code => [0xc6, 0x05, ...le(address), value & 255];

/** MOV EAX, [address]. */
export const load = (address: number): Code => [0xa1, ...le(address)];

/** MOV [address], EAX. */
export const keep = (address: number): Code => [0xa3, ...le(address)];

/** ADD EAX, immediate. */
export const add = (value: number): Code => [0x05, ...le(value)];

/** AND EAX, immediate. */
export const and = (value: number): Code => [0x25, ...le(value)];

const ARGUMENTS = ['ebx', 'ecx', 'edx', 'esi', 'edi'] as const;

/** A hypercall with its arguments. */
export const call = (number: number, ...args: readonly number[]): Code => [
  ...args.flatMap((value, i) => mov(ARGUMENTS[i]!, value)),
  ...mov('eax', number),
  0xcd,
  0x82,
];

/** MOV DS and ES, by way of ECX. */
export const dataSegments = (selector: number): Code => [...mov('ecx', selector), 0x8e, 0xd9, 0x8e, 0xc1];
