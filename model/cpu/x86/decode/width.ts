/** The letters behind an operand's kind (spec/isa/x86/row.ts). */
import type { Size } from '../../../word/size.ts';

/** Bytes of the operand when the instruction's operand size is `size`. 0: the rule knows. */
export const widthOf = (letters: string, size: Size): number => {
  switch (letters) {
    case 'b':
      return 1;
    case 'w':
      return 2;
    case 'd':
      return 4;
    case 'q':
      return 8;
    case 't':
      return 10;
    case 'dq':
      return 16;
    case 'z':
      return size === 2 ? 2 : 4;
    case 'y':
      return size === 8 ? 8 : 4;
    case 'v':
      return size;
    case 'p':
      return size === 2 ? 4 : 6;
    case 'a':
      return 2 * size;
    default:
      return 0;
  }
};

/** What a general operand of so many bytes holds of them. */
export const sizeOf = (width: number, size: Size): Size => {
  if (width === 0) return size;
  return width === 1 || width === 2 || width === 4 ? width : 8;
};
