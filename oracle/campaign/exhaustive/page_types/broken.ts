/**
 * The statements of spec/properties about references and types, as they stand for a small machine: what entries, pins and domain 0 hold is counted anew.
 */
import type { FrameUse } from '../parts/frames.ts';
import type { Values } from '../slots.ts';
import { type PageTypeScope, type PageTypeTables, STRANGER, slotsOf } from './scope.ts';

const LEVELS: Readonly<Partial<Record<FrameUse['type'], number>>> = { l1: 1, l2: 2, l3: 3, l4: 4 };
const WRITABLE = 0;

/** Kinds of uses: writable, and as a table of each level. */
export const KINDS = 5;

export type Counted = { readonly refs: Int32Array; readonly uses: Int32Array; readonly linear: Int32Array };

/** What is held, counted from entries, pins and what the frames are used as. Null: a table has an entry for another domain's frame. */
export const counter = (scope: PageTypeScope, { values: meanings }: PageTypeTables, uses: readonly FrameUse[]) => {
  const { frames, entries, foreign } = scope;
  const slots = slotsOf(scope);
  const levels = uses.map(({ type, typeRefs }) => (typeRefs > 0 ? (LEVELS[type] ?? 0) : 0));
  const counted: Counted = { refs: new Int32Array(frames), uses: new Int32Array(frames * KINDS), linear: new Int32Array(frames) };
  return (values: Values): Counted | null => {
    const { refs, uses: kinds, linear } = counted;
    refs.fill(1);
    kinds.fill(0);
    linear.fill(0);
    const hold = (frame: number, kind: number): void => {
      refs[frame]!++;
      if (kind >= 0) kinds[frame * KINDS + kind]!++;
    };
    for (let f = 0; f < frames; f++) {
      const use = values[slots.use(f)]!;
      const level = levels[use]!;
      if (uses[use]!.pinned) hold(f, level);
      for (let e = 0; level > 0 && e < entries; e++) {
        const entry = meanings[values[slots.entry(f, e)]!]!;
        if (entry === null) continue;
        if (entry.frame === STRANGER) return null;
        if (level === 1) hold(entry.frame, entry.writable ? WRITABLE : -1);
        else if (entry.frame !== f) {
          const isLinear = levels[values[slots.use(entry.frame)]!] === level;
          hold(entry.frame, isLinear ? level : level - 1);
          if (!isLinear) continue;
          linear[f]!++;
          linear[entry.frame]!--;
        }
      }
    }
    for (let e = 0; e < foreign; e++) {
      const entry = meanings[values[slots.foreign(e)]!]!;
      if (entry !== null) hold(entry.frame, entry.writable ? WRITABLE : -1);
    }
    return counted;
  };
};

export const brokenTypes = (
  scope: PageTypeScope,
  tables: PageTypeTables,
  uses: readonly FrameUse[],
): ((values: Values) => string | null) => {
  const count = counter(scope, tables, uses);
  const slots = slotsOf(scope);
  const kindOf = uses.map(({ type }) => (type === 'writable' ? WRITABLE : (LEVELS[type] ?? -1)));
  return (values) => {
    const held = count(values);
    if (held === null) return "a page table maps another domain's frame";
    for (let f = 0; f < scope.frames; f++) {
      const use = values[slots.use(f)]!;
      const { typeRefs, type, linear } = uses[use]!;
      if (values[slots.refs(f)] !== held.refs[f]) return `frame ${f} has ${values[slots.refs(f)]} references; found are ${held.refs[f]}`;
      for (let kind = 0; kind < KINDS; kind++) {
        const found = held.uses[f * KINDS + kind]!;
        const counted = kind === kindOf[use] ? typeRefs : 0;
        if (found !== counted)
          return `frame ${f} has ${typeRefs} uses as ${type}; found are ${found} ${kind === WRITABLE ? 'writable ones' : `as a table of level ${kind}`}`;
      }
      if (linear !== held.linear[f]) return `frame ${f} has ${linear} entries for its own level or by it; found are ${held.linear[f]}`;
    }
    return null;
  };
};
