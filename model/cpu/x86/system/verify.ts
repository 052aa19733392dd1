/** LAR LSL VERR VERW ARPL: asking about descriptors without loading them. */
import { word } from '../../../word/word.ts';
import { setFlags, ZF } from '../flags.ts';
import { finish, read } from '../operand.ts';
import { citing, type Running, type Semantics, withFlags } from '../running.ts';
import {
  type Descriptor,
  dplOf,
  errorOf,
  isConforming,
  isReadable,
  isSystem,
  isWritableData,
  limitIn,
  rplOf,
  SYSTEM_TYPE,
  typeOf,
} from './descriptor.ts';
import { descriptorOf } from './descriptor_table.ts';
import { isLong } from './supervisor.ts';

const LSL_LONG: readonly number[] = [SYSTEM_TYPE.LDT, SYSTEM_TYPE.TSS32, SYSTEM_TYPE.TSS32_BUSY];
const LSL_LEGACY: readonly number[] = [...LSL_LONG, SYSTEM_TYPE.TSS16, SYSTEM_TYPE.TSS16_BUSY];
const LAR_LONG: readonly number[] = [...LSL_LONG, SYSTEM_TYPE.CALL32];
const LAR_LEGACY: readonly number[] = [...LSL_LEGACY, SYSTEM_TYPE.CALL32, SYSTEM_TYPE.CALL16, SYSTEM_TYPE.TASK_GATE];

/** The descriptor, if the program may know of it. */
const visible = (s: Running, selector: number): Descriptor | null => {
  const d = errorOf(selector) === 0 ? null : descriptorOf(s, selector);
  if (d === null || isConforming(d)) return d;
  return Math.max(s.system.cpl, rplOf(selector)) <= dplOf(d) ? d : null;
};

const asking =
  (types: (s: Running) => readonly number[], answer: (d: Descriptor) => number): Semantics =>
  (before, i) => {
    const s = citing(before, 'x86/verify');
    const d = visible(s, read(s, i, i.src).lo & 0xffff);
    if (d === null || (isSystem(d) && !types(s).includes(typeOf(d)))) return withFlags(s, i, setFlags(s.flags, ZF, 0));
    return finish(s, i, i.dst, word(0, answer(d)), s.flags | ZF);
  };

/** LAR: bits 8 to 23 of the descriptor's upper half. */
export const lar = asking(
  (s) => (isLong(s) ? LAR_LONG : LAR_LEGACY),
  ({ hi }) => hi & 0xffff00,
);
/** LSL: the limit in bytes. */
export const lsl = asking((s) => (isLong(s) ? LSL_LONG : LSL_LEGACY), limitIn);

const verifying =
  (fits: (d: Descriptor) => boolean): Semantics =>
  (before, i) => {
    const s = citing(before, 'x86/verify');
    const d = visible(s, read(s, i, i.dst).lo & 0xffff);
    return withFlags(s, i, setFlags(s.flags, ZF, d !== null && fits(d) ? ZF : 0));
  };
export const verr = verifying(isReadable);
export const verw = verifying(isWritableData);

/** ARPL: raise the RPL of one selector to the other's; ZF tells whether it had to be. */
export const arpl: Semantics = (s, i) => {
  const [to, from] = [read(s, i, i.dst).lo & 0xffff, read(s, i, i.src).lo & 0xffff];
  if (rplOf(to) >= rplOf(from)) return withFlags(s, i, setFlags(s.flags, ZF, 0));
  return finish(s, i, i.dst, word(0, (to & ~3) | rplOf(from)), s.flags | ZF);
};
