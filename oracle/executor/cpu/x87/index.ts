/** x87 floating point, by mnemonic. */
import { INDEFINITE } from '../../fp/number.ts';
import type { Handler } from '../op.ts';
import { type BuildTable, fixed } from '../table.ts';
import { X87_ARITHMETIC } from './arithmetic.ts';
import { X87_COMPARISONS } from './compare.ts';
import { X87_CONTROL_GROUP } from './control.ts';
import { STATE } from './save.ts';
import { X87_TRANSFER } from './transfer.ts';
import { X87_TRIGONOMETRIC } from './trigonometric.ts';
import { begin, isEmpty, placeOf, underflow, write } from './unit.ts';

/** FCHS and FABS: the sign of anything, NaNs and unsupported formats too. */
const sign =
  (change: (top: number) => number): Handler =>
  (c, o) => {
    begin(c);
    if (isEmpty(c, 0)) {
      if (underflow(c)) write(c, 0, INDEFINITE);
      return o.next;
    }
    const at = placeOf(c, 0) + 2;
    c.s[at] = change(c.s[at]);
    return o.next;
  };

export const X87: BuildTable = {
  ...X87_ARITHMETIC,
  ...X87_TRIGONOMETRIC,
  ...X87_TRANSFER,
  ...X87_COMPARISONS,
  ...X87_CONTROL_GROUP,
  ...STATE,
  fchs: fixed(sign((top) => top ^ 0x8000)),
  fabs: fixed(sign((top) => top & 0x7fff)),
};
