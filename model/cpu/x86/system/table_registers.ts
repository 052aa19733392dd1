/** LGDT LIDT SGDT SIDT LLDT SLDT LTR STR. Chapter: "Tables and tasks". */
import type { ClauseId } from '#spec/clauses.ts';
import { ACCESS, isCanonical } from '../../../memory/translate.ts';
import { type Word, word } from '../../../word/word.ts';
import { type Exit, generalProtection, notPresent } from '../fault.ts';
import type { Instruction } from '../instruction.ts';
import { readLinear, writeLinear } from '../linear.ts';
import { finish, linearAddress, read } from '../operand.ts';
import { citing, completed, type Running, type Semantics, withMemory, withSystem } from '../running.ts';
import { followingLinear } from '../segmentation.ts';
import { baseIn, type Descriptor, errorOf, isNull, isPresent, isSystem, limitIn, rightsOf, SYSTEM_TYPE, typeOf } from './descriptor.ts';
import { descriptorOf, upperHalfOf, withType } from './descriptor_table.ts';
import type { SystemSegment, Table } from './state.ts';
import { isLong } from './supervisor.ts';
import { requireUmip } from './umip.ts';

const baseBytes = (s: Running): 4 | 8 => (s.system.mode === '64' ? 8 : 4);

/** The limit and base that a memory operand holds: x86/table-base. */
const tableIn = (s: Running, i: Instruction): Table => {
  const bytes = baseBytes(s);
  const at = linearAddress(s, i, i.dst, 2 + bytes);
  const limit = readLinear(s, at, 2, i.dst.stack).lo;
  const base = readLinear(s, followingLinear(s, at, 2), bytes, i.dst.stack);
  if (!isCanonical(base) && bytes === 8) throw generalProtection(0, 'x86/table-base');
  return { limit, base: bytes === 4 && i.size === 2 ? word(0, base.lo & 0xffffff) : base };
};

export const lgdt: Semantics = (s, i) => withSystem(s, i, { ...s.system, gdtr: tableIn(s, i) });
export const lidt: Semantics = (s, i) => withSystem(s, i, { ...s.system, idtr: tableIn(s, i) });

/** descriptor/told. */
const told = (s: Running): Running => (s.system.kind === 'pv' ? citing(s, 'descriptor/told') : s);

const stored =
  (which: 'gdtr' | 'idtr'): Semantics =>
  (before, i) => {
    requireUmip(before);
    const s = told(before);
    const bytes = baseBytes(s);
    const { base, limit } = s.system[which];
    const at = linearAddress(s, i, i.dst, 2 + bytes, ACCESS.WRITE);
    const second = followingLinear(s, at, 2);
    const first = withMemory(s, writeLinear(s, at, 2, word(0, limit), i.dst.stack));
    return completed(s, i, { memory: writeLinear(first, second, bytes, base, i.dst.stack) });
  };
export const sgdt = stored('gdtr');
export const sidt = stored('idtr');

/** SLDT, STR: a register of 32 or 64 bits gets the selector zero-extended. */
const selectorStored =
  (which: 'ldtr' | 'tr'): Semantics =>
  (before, i) => {
    requireUmip(before);
    const s = told(before);
    return finish(s, i, i.dst, word(0, s.system[which].selector));
  };
export const sldt = selectorStored('ldtr');
export const str = selectorStored('tr');

/** A system descriptor of the global table that LLDT or LTR may load; in long mode it has 16 bytes. */
const systemDescriptor = (s: Running, selector: number, types: readonly number[], clause: ClauseId): Descriptor => {
  const error = errorOf(selector);
  const refused = (): Exit => generalProtection(error, clause);
  const d = (selector & 4) !== 0 ? null : descriptorOf(s, selector);
  if (d === null || !isSystem(d) || !types.includes(typeOf(d))) throw refused();
  if (isLong(s)) {
    const upper = upperHalfOf(s, selector);
    if (upper === null || (upper.hi & 0x1f00) !== 0 || !isCanonical(wideBase(d, upper))) throw refused();
  }
  if (!isPresent(d)) throw notPresent(error, 'x86/segment-not_present');
  return d;
};

const wideBase = (d: Descriptor, upper: Descriptor): Word => word(upper.lo, baseIn(d).lo);

const loaded = (s: Running, selector: number, d: Descriptor, type: number): SystemSegment => {
  const upper = isLong(s) ? upperHalfOf(s, selector) : null;
  const base = upper ? wideBase(d, upper) : baseIn(d);
  return { selector, base, limit: limitIn(d), rights: (rightsOf(d) & ~0xf) | type, usable: true };
};

const NULL_LDT = { base: word(0, 0), limit: 0, rights: 0, usable: false } as const;

/** LLDT: x86/lldt-type. */
export const lldt: Semantics = (s, i) => {
  const selector = read(s, i, i.dst).lo & 0xffff;
  if (isNull(selector)) return withSystem(s, i, { ...s.system, ldtr: { selector, ...NULL_LDT } });
  const d = systemDescriptor(s, selector, [SYSTEM_TYPE.LDT], 'x86/lldt-type');
  return withSystem(s, i, { ...s.system, ldtr: loaded(s, selector, d, SYSTEM_TYPE.LDT) });
};

const BUSY = 2;

/** LTR: x86/ltr-type. */
export const ltr: Semantics = (s, i) => {
  const selector = read(s, i, i.dst).lo & 0xffff;
  if (isNull(selector)) throw generalProtection(0, 'x86/ltr-type');
  const types = isLong(s) ? [SYSTEM_TYPE.TSS32] : [SYSTEM_TYPE.TSS16, SYSTEM_TYPE.TSS32];
  const d = systemDescriptor(s, selector, types, 'x86/ltr-type');
  const type = typeOf(d) | BUSY;
  const system = { ...s.system, tr: loaded(s, selector, d, type) };
  return completed(s, i, { system, memory: withType(s, d, type) });
};
