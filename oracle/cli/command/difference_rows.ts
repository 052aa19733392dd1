/** Where model and executor parted in a long run, as rows of a table. */
import type { Difference } from '../../compare/difference.ts';
import { count } from '../table.ts';

/** `step`: instructions that both carried out alike before it. */
export const differenceRows = (
  found: Difference & { readonly step: number; readonly rip: string },
): readonly (readonly [string, string])[] => [
  ['first difference', found.path],
  ['after instructions', count(found.step)],
  ['at RIP', found.rip],
  ['model', JSON.stringify(found.expected)],
  ['executor', JSON.stringify(found.seen)],
];
