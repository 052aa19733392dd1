/** CMPPS and its like, COMISS and UCOMISS. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { compare, EQUAL, GREATER, LESS, UNORDERED } from '../../fp/compare.ts';
import { plain32, plain64 } from '../../fp/fast.ts';
import type { Cpu } from '../cpu.ts';
import { setArithmeticFlags } from '../flags.ts';
import type { Build, BuildTable } from '../table.ts';
import { begin, conclude, LANES, read32, read64 } from './lane.ts';
import { placed } from './vector.ts';

type Size = {
  readonly dwords: 1 | 2;
  /** The order of two plain numbers, null for others. */
  readonly quick: (c: Cpu, a: number, b: number) => number | null;
  readonly order: (c: Cpu, a: number, b: number, signals: boolean) => number;
};

const orderOf = (x: number, y: number): number => (x < y ? LESS : x > y ? GREATER : EQUAL);

const SINGLE: Size = {
  dwords: 1,
  quick: ({ f32 }, a, b) => (plain32(f32[a]) && plain32(f32[b]) ? orderOf(f32[a], f32[b]) : null),
  order: (c, a, b, signals) => compare(c.fp, read32(c, a), read32(c, b), signals),
};
const DOUBLE: Size = {
  dwords: 2,
  quick: ({ f64 }, a, b) => (plain64(f64[a >> 1]) && plain64(f64[b >> 1]) ? orderOf(f64[a >> 1], f64[b >> 1]) : null),
  order: (c, a, b, signals) => compare(c.fp, read64(c, a), read64(c, b), signals),
};

/** Predicates 0 to 3: equal, less, less or equal, unordered; 4 to 7 their opposites. */
const holds = (predicate: number, order: number): boolean => {
  const basic = [order === EQUAL, order === LESS, order === LESS || order === EQUAL, order === UNORDERED][predicate & 3];
  return basic !== predicate > 3;
};
/** LT and LE and their opposites signal quiet NaNs. */
const signaling = (predicate: number): boolean => (predicate & 3) === 1 || (predicate & 3) === 2;

/** All ones where the predicate holds. */
const comparison = ({ dwords, quick, order }: Size, scalar: boolean): Build =>
  placed((c, o, b) => {
    const predicate = o.imm & 7;
    const count = scalar ? 1 : 4 / dwords;
    begin(c);
    for (let n = 0; n < count; n++) {
      const [x, y] = [o.a + n * dwords, b + n * dwords];
      const by = quick(c, x, y) ?? order(c, x, y, signaling(predicate));
      LANES.fill(holds(predicate, by) ? -1 : 0, n * dwords, (n + 1) * dwords);
    }
    conclude(c);
    for (let n = 0; n < count * dwords; n++) c.s[o.a + n] = LANES[n];
    return o.next;
  });

const { ZF, PF, CF } = RFLAGS;
const FLAGS: Readonly<Record<number, number>> = { [LESS]: CF, [EQUAL]: ZF, [GREATER]: 0, [UNORDERED]: ZF | PF | CF };

/** ZF, PF and CF tell the order; `signals`: COMISS, which quiet NaNs are invalid for. */
const intoFlags = ({ quick, order }: Size, signals: boolean): Build =>
  placed((c, o, b) => {
    let by = quick(c, o.a, b);
    if (by === null) {
      begin(c);
      by = order(c, o.a, b, signals);
      conclude(c);
    }
    setArithmeticFlags(c, FLAGS[by]);
    return o.next;
  });

export const COMPARISONS: BuildTable = {
  cmpps: comparison(SINGLE, false),
  cmppd: comparison(DOUBLE, false),
  cmpss: comparison(SINGLE, true),
  cmpsd: comparison(DOUBLE, true),
  comiss: intoFlags(SINGLE, true),
  comisd: intoFlags(DOUBLE, true),
  ucomiss: intoFlags(SINGLE, false),
  ucomisd: intoFlags(DOUBLE, false),
};
