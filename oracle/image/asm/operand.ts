/** Operands of the x86-64 assembler. */
export type Size = 8 | 16 | 32 | 64;

/** A general register; `high` names AH, CH, DH, BH (then `n` is 4 to 7). */
export type Reg = { readonly t: 'reg'; readonly n: number; readonly size: Size; readonly high: boolean };
/** Segment, control or debug register. */
export type SpecialReg = { readonly t: 'seg' | 'cr' | 'dr'; readonly n: number };
/** `[base + index*scale + disp + label]`; size 0 when only the other operand tells it. */
export type Mem = {
  readonly t: 'mem';
  readonly size: Size | 0;
  readonly base: number | null;
  readonly index: number | null;
  readonly scale: 1 | 2 | 4 | 8;
  readonly disp: number;
  readonly label: string | null;
  readonly segment: 'fs' | 'gs' | null;
  /** Address relative to the next instruction. */
  readonly rip: boolean;
};
/** A constant, plus the address of a label when one is named. */
export type Imm = { readonly t: 'imm'; readonly value: number | bigint; readonly label: string | null };
export type Operand = Reg | SpecialReg | Mem | Imm;

/** The assembler was asked for what cannot be encoded. */
export class AssemblyError extends Error {
  override readonly name = 'AssemblyError';
}

const NAMES_64 = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'] as const;
const BYTES = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil'] as const;
const HIGH_BYTES = ['ah', 'ch', 'dh', 'bh'] as const;
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;

const named = new Map<string, Reg | SpecialReg>();
const general = (name: string, n: number, size: Size, high = false) => named.set(name, { t: 'reg', n, size, high });
NAMES_64.forEach((name, n) => {
  general(name, n, 64);
  general(name.replace('r', 'e'), n, 32);
  general(name.slice(1), n, 16);
});
BYTES.forEach((name, n) => {
  general(name, n, 8);
});
HIGH_BYTES.forEach((name, n) => {
  general(name, n + 4, 8, true);
});
for (let n = 8; n < 16; n++) {
  general(`r${n}`, n, 64);
  general(`r${n}d`, n, 32);
  general(`r${n}w`, n, 16);
  general(`r${n}b`, n, 8);
}
SEGMENTS.forEach((name, n) => {
  named.set(name, { t: 'seg', n });
});
for (let n = 0; n < 16; n++) {
  named.set(`cr${n}`, { t: 'cr', n });
  named.set(`dr${n}`, { t: 'dr', n });
}

/** Register by its Intel name, `undefined` when there is none. */
export const registerNamed = (name: string): Reg | SpecialReg | undefined => named.get(name);

/** General register by name; throws AssemblyError for any other word. */
export const reg = (name: string): Reg => {
  const found = named.get(name);
  if (found?.t !== 'reg') throw new AssemblyError(`not a general register: ${name}`);
  return found;
};

/** Name of general register `n` (0 RAX to 15 R15) at a width of `size` bits. */
export const registerName = (n: number, size: Size): string => {
  if (n >= 8) return `r${n}${{ 8: 'b', 16: 'w', 32: 'd', 64: '' }[size]}`;
  if (size === 8) return BYTES[n];
  const wide = NAMES_64[n];
  return size === 64 ? wide : size === 32 ? wide.replace('r', 'e') : wide.slice(1);
};

export const imm = (value: number | bigint): Imm => ({ t: 'imm', value, label: null });
/** The address of `label` plus `value` as a constant. */
export const addressOf = (label: string, value = 0): Imm => ({ t: 'imm', value, label });

const NOWHERE: Mem = { t: 'mem', size: 0, base: null, index: null, scale: 1, disp: 0, label: null, segment: null, rip: false };
/** Memory at an absolute address below 2 GiB. */
export const at = (size: Size | 0, address: number): Mem => ({ ...NOWHERE, size, disp: address });
/** Memory at `[base + disp]`. */
export const via = (size: Size | 0, base: string, disp = 0): Mem => ({ ...NOWHERE, size, base: reg(base).n, disp });
/** Memory from parts, the rest at rest. */
export const memory = (parts: Partial<Omit<Mem, 't'>>): Mem => ({ ...NOWHERE, ...parts });
