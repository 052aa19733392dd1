/** Results, other than flags, that the manuals leave undefined, and what both machines do. Programs never observe them. */
export const UNDEFINED_RESULTS = {
  'bsf/bsr source 0': 'The destination keeps its value (all known silicon does so); a 32-bit destination is not zero-extended.',
  'shld/shrd 16-bit, masked count above 16': 'The destination keeps its value and the flags SZP follow it, O A C are 0.',
  'bswap 16-bit': 'The destination word becomes 0.',
  'shl/shr CF, masked count not below operand size (8, 16 bit)':
    'CF becomes 0 when the count is above the size; for a count equal to the size it is the last bit shifted out.',
} as const;
