/** Results, other than flags, that the manuals leave undefined, and what both machines do. Programs never observe them. */
export type UndefinedWhen = 'source 0' | 'operand size 16' | 'masked count above the operand size';

export type UndefinedResult = {
  readonly mnemonics: readonly string[];
  /** When the first operand's new value is undefined. */
  readonly when: UndefinedWhen;
  readonly pinned: string;
};

export const UNDEFINED_RESULTS: readonly UndefinedResult[] = [
  {
    mnemonics: ['bsf', 'bsr'],
    when: 'source 0',
    pinned: 'The destination keeps its value (all known silicon does so); a 32-bit destination is not zero-extended.',
  },
  {
    mnemonics: ['shld', 'shrd'],
    when: 'masked count above the operand size',
    pinned: 'Only 16-bit operands have such counts. The destination keeps its value and the flags SZP follow it, O A C are 0.',
  },
  { mnemonics: ['bswap'], when: 'operand size 16', pinned: 'The destination word becomes 0.' },
];

/** Flags that the manuals leave undefined and both machines set to more than 0. */
export const PINNED_FLAGS = {
  'shl/shr CF, masked count not below operand size (8, 16 bit)':
    'CF becomes 0 when the count is above the size; for a count equal to the size it is the last bit shifted out.',
} as const;

/** Results that may lie beside the correctly rounded one. Both machines give that one; silicon may differ as `tolerance` says. */
export type InexactResult = {
  readonly mnemonics: readonly string[];
  /** `one unit`: of the last place of 80-bit precision; with it C1, PE and UE. `relative`: of each single-precision element. */
  readonly tolerance: { readonly kind: 'one unit' } | { readonly kind: 'relative'; readonly most: number };
  readonly pinned: string;
};

export const INEXACT_RESULTS: readonly InexactResult[] = [
  {
    mnemonics: ['fsin', 'fcos', 'fsincos', 'fptan', 'fpatan', 'f2xm1', 'fyl2x', 'fyl2xp1'],
    tolerance: { kind: 'one unit' },
    pinned: 'The correctly rounded 80-bit result in the current rounding mode; precision control does not apply.',
  },
  {
    mnemonics: ['rcpps', 'rcpss', 'rsqrtps', 'rsqrtss'],
    tolerance: { kind: 'relative', most: 1.5 * 2 ** -12 },
    pinned:
      'The single-precision number nearest to the reciprocal, or the reciprocal of the square root. What silicon finds below the smallest normal number it makes a zero.',
  },
];

/**
 * What the x87 remembers of its last instruction: opcode, its address and its operand's. Both machines read 0. Places in the images of
 * FXSAVE, FNSTENV and FNSAVE by operand size, as first byte and length.
 */
export const LAST_INSTRUCTION = {
  fxsave: { first: 6, length: 18 },
  environment32: { first: 12, length: 16 },
  environment16: { first: 6, length: 8 },
} as const;
