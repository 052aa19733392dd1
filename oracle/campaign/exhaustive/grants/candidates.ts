/** Every state of the grants in which the counts are what entries, handles and pins add up to, reachable or not; marks of any value. */
import { choices } from '../choices.ts';
import type { FrameUse } from '../parts/frames.ts';
import type { Values } from '../slots.ts';
import { usesOf } from './core.ts';
import { type GrantScope, type GrantTables, grantTables, isDevice, isHost, isRead, upTo } from './scope.ts';
import { slotsOf } from './slots.ts';

/** By grant: who uses it how often by their handles; null when two domains use one. */
const usesByHandles = (scope: GrantScope, handles: readonly number[]) => {
  const used = upTo(scope.grants).map(() => ({ mapper: -1, hostRead: 0, hostWrite: 0, deviceWrite: 0 }));
  for (const [n, chosen] of handles.entries()) {
    if (chosen === 0) continue;
    const [grant, kind] = [Math.floor((chosen - 1) / scope.kinds.length), scope.kinds[(chosen - 1) % scope.kinds.length]!];
    const use = used[grant]!;
    const mapper = Math.floor(n / scope.handles);
    if (use.mapper >= 0 && use.mapper !== mapper) return null;
    use.mapper = mapper;
    if (isHost(kind)) use[isRead(kind) ? 'hostRead' : 'hostWrite']++;
    if (isDevice(kind)) use.deviceWrite++;
  }
  return used;
};

/** What a frame may be used as with so many writable uses. */
const usesWith = (uses: readonly FrameUse[], writes: number, ownUse: boolean): readonly number[] =>
  [...uses.keys()].filter((u) => {
    const { type, typeRefs, pinned } = uses[u]!;
    if (writes > 0) return type === 'writable' && typeRefs === writes;
    if (type !== 'l1') return typeRefs === 0;
    return ownUse && typeRefs === (pinned ? 1 : 0);
  });

/** The same array again and again. */
export function* grantCandidates(scope: GrantScope): Generator<Values> {
  const tables = grantTables(scope);
  const { uses } = usesOf(scope);
  const slots = slotsOf(scope);
  const state = new Int32Array(slots.count);
  const { grants, frames, mappers, handles, entries, ownUse } = scope;
  const placeOf = new Map(tables.activeValues.map((use, u) => [activeKey(use), u]));
  for (const own of choices(upTo(frames).map(() => (ownUse ? 2 : 1))))
    for (const ptes of choices(upTo(mappers.length * entries).map(() => tables.pteValues.length)))
      for (const held of choices(upTo(mappers.length * handles).map(() => tables.mappings.length + 1))) {
        const used = usesByHandles(scope, held);
        if (used === null) continue;
        for (const named of choices(used.map(({ mapper }) => (mapper < 0 ? 1 : frames)))) {
          const writes = upTo(frames).map((f) => (ownUse ? own[f]! : 1));
          const refs = writes.map((n) => 1 + n);
          const hold = (frame: number, writable: boolean, times = 1): void => {
            refs[frame] = refs[frame]! + times;
            if (writable) writes[frame] = writes[frame]! + times;
          };
          for (const [n, chosen] of ptes.entries()) {
            state[slots.pte(0, 0) + n] = chosen;
            const pte = tables.pteValues[chosen]!;
            if (pte !== null) hold(pte.frame, pte.writable);
          }
          for (const [n, chosen] of held.entries()) {
            state[slots.isUsed(0, 0) + 2 * n] = chosen === 0 ? 0 : 1;
            state[slots.mapping(0, 0) + 2 * n] = Math.max(0, chosen - 1);
          }
          for (const [g, use] of used.entries()) {
            if (use.mapper >= 0) hold(named[g]!, true, use.deviceWrite);
            const counts = { hostRead: use.hostRead, hostWrite: use.hostWrite, deviceRead: 0, deviceWrite: use.deviceWrite };
            const { mfn } = tables.frames[named[g]!]!;
            state[slots.active(g)] = use.mapper < 0 ? 0 : placeOf.get(activeKey({ mfn, domid: mappers[use.mapper]!, ...counts }))!;
          }
          for (const f of upTo(frames)) state[slots.own(f)] = ownUse ? own[f]! : 1;
          const options = writes.map((count) => usesWith(uses, count, ownUse));
          if (options.some(({ length }) => length === 0) || refs.some((count) => count >= tableSize(scope))) continue;
          for (const chosen of choices(options.map(({ length }) => length))) {
            for (const [f, at] of chosen.entries()) {
              const use = options[f]![at]!;
              state[slots.use(f)] = use;
              state[slots.refs(f)] = refs[f]! + (uses[use]!.pinned ? 1 : 0);
            }
            for (const words of choices(upTo(grants).map(() => tables.entryValues.length))) {
              for (const [g, word] of words.entries()) state[slots.entry(g)] = word;
              yield state;
            }
          }
        }
      }
}

const activeKey = (use: GrantTables['activeValues'][number]): string =>
  use === null ? '' : [use.mfn, use.domid, use.hostRead, use.hostWrite, use.deviceWrite].join();

const tableSize = (scope: GrantScope): number => usesOf(scope).most + 2;
