/** DPPS and DPPD. */
import { add, multiply } from '../../fp/arithmetic.ts';
import type { Cpu } from '../cpu.ts';
import { SPARE } from '../layout.ts';
import type { Build, BuildTable } from '../table.ts';
import { begin, conclude, deliver, type Element, element32, element64, LANES } from './lane.ts';
import { placed } from './vector.ts';

/** Each step raises what it raises: an unmasked exception of one comes before the next. */
const step = (c: Cpu): void => {
  conclude(c);
  c.fp.flags = 0;
  deliver(c, SPARE, 4);
};

/** Products that immediate bits 7:4 choose, summed pairwise; the sum goes to the elements that bits 3:0 choose. Each step rounds. */
const dotProduct = (product: Element, sum: Element): Build =>
  placed((c, o, b) => {
    const { dwords } = product;
    const count = 4 / dwords;
    begin(c);
    LANES.fill(0);
    for (let n = 0; n < count; n++) if (((o.imm >> (4 + n)) & 1) === 1) product.compute(c, o.a + n * dwords, b + n * dwords, n);
    step(c);
    for (let left = count; left > 1; left >>= 1) {
      for (let n = 0; n < left; n += 2) sum.compute(c, SPARE + n * dwords, SPARE + (n + 1) * dwords, n >> 1);
      step(c);
    }
    for (let n = 0; n < 4; n++) c.s[o.a + n] = ((o.imm >> Math.floor(n / dwords)) & 1) === 1 ? LANES[n % dwords] : 0;
    return o.next;
  });

export const DOT_PRODUCTS: BuildTable = {
  dpps: dotProduct(element32(multiply), element32(add)),
  dppd: dotProduct(element64(multiply), element64(add)),
};
