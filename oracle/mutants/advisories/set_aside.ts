/**
 * Advisories that were set aside, drawn by lot before anybody looked at what the generators lack: nothing was widened because one of
 * these survived, so the share of them that a campaign finds says what it finds of bugs that nobody had in mind.
 */
import { MILESTONE } from './milestone.ts';
import { ADVISORIES } from './rows.ts';

/** The lot was drawn with this seed, from all rows outside the milestone. */
export const SEED = 20_261_123;

/** A small generator of its own (mulberry32): the draw must stay as it was, whatever other generators become. */
const fractions = (seed: number) => {
  let state = seed | 0;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** The draw again: a shuffle from the end of the list, of which the first third is set aside. In the order of the list. */
export const drawSetAside = (): readonly string[] => {
  const rest = ADVISORIES.map(({ id }) => id).filter((id) => !MILESTONE.includes(id));
  const next = fractions(SEED);
  const shuffled = [...rest];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
  }
  const chosen = new Set(shuffled.slice(0, Math.floor(rest.length / 3)));
  return rest.filter((id) => chosen.has(id));
};

/** What was drawn. */
export const SET_ASIDE: readonly string[] = [
  '14',
  '16',
  '23',
  '37',
  '44',
  '53',
  '60',
  '66',
  '75',
  '83',
  '84',
  '85',
  '109',
  '112',
  '121',
  '123',
  '125',
  '132',
  '149',
  '150',
  '158',
  '159b',
  '165',
  '173',
  '183',
  '186',
  '192',
  '196b',
  '202',
  '207',
  '219',
  '220',
  '224a',
  '224c',
  '228',
  '238',
  '246',
  '256',
  '259',
  '261',
  '265',
  '278',
  '285',
  '291',
  '292',
  '299a',
  '299b',
  '302',
  '307',
  '310b',
  '311',
  '313a',
  '334',
  '336',
  '337',
  '344',
  '345',
  '378',
  '379',
  '380',
  '382',
  '386',
  '388b',
  '397',
  '399',
  '402',
  '428a',
  '428b',
  '430',
  '442',
  '451',
  '462',
  '463',
  '480',
  '494',
  '504',
  '507',
];
