/**
 * Arithmetic flags by mnemonic: which are defined by the result, which are forced, which the manuals leave undefined.
 * Both machines write an undefined flag as 0 (looseness `open/undefined-flags`); generated programs never look at one.
 * Letters: O overflow, S sign, Z zero, A auxiliary carry, P parity, C carry. Mnemonics without a row leave all flags alone.
 */
export type FlagRow = {
  readonly defined: string;
  readonly cleared?: string;
  readonly undefined?: string;
  /** Flags read. */
  readonly reads?: string;
  readonly note?: string;
};

export const RFLAGS = {
  CF: 1,
  fixed1: 2,
  PF: 4,
  AF: 0x10,
  ZF: 0x40,
  SF: 0x80,
  TF: 0x100,
  IF: 0x200,
  DF: 0x400,
  OF: 0x800,
  IOPL: 0x3000,
  NT: 0x4000,
  RF: 0x10000,
  VM: 0x20000,
  AC: 0x40000,
  VIF: 0x80000,
  VIP: 0x100000,
  ID: 0x200000,
} as const;

const sum: FlagRow = { defined: 'OSZAPC' };
const logic: FlagRow = { defined: 'SZP', cleared: 'OC', undefined: 'A' };
const carryOnly: FlagRow = { defined: 'C', undefined: 'OSAP', note: 'ZF unchanged' };
const rotate: FlagRow = {
  defined: 'C',
  undefined: 'O',
  note: 'masked count 0 changes no flag; OF is defined for a masked count of 1 only; SZAP unchanged',
};
const shift: FlagRow = {
  defined: 'SZPC',
  undefined: 'OA',
  note: 'masked count 0 changes no flag; OF is defined for a masked count of 1 only; CF is undefined for SHL and SHR when the masked count is not below the operand size',
};

export const FLAGS: Readonly<Record<string, FlagRow>> = {
  add: sum,
  sub: sum,
  cmp: sum,
  neg: sum,
  xadd: sum,
  cmpxchg: sum,
  cmps: sum,
  scas: sum,
  adc: { ...sum, reads: 'C' },
  sbb: { ...sum, reads: 'C' },
  inc: { defined: 'OSZAP' },
  dec: { defined: 'OSZAP' },
  and: logic,
  or: logic,
  xor: logic,
  test: logic,
  mul: { defined: 'OC', undefined: 'SZAP' },
  imul: { defined: 'OC', undefined: 'SZAP' },
  div: { defined: '', undefined: 'OSZAPC' },
  idiv: { defined: '', undefined: 'OSZAPC' },
  shl: shift,
  shr: shift,
  sar: shift,
  shld: {
    ...shift,
    note: 'as SHL; count above the operand size (16-bit operands): destination and all flags undefined, pinned by spec/isa/x86/undefined.ts',
  },
  shrd: { ...shift, note: 'as SHLD' },
  rol: rotate,
  ror: rotate,
  rcl: { ...rotate, reads: 'C' },
  rcr: { ...rotate, reads: 'C' },
  bt: carryOnly,
  bts: carryOnly,
  btr: carryOnly,
  btc: carryOnly,
  bsf: { defined: 'Z', undefined: 'OSAPC' },
  bsr: { defined: 'Z', undefined: 'OSAPC' },
  tzcnt: { defined: 'ZC', undefined: 'OSAP' },
  lzcnt: { defined: 'ZC', undefined: 'OSAP' },
  popcnt: { defined: 'Z', cleared: 'OSAPC' },
  cmpxchg8b: { defined: 'Z', note: 'OSAPC unchanged' },
  cmc: { defined: 'C', reads: 'C' },
  clc: { defined: 'C' },
  stc: { defined: 'C' },
  sahf: { defined: 'SZAPC' },
};
