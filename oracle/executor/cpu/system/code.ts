/** Where code goes on: the checks of a code segment and of the offset in it, and the step into it. */
import type { Cpu } from '../cpu.ts';
import { GP, NP } from '../exit.ts';
import { CS } from '../interface.ts';
import { CPL, PAGE, SEGMENT_BASE, SEGMENT_LIMIT } from '../layout.ts';
import type { Op } from '../op.ts';
import { BIG, LONG } from '../segment_rights.ts';
import { canonical, high, isLong, low } from './access.ts';
import {
  baseOf,
  type Descriptor,
  dplOf,
  fetch,
  indexOf,
  isCode,
  isConforming,
  isNull,
  isPresent,
  limitOf,
  markAccessed,
  rightsOf,
  rpl,
  setSegment,
} from './descriptor.ts';
import { setRealSegment, setV86Segment } from './segments.ts';

/** Offset of RIP in the code segment, `ahead` bytes further. */
export const instructionPointer = (c: Cpu, ahead: bigint = c.rip): bigint =>
  c.mode === '64' ? BigInt.asUintN(64, ahead) : BigInt.asUintN(32, ahead - c.pair(SEGMENT_BASE + 2 * CS));

/** Offset behind an instruction. */
export const nextPointer = (c: Cpu, o: Op): bigint => instructionPointer(c, c.pair(PAGE) + BigInt(o.end));

/** Go on at the linear address; the burst ends, and the bare machine looks around. */
export const goOn = (c: Cpu, o: Op, linear: bigint): Op => {
  const follow = c.platform.bare ? c.pause(o) : c.stopBehind(o);
  setLinear(c, linear);
  return follow;
};

export const setLinear = (c: Cpu, linear: bigint): void => {
  c.setRipHalves(low(linear), high(linear));
  c.refresh();
};

/** 64-bit code. */
export const isLongCode = (c: Cpu, d: Descriptor): boolean => isLong(c) && (rightsOf(d) & LONG) !== 0;

/** L and D together mean nothing in long mode. */
export const checkSize = (c: Cpu, d: Descriptor, error: number): void => {
  if (isLong(c) && (rightsOf(d) & (LONG | BIG)) === (LONG | BIG)) c.fault(GP, error);
};

/** Whether an offset lies in code of descriptor `d`, else #GP. */
export const checkOffset = (c: Cpu, d: Descriptor, offset: bigint, ext = 0): void => {
  if (isLongCode(c, d) ? !canonical(offset) : offset > BigInt(limitOf(d) >>> 0)) c.fault(GP, ext);
};

/** The code segment of a jump or call that does not change the privilege. */
export const directCode = (c: Cpu, selector: number, d: Descriptor): void => {
  const cpl = c.s[CPL];
  const error = indexOf(selector);
  const allowed = isConforming(d) ? dplOf(d) <= cpl : dplOf(d) === cpl && rpl(selector) <= cpl;
  if (!isCode(d) || !allowed) c.fault(GP, error);
  checkSize(c, d, error);
  if (!isPresent(d)) c.fault(NP, error);
};

/** The code segment of a return: to the same ring or an outer one. */
export const returnCode = (c: Cpu, selector: number): Descriptor => {
  if (isNull(selector)) c.fault(GP, 0);
  const error = indexOf(selector);
  const to = rpl(selector);
  if (to < c.s[CPL]) c.fault(GP, error);
  const d = fetch(c, selector);
  if (!isCode(d) || (isConforming(d) ? dplOf(d) > to : dplOf(d) !== to)) c.fault(GP, error);
  checkSize(c, d, error);
  if (!isPresent(d)) c.fault(NP, error);
  return d;
};

/** Be in code of descriptor `d` at ring `cpl`. */
export const enterCode = (c: Cpu, selector: number, d: Descriptor, cpl: number, offset: bigint): void => {
  markAccessed(c, d);
  setCode(c, selector, d, cpl, offset);
};

/** The same, when the accessed bit is set already. */
export const setCode = (c: Cpu, selector: number, d: Descriptor, cpl: number, offset: bigint): void => {
  setSegment(c, CS, (selector & 0xfffc) | cpl, d);
  c.s[CPL] = cpl;
  const long = isLongCode(c, d);
  setLinear(c, long ? offset : BigInt.asUintN(32, baseOf(d) + offset));
};

/** Real mode: anything goes that lies below the limit. */
export const checkRealOffset = (c: Cpu, offset: bigint): void => {
  if (offset > BigInt(c.s[SEGMENT_LIMIT + CS] >>> 0)) c.fault(GP, 0);
};

/** Real and virtual-8086 mode. */
export const enterRealCode = (c: Cpu, selector: number, offset: bigint): void => {
  if (c.mode === 'v86') setV86Segment(c, CS, selector);
  else setRealSegment(c, CS, selector);
  setLinear(c, BigInt.asUintN(32, BigInt(selector << 4) + offset));
};
