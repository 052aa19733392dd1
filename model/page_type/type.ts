/** The type of a frame: what it is used as, and how often. Chapter: spec/chapters/page_type.md. */
import { DOMID } from '#spec/abi/xen.ts';
import { ModelBug, NotModelled } from '#spec/failure.ts';
import type { FrameType } from '#spec/observation.ts';
import { cite } from '../journal.ts';
import { frame, updateFrame } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { demote, demotePartial } from './demote.ts';
import { endLinearUse } from './linear.ts';
import { isDeferred } from './old_table.ts';
import { isCounted, ownerOf } from './owner.ts';
import { promote } from './promote.ts';
import type { Level } from './pte.ts';
import { addReference } from './references.ts';
import { allow, refuse, type Verdict } from './verdict.ts';

const LEVELS: Readonly<Partial<Record<FrameType, Level>>> = { l1: 1, l2: 2, l3: 3, l4: 4 };
export const TABLES: Readonly<Record<Level, FrameType>> = { 1: 'l1', 2: 'l2', 3: 'l3', 4: 'l4' };

/** The level of the page table that this type stands for; undefined for other types. */
export const levelOf = (type: FrameType): Level | undefined => LEVELS[type];

/** Use a frame, to which the caller holds a reference, as `type`. */
export const getPageType = (machine: Machine, mfn: number, type: FrameType): Verdict => {
  if (!isCounted(machine, mfn)) return useFixed(machine, mfn, type);
  const { typeRefs, type: current, validated, partial } = frame(machine, mfn)!;
  if (typeRefs === 0) return firstUse(machine, mfn, type);
  if (current !== type) return refuse(machine, 'EINVAL', 'page_type/type-conflict');
  if (partial) throw new NotModelled('page_type/partial');
  if (!validated) throw new ModelBug(`frame ${mfn.toString(16)} is wanted as ${type} while it is being validated`);
  return allow(cite(updateFrame(machine, mfn, { typeRefs: typeRefs + 1 }), 'page_type/type-same'));
};

/** Device memory counts as writable for good; Xen's machine-to-phys table has no type that a use could share. */
const useFixed = (machine: Machine, mfn: number, type: FrameType): Verdict =>
  ownerOf(machine, mfn) === DOMID.IO && type === 'writable' ? allow(machine) : refuse(machine, 'EINVAL', 'page_type/type-conflict');

const firstUse = (machine: Machine, mfn: number, type: FrameType): Verdict => {
  const level = levelOf(type);
  const taken = cite(updateFrame(machine, mfn, { type, typeRefs: 1, validated: level === undefined, linear: 0 }), 'page_type/type-first');
  if (level === undefined) return allow(taken);

  const checked = promote(taken, mfn, level);
  if (checked.errno) return { ...checked, machine: notValidated(checked.machine, mfn) };
  return allow(updateFrame(checked.machine, mfn, { validated: true }));
};

/** A table whose later entry was refused keeps what its earlier ones took until it is given back, and a reference that says so. */
const notValidated = (machine: Machine, mfn: number): Machine =>
  isDeferred(machine, mfn) ? addReference(machine, mfn) : updateFrame(machine, mfn, { type: 'none', typeRefs: 0, validated: false });

/** End the use of a table that was never validated as a whole. */
export const putPartialType = (machine: Machine, mfn: number): Machine => {
  const { type, partial } = frame(machine, mfn)!;
  const level = levelOf(type);
  if (!partial || !level) throw new ModelBug(`frame ${mfn.toString(16)} is no table that stopped half way`);
  const emptied = demotePartial(updateFrame(machine, mfn, { partial: null }), mfn, level, partial);
  return updateFrame(emptied, mfn, { typeRefs: 0 });
};

/** End one use. `table`: the page table whose entry was the use, if one was. */
export const putPageType = (machine: Machine, mfn: number, table: number | null = null): Machine => {
  if (!isCounted(machine, mfn)) return machine;
  const { type, typeRefs } = frame(machine, mfn)!;
  if (typeRefs === 0) throw new ModelBug(`frame ${mfn.toString(16)} has no use to end`);
  const level = levelOf(type);
  const last = typeRefs === 1 && level !== undefined;
  const emptied = last ? demote(updateFrame(cite(machine, 'page_type/type-last'), mfn, { validated: false }), mfn, level) : machine;
  const linear = table !== null && frame(emptied, table)!.type === type ? endLinearUse(emptied, mfn, table) : emptied;
  return updateFrame(linear, mfn, { typeRefs: frame(linear, mfn)!.typeRefs - 1 });
};
