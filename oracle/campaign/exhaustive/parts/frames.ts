/** What Xen knows of a few frames: references, and what they are used as. When a use ended is left out: only flushes depend on it. */
import { type Frame, type FrameTable, frameAt, withFrame } from '#model/frame_table.ts';
import type { Machine } from '#model/machine.ts';
import { isWatched, watchedArray } from '../watch.ts';
import { outside, type Part } from './part.ts';

/** What a frame is used as, and how often. */
export type FrameUse = Pick<Frame, 'type' | 'typeRefs' | 'pinned' | 'validated' | 'linear'>;

const UNUSED: FrameUse = { type: 'none', typeRefs: 0, pinned: false, validated: false, linear: 0 };

/** `most`: uses. `linear`: entries of tables for tables of their own level. Types stay when the last use is over. */
export const frameUses = (types: readonly Frame['type'][], most: number, linear = 0): readonly FrameUse[] =>
  types.flatMap((type): FrameUse[] => {
    if (type === 'none') return [UNUSED, { ...UNUSED, validated: true }];
    const isTable = type !== 'writable';
    const uses: FrameUse[] = isTable ? [{ ...UNUSED, type }] : [];
    for (let typeRefs = isTable ? 1 : 0; typeRefs <= most; typeRefs++)
      for (const pinned of isTable ? [false, true] : [false])
        for (let n = isTable && type !== 'l1' ? -linear : 0; n <= (isTable && type !== 'l1' ? linear : 0); n++)
          uses.push({ type, typeRefs, pinned, validated: true, linear: n });
    return uses;
  });

const LEAF = 32;
/** Frames of a middle. */
const SPAN = 32 * LEAF;

export type FrameScope = {
  readonly frames: readonly { readonly name: string; readonly mfn: number }[];
  readonly uses: readonly FrameUse[];
  /** Most references. */
  readonly refs: number;
};

const keyOf = ({ type, typeRefs, pinned, validated, linear }: FrameUse): string => [type, typeRefs, pinned, validated, linear].join();

export const framesPart = (base: Machine, { frames, uses, refs }: FrameScope): Part => {
  const places = new Map(uses.map((use, u) => [keyOf(use), u]));
  const most = Math.max(...uses.map(({ typeRefs }) => typeRefs));
  const mostLinear = Math.max(...uses.map(({ linear }) => linear));
  const byFrame = new Map(frames.map(({ mfn }, f) => [mfn, f]));

  const checkOthers = ({ middles }: FrameTable): void => {
    for (const [m, middle] of middles.entries()) {
      const old = base.frames.middles[m]!;
      if (middle === old) continue;
      for (const [l, leaf] of middle.leaves.entries())
        for (let i = 0; leaf !== old.leaves[l] && i < LEAF; i++) {
          const [now, was] = [leaf.frames[i]!, old.leaves[l]!.frames[i]!];
          if (now !== was && !byFrame.has(leaf.base + i) && !isAsBefore(now, was)) throw outside(`frame 0x${(leaf.base + i).toString(16)}`);
        }
    }
  };
  return {
    slots: frames.flatMap(({ name }) => [
      { name: `references to ${name}`, size: refs + 1 },
      { name: `use of ${name}`, size: uses.length },
    ]),
    read: (machine, into, first) => {
      checkOthers(machine.frames);
      let isWithin = true;
      for (const [f, { name, mfn }] of frames.entries()) {
        const frame = frameAt(machine.frames, mfn)!;
        const was = frameAt(base.frames, mfn)!;
        if (frame.owner !== was.owner || frame.allocated !== was.allocated) throw outside(name);
        const use = places.get(keyOf(frame));
        // A table that stays half way is beyond the scope.
        if (frame.partial !== null || frame.refs > refs || frame.typeRefs > most || Math.abs(frame.linear) > mostLinear) isWithin = false;
        else if (use === undefined) throw outside(`the use of ${name} to ${keyOf(frame)}, which it never is: it`);
        into[first + 2 * f] = frame.refs;
        into[first + 2 * f + 1] = use ?? 0;
      }
      return isWithin;
    },
    write: (machine, values, first) => {
      let table = machine.frames;
      for (const [f, { mfn }] of frames.entries()) {
        const frame: Frame = {
          ...frameAt(base.frames, mfn)!,
          ...uses[values[first + 2 * f + 1]!]!,
          refs: values[first + 2 * f]!,
          usedUntil: 0,
        };
        table = withFrame(table, mfn, frame);
      }
      return { ...machine, frames: table };
    },
    watch: (machine, onTouch) => {
      const touch = (mfn: number): void => {
        const f = byFrame.get(mfn);
        if (f === undefined) return;
        onTouch(2 * f);
        onTouch(2 * f + 1);
      };
      const leaves = new Set(frames.map(({ mfn }) => Math.floor(mfn / LEAF) * LEAF));
      // Of a middle the first leaf tells where it is.
      const spans = new Set([...leaves].map((first) => Math.floor(first / SPAN)));
      const hasOurs = ({ leaves: all }: FrameTable['middles'][number]): boolean => spans.has(Math.floor(all[0]!.base / SPAN));
      const middles = machine.frames.middles.map((middle) =>
        !hasOurs(middle)
          ? middle
          : like(middle, {
              leaves: middle.leaves.map((leaf) =>
                leaves.has(leaf.base) ? like(leaf, { frames: watchedArray(leaf.frames, (i) => touch(leaf.base + i)), known: null }) : leaf,
              ),
            }),
      );
      const settle = (after: Machine): void => {
        for (const { leaves: found } of after.frames.middles.filter(hasOurs))
          for (const leaf of found)
            if (leaves.has(leaf.base) && !isWatched(leaf.frames)) for (let i = 0; i < LEAF; i++) touch(leaf.base + i);
      };
      return { machine: { ...machine, frames: { ...machine.frames, middles } }, settle };
    },
  };
};

/** A copy of the same class with other fields. */
const like = <T extends object>(old: T, change: Partial<T>): T => Object.assign(Object.create(Object.getPrototypeOf(old)), old, change);

const isAsBefore = (now: Frame, was: Frame): boolean =>
  (Object.keys(was) as (keyof Frame)[]).every((key) => key === 'usedUntil' || now[key] === was[key]) &&
  Object.keys(now).length === Object.keys(was).length;
