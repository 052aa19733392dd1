/** The type of a frame: what it is used as, and how often. Page tables: table_type.ts. Chapter: spec/chapters/page_type.md. */
import { DOMID } from '#spec/abi/xen.ts';
import { ModelBug } from '#spec/failure.ts';
import type { FrameType } from '#spec/observation.ts';
import { cite } from '../journal.ts';
import { frame, setFrame, updateFrame } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { flushForType } from '../tlb.ts';
import { spend } from '../work.ts';
import { validateDescriptors } from './descriptors.ts';
import { isCounted, ownerOf } from './owner.ts';
import type { Level } from './pte.ts';
import { allow, refuse, type Verdict } from './verdict.ts';

const LEVELS: Readonly<Partial<Record<FrameType, Level>>> = { l1: 1, l2: 2, l3: 3, l4: 4 };
export const TABLES: Readonly<Record<Level, FrameType>> = { 1: 'l1', 2: 'l2', 3: 'l3', 4: 'l4' };

/** The level of the page table that this type stands for; undefined for other types. */
export const levelOf = (type: FrameType): Level | undefined => LEVELS[type];

/** Types whose contents nobody checks. */
export type PlainType = Exclude<FrameType, 'l1' | 'l2' | 'l3' | 'l4'>;

/** Use a frame, to which the caller holds a reference, as `type`. */
export const getPageType = (machine: Machine, mfn: number, type: PlainType): Verdict => {
  if (!isCounted(machine, mfn)) return useFixed(machine, mfn, type);
  const state = frame(machine, mfn)!;
  const { typeRefs, type: current, validated } = state;
  if (typeRefs > 0 && current !== type) return refuse(machine, 'EINVAL', 'page_type/type-conflict');
  if (typeRefs > 0) return allow(cite(setFrame(machine, mfn, { ...state, typeRefs: typeRefs + 1 }), 'page_type/type-same'));
  const flushed = current === type ? machine : flushForType(machine, mfn);
  // What was found good is not looked at again as long as the frame has been nothing else.
  if (type === 'seg_desc' && !(current === type && validated)) return asDescriptors(flushed, mfn);
  return allow(cite(setFrame(flushed, mfn, { ...state, type, typeRefs: 1, validated: true, linear: 0 }), 'page_type/type-first'));
};

/** Descriptors in a page. */
const DESCRIPTORS = 512;

/** page_type/type-first: descriptors are looked at. After a refusal the frame has no type. */
const asDescriptors = (machine: Machine, mfn: number): Verdict => {
  spend(machine, 'descriptor', DESCRIPTORS);
  const checked = validateDescriptors(machine, mfn);
  const type = checked.errno ? ('none' as const) : ('seg_desc' as const);
  const used = updateFrame(checked.machine, mfn, { type, typeRefs: checked.errno ? 0 : 1, validated: true, linear: 0 });
  return { ...checked, machine: cite(used, 'page_type/type-first') };
};

/** Device memory counts as writable for good; Xen's machine-to-phys table has no type that a use could share. */
const useFixed = (machine: Machine, mfn: number, type: PlainType): Verdict =>
  ownerOf(machine, mfn) === DOMID.IO && type === 'writable' ? allow(machine) : refuse(machine, 'EINVAL', 'page_type/type-conflict');

/** End one use of a frame that is no page table. */
export const putPageType = (machine: Machine, mfn: number): Machine => {
  if (!isCounted(machine, mfn)) return machine;
  const state = frame(machine, mfn)!;
  const { type, typeRefs } = state;
  if (typeRefs === 0 || levelOf(type)) throw new ModelBug(`frame ${mfn.toString(16)} has no such use to end: ${typeRefs} as ${type}`);
  return typeRefs > 1 ? setFrame(machine, mfn, { ...state, typeRefs: typeRefs - 1 }) : unused(machine, mfn);
};

/** The last use of a frame is over (`tlb/last-use`). */
export const unused = (machine: Machine, mfn: number): Machine =>
  setFrame(machine, mfn, { ...frame(machine, mfn)!, typeRefs: 0, usedUntil: machine.tlb.time });
