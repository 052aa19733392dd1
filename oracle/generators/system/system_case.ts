/** Cases of the bare machine by seed. */
import type { SystemCase } from '#oracle/image/bare/case.ts';
import { Stream } from '../isa/stream.ts';
import { DEVICES } from './families/devices.ts';
import type { Family } from './families/family.ts';
import { FAULTS } from './families/faults.ts';
import { INTERRUPTS } from './families/interrupts.ts';
import { PRIVILEGED } from './families/privileged.ts';
import { REGISTERS } from './families/registers.ts';
import { SEGMENTS } from './families/segments.ts';
import { TRANSFERS } from './families/transfers.ts';
import { privilegedCells, sharedCase } from './shares.ts';

export const SYSTEM_FAMILIES: readonly Family[] = [
  ...PRIVILEGED,
  ...SEGMENTS,
  ...REGISTERS,
  ...TRANSFERS,
  ...FAULTS,
  ...INTERRUPTS,
  ...DEVICES,
];

const TOTAL = SYSTEM_FAMILIES.reduce((sum, family) => sum + family.weight, 0);
/** Streams of other generators begin elsewhere. */
const BRANCH = 0x5157;

export const PRIVILEGED_CELLS = privilegedCells(SYSTEM_FAMILIES);

/** The case of a seed, always the same. Even seeds give each privileged row its turn in each mode and ring; odd ones go by weight. */
export const systemCase = (seed: number): SystemCase => {
  const s = new Stream(seed, BRANCH);
  const shared = seed % 2 === 0 ? sharedCase(s, seed / 2, PRIVILEGED_CELLS, SYSTEM_FAMILIES) : null;
  return shared ?? anyCase(s);
};

const anyCase = (s: Stream): SystemCase => {
  let left = s.below(TOTAL);
  const family = SYSTEM_FAMILIES.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
  return family!.make(s);
};
