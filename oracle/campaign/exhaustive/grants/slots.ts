/** Numbers of the slots: entries of grants, the granter's own entries, those of mappers, frames, uses of grants, handles. */
import type { GrantScope } from './scope.ts';

export const slotsOf = ({ grants, frames, mappers, entries, handles }: GrantScope) => {
  const own = grants;
  const ptes = own + frames;
  const counts = ptes + mappers.length * entries;
  const active = counts + 2 * frames;
  const tables = active + grants;
  return {
    count: tables + mappers.length * handles * 2,
    entry: (grant: number) => grant,
    own: (frame: number) => own + frame,
    pte: (mapper: number, entry: number) => ptes + mapper * entries + entry,
    refs: (frame: number) => counts + 2 * frame,
    use: (frame: number) => counts + 2 * frame + 1,
    active: (grant: number) => active + grant,
    isUsed: (mapper: number, handle: number) => tables + (mapper * handles + handle) * 2,
    mapping: (mapper: number, handle: number) => tables + (mapper * handles + handle) * 2 + 1,
  };
};
