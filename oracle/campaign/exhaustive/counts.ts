/** What small machines come to, as it was found when they were explored whole: a change of the model that changes one of these is seen here. */
import type { ConfigName } from './configs.ts';

/** `longest`: transitions of the longest way that no shorter one replaces. */
export type Reachable = { readonly states: number; readonly transitions: number; readonly longest: number };

export const REACHABLE: Readonly<Partial<Record<ConfigName, Reachable>>> = {
  channels: { states: 10_769, transitions: 452_298, longest: 12 },
  channels_peers_vcpus: { states: 15_752_474, transitions: 1_039_663_284, longest: 23 },
  grants: { states: 582, transitions: 9894, longest: 10 },
  grants_device: { states: 1868, transitions: 31_756, longest: 14 },
  grants_frames: { states: 8857, transitions: 177_140, longest: 11 },
  grants_domains: { states: 106_044, transitions: 2_969_232, longest: 17 },
  grants_whole: { states: 54_483_824, transitions: 2_342_804_432, longest: 25 },
  page_types: { states: 551, transitions: 9918, longest: 6 },
  page_types_3: { states: 59_111, transitions: 1_950_663, longest: 9 },
  page_types_taken: { states: 10_134, transitions: 334_422, longest: 9 },
  page_types_4: { states: 282_845, transitions: 14_707_940, longest: 12 },
  page_types_foreign: { states: 172_288, transitions: 7_925_248, longest: 10 },
  page_types_whole: { states: 1_599_294, transitions: 110_351_286, longest: 13 },
  page_types_mapped: { states: 7_165_984, transitions: 451_456_992, longest: 12 },
  deaths_granter: { states: 16_748, transitions: 461_208, longest: 16 },
  deaths_mapper: { states: 8588, transitions: 297_540, longest: 12 },
  deaths: { states: 1618, transitions: 38_550, longest: 12 },
};

/** States that satisfy the invariants, and transitions from them. */
export type Satisfying = { readonly states: number; readonly transitions: number };

export const SATISFYING: Readonly<Partial<Record<ConfigName, Satisfying>>> = {
  channels: { states: 1371, transitions: 57_582 },
  channels_vcpus: { states: 16_129, transitions: 838_708 },
  channels_3: { states: 52_483, transitions: 2_834_082 },
  grants: { states: 1800, transitions: 30_600 },
  grants_device: { states: 5520, transitions: 93_840 },
  grants_frames: { states: 48_528, transitions: 970_560 },
  grants_domains: { states: 1_279_200, transitions: 35_817_600 },
  page_types: { states: 1372, transitions: 24_696 },
  page_types_3: { states: 167_261, transitions: 5_519_613 },
  page_types_foreign: { states: 527_740, transitions: 24_276_040 },
};
