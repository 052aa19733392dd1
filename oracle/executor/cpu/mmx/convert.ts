/** Conversions between MMX registers and floating point in XMM registers. */

import { type Conversion, convertLanes, PAIRS } from '../sse/convert.ts';
import { LANES } from '../sse/lane.ts';
import { LOADS, widthOf } from '../sse/vector.ts';
import type { Build, BuildTable } from '../table.ts';
import { enter, written } from './state.ts';

/** From two dwords of an MMX register, or of memory, which leaves the x87 state alone. */
const toXmm =
  (conversion: Conversion, dwords: 2 | 4): Build =>
  (_, __, form) => {
    const memory = form[1] === 'm';
    return (c, o) => {
      const b = memory ? LOADS[8](c, o) : o.b;
      if (!memory) enter(c);
      convertLanes(c, b, conversion, 2, 1);
      for (let n = 0; n < dwords; n++) c.s[o.a + n] = LANES[n];
      return o.next;
    };
  };

/** Two numbers to an MMX register. The x87 state is MMX's even when #XM follows. */
const toMmx =
  (conversion: Conversion, from: 1 | 2): Build =>
  (_, i, form) => {
    const load = LOADS[widthOf(i.row.operands[1])];
    return (c, o) => {
      const b = form[1] === 'm' ? load(c, o) : o.b;
      enter(c);
      convertLanes(c, b, conversion, 2, from);
      c.s[o.a] = LANES[0];
      c.s[o.a + 1] = LANES[1];
      written(c, o.a);
      return o.next;
    };
  };

export const MMX_CONVERSIONS: BuildTable = {
  cvtpi2ps: toXmm(PAIRS.integerTo32, 2),
  cvtpi2pd: toXmm(PAIRS.integerTo64, 4),
  cvtps2pi: toMmx(PAIRS.from32(false), 1),
  cvttps2pi: toMmx(PAIRS.from32(true), 1),
  cvtpd2pi: toMmx(PAIRS.from64(false), 2),
  cvttpd2pi: toMmx(PAIRS.from64(true), 2),
};
