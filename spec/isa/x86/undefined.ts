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
