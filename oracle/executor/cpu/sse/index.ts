/** SSE to SSE4.2, by mnemonic. */
import { type BuildTable, fixed } from '../table.ts';
import { ARITHMETIC } from './arithmetic.ts';
import { COMPARISONS } from './compare.ts';
import { CONVERSIONS } from './convert.ts';
import { DOT_PRODUCTS } from './dot_product.ts';
import { ELEMENTS, WIDE_ELEMENTS } from './element.ts';
import { INSERTS } from './insert.ts';
import { MOVES } from './move.ts';
import { REARRANGED, shiftBytes, WIDE_REARRANGED } from './rearrange.ts';
import { RECIPROCALS } from './reciprocal.ts';
import { SCALARS } from './scalar.ts';
import { byImmediate, byVector, SHIFT_NAMES } from './shift.ts';
import { SPECIAL } from './special.ts';
import { STRINGS } from './strings.ts';
import { type Lanes, packed } from './vector.ts';

const all = (table: Readonly<Record<string, Lanes>>): BuildTable =>
  Object.fromEntries(Object.entries(table).map(([name, lanes]) => [name, packed(lanes)]));

/** An operation on one register and an immediate. */
const alone = (lanes: Lanes) =>
  fixed((c, o) => {
    lanes(c, o.a, o.a, 16, o);
    return o.next;
  });

const shifts: BuildTable = Object.fromEntries(
  SHIFT_NAMES.map((name) => {
    const vector = packed(byVector(name));
    const immediate = alone(byImmediate(name));
    return [name, (o, i, form) => (form === 'xi' ? immediate : vector)(o, i, form)];
  }),
);

export const SSE: BuildTable = {
  ...all(ELEMENTS),
  ...all(WIDE_ELEMENTS),
  ...all(REARRANGED),
  ...all(WIDE_REARRANGED),
  ...shifts,
  pslldq: alone(shiftBytes(true)),
  psrldq: alone(shiftBytes(false)),
  ...MOVES,
  ...INSERTS,
  ...SPECIAL,
  ...ARITHMETIC,
  ...SCALARS,
  ...COMPARISONS,
  ...CONVERSIONS,
  ...DOT_PRODUCTS,
  ...RECIPROCALS,
  ...STRINGS,
};
