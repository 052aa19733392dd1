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
  /**
   * What the masked count of shifts and rotates changes (5 bits of it count, 6 with 64-bit operands). For all rows that have this:
   * a masked count of 0 changes no flag, and leaves none undefined.
   */
  readonly count?: {
    /** Undefined otherwise, but defined for a masked count of 1. */
    readonly definedForOne: string;
    /** Undefined too when the masked count is the operand size in bits, or more. */
    readonly undefinedFromSize?: string;
    /** Undefined too when the masked count is more than the operand size in bits. The result is undefined then as well. */
    readonly undefinedAboveSize?: string;
  };
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
  count: { definedForOne: 'O' },
  note: 'SZAP unchanged',
};
const shift: FlagRow = {
  defined: 'SZPC',
  undefined: 'OA',
  count: { definedForOne: 'O' },
};
const logicalShift: FlagRow = { ...shift, count: { definedForOne: 'O', undefinedFromSize: 'C' } };
const doubleShift: FlagRow = {
  ...shift,
  count: { definedForOne: 'O', undefinedAboveSize: 'OSZAPC' },
  note: 'what happens above the operand size is pinned by spec/isa/x86/undefined.ts',
};

/** Z, P and C together say greater, less, equal or unordered. */
const orderedComparison: FlagRow = { defined: 'ZPC', cleared: 'OSA' };
/** The same from the x87. */
const stackComparison: FlagRow = { defined: 'ZPC', cleared: 'OSA' };

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
  shl: logicalShift,
  shr: logicalShift,
  sar: shift,
  shld: doubleShift,
  shrd: doubleShift,
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

  daa: { defined: 'SZAPC', undefined: 'O', reads: 'AC' },
  das: { defined: 'SZAPC', undefined: 'O', reads: 'AC' },
  aaa: { defined: 'AC', undefined: 'OSZP', reads: 'A' },
  aas: { defined: 'AC', undefined: 'OSZP', reads: 'A' },
  aam: { defined: 'SZP', undefined: 'OAC' },
  aad: { defined: 'SZP', undefined: 'OAC' },
  salc: { defined: '', reads: 'C', note: 'no flag changes' },
  into: { defined: '', reads: 'O', note: 'no flag changes' },

  arpl: { defined: 'Z', note: 'OSAPC unchanged' },
  lar: { defined: 'Z', note: 'OSAPC unchanged' },
  lsl: { defined: 'Z', note: 'OSAPC unchanged' },
  verr: { defined: 'Z', note: 'OSAPC unchanged' },
  verw: { defined: 'Z', note: 'OSAPC unchanged' },

  andn: { defined: 'SZ', cleared: 'OC', undefined: 'AP' },
  bextr: { defined: 'Z', cleared: 'OC', undefined: 'SAP' },
  blsi: { defined: 'SZC', cleared: 'O', undefined: 'AP' },
  blsr: { defined: 'SZC', cleared: 'O', undefined: 'AP' },
  blsmsk: { defined: 'SC', cleared: 'OZ', undefined: 'AP' },
  bzhi: { defined: 'SZC', cleared: 'O', undefined: 'AP' },
  adcx: { defined: 'C', reads: 'C', note: 'OSZAP unchanged' },
  adox: { defined: 'O', reads: 'O', note: 'SZAPC unchanged' },
  rdrand: { defined: 'C', cleared: 'OSZAP' },
  rdseed: { defined: 'C', cleared: 'OSZAP' },

  comiss: orderedComparison,
  comisd: orderedComparison,
  ucomiss: orderedComparison,
  ucomisd: orderedComparison,
  fcomi: stackComparison,
  fcomip: stackComparison,
  fucomi: stackComparison,
  fucomip: stackComparison,
  ptest: { defined: 'ZC', cleared: 'OSAP' },
  pcmpestri: { defined: 'OSZC', cleared: 'AP' },
  pcmpestrm: { defined: 'OSZC', cleared: 'AP' },
  pcmpistri: { defined: 'OSZC', cleared: 'AP' },
  pcmpistrm: { defined: 'OSZC', cleared: 'AP' },
};
