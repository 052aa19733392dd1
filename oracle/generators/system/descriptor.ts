/** Descriptors of every kind, in the slots that cases have for their own. */
import type { Action } from '#oracle/image/bare/case.ts';
import { ACCESS, type Descriptor, dpl, FLAG, gate, gate64, segment, system } from '#oracle/image/bare/descriptors.ts';
import { GDT, LDT, SEL, TSS_LIMIT, TSS_TASK } from '#oracle/image/bare/layout.ts';
import type { Stream } from '../isa/stream.ts';

export const store = (at: number, values: readonly number[]): readonly Action[] =>
  values.map((value, i) => ({ do: 'store', at: at + 4 * i, value: value >>> 0 }));

/** Where a case's own descriptors stand. The last lies across the limit of the GDT. */
const SLOTS = [SEL.zoo, SEL.zoo + 0x10, SEL.zoo + 0x20] as const;

/** Any access byte, most often a present segment. */
const accessByte = (s: Stream): number => {
  const ring = s.pick([0, 0, 3, 3, 1, 2]);
  if (s.one(4)) return s.below(256);
  const kinds = [ACCESS.code, ACCESS.codeUnread, ACCESS.conforming, ACCESS.data, ACCESS.dataReadOnly, ACCESS.expandDown];
  const access = dpl(s.pick(kinds), ring);
  return access & ~(s.one(6) ? 0x80 : 0) & ~(s.one(3) ? 1 : 0);
};

/** A segment descriptor; base 0, so that what uses it afterwards still works, unless the limit is small. */
export const someSegment = (s: Stream, access = accessByte(s)): Descriptor => {
  const flags = s.pick([FLAG.g | FLAG.d, FLAG.g, FLAG.d, 0, FLAG.g | FLAG.l, FLAG.g | FLAG.d | FLAG.l, FLAG.g | FLAG.d | FLAG.avl]);
  const limit = s.pick([0xfffff, 0xfffff, 0xffff, 0xa, 0x9, 0]);
  return segment(access, flags, 0, limit);
};

/** A system descriptor of any type: gates to `selector`:`offset`, task states, tables. */
export const someSystem = (s: Stream, long: boolean, selector: number, offset: number): Descriptor => {
  const access = dpl(0x80 | s.below(16), s.pick([0, 3, 3])) & ~(s.one(6) ? 0x80 : 0);
  switch (access & 0x1f) {
    case 1:
    case 3:
    case 9:
    case 11:
      return system(access, TSS_TASK, s.one(4) ? 0x66 : TSS_LIMIT);
    case 2:
      return system(access, LDT, 0xff);
    case 5:
      return gate(access, SEL.task, 0);
    default:
      return long ? gate64(access, selector, offset, 0, s.one(6) ? 0x8000 : 0) : gate(access, selector, offset, s.pick([0, 0, 1, 3, 31]));
  }
};

export type Placed = { readonly selector: number; readonly before: readonly Action[]; readonly ldt?: number };

/** Puts a descriptor into the GDT or the LDT and names it, with some RPL. */
export const place = (s: Stream, descriptor: Descriptor, ring = s.pick([0, 3])): Placed => {
  const slot = s.pick(SLOTS);
  const rpl = s.one(4) ? s.below(4) : ring;
  if (s.one(3)) return { selector: slot | 4 | rpl, before: store(LDT + slot, descriptor), ldt: s.one(8) ? 0 : SEL.ldt };
  return { selector: slot | rpl, before: store(GDT + slot, descriptor) };
};

/** Selectors that name nothing of a case's own: null, beyond the limit, an LDT that is not there, the harness's. */
export const oddSelector = (s: Stream): number =>
  s.pick([
    0,
    1,
    2,
    3,
    4,
    7,
    0x1f8,
    0x200,
    0xfff8,
    SEL.code32,
    SEL.data,
    SEL.code64,
    SEL.user32,
    SEL.userData,
    SEL.tss32,
    SEL.task,
    SEL.ldt,
  ]) | (s.one(4) ? s.below(4) : 0);

/** A selector of any kind. */
export const someSelector = (
  s: Stream,
  long: boolean,
  ring: number,
  target = { selector: SEL.code32 as number, offset: 0x9000 },
): Placed => {
  if (s.one(5)) return { selector: oddSelector(s), before: [] };
  return place(s, s.one(4) ? someSystem(s, long, target.selector, target.offset) : someSegment(s), ring);
};
