/** Operands of 16 bytes that must begin at a multiple of that. AMD APM volume 1, 4.3.2. */
import { GP } from './exit.ts';
import { MXCSR } from './layout.ts';
import type { Op } from './op.ts';

/** MXCSR.MM: operands of computations may be misaligned; moves, and the areas of FXSAVE and XSAVE, may not. */
const MM = 1 << 17;
const MOVES = /^mov(?!s[lh]dup)/;

/** Whether MM frees an instruction from its alignment. */
export const yields = (mnemonic: string, align: number): boolean => align === 16 && !MOVES.test(mnemonic) && !mnemonic.startsWith('fx');

type Faulting = { readonly s: Int32Array; fault(vector: number, error: number | null): never };

/** #GP(0) for an operand at a linear address that is misaligned. */
export const checkAlignment = (c: Faulting, o: Op, lo: number): void => {
  if ((lo & (o.align - 1)) !== 0 && !(o.yields && (c.s[MXCSR] & MM) !== 0)) c.fault(GP, 0);
};
