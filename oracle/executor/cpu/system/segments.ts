/** Loading the data segment registers and SS, in every mode. Source: Intel SDM volume 2, MOV; AMD APM volume 2, 4.10. */
import type { Cpu } from '../cpu.ts';
import { GP, NP, SS } from '../exit.ts';
import { CS, SS_REG } from '../interface.ts';
import { CPL, SEGMENT_LIMIT, SEGMENT_RIGHTS } from '../layout.ts';
import { ACCESSED, CODE, CONFORMING, dpl, ORDINARY, PRESENT, USABLE, WRITABLE } from '../segment_rights.ts';
import {
  type Descriptor,
  dplOf,
  fetch,
  indexOf,
  isConforming,
  isNull,
  isPresent,
  isReadable,
  isWritableData,
  markAccessed,
  rpl,
  setHidden,
  setNull,
  setSegment,
} from './descriptor.ts';

const REAL_LIMIT = 0xffff;
const REAL_RIGHTS = USABLE | PRESENT | ORDINARY | WRITABLE | ACCESSED;
/** Virtual-8086 mode: the same at ring 3. */
const V86_RIGHTS = REAL_RIGHTS | 0x60;

/** Real mode keeps limit and rights of what was loaded before; an unusable register becomes an ordinary one. */
export const setRealSegment = (c: Cpu, segment: number, selector: number): void => {
  const { s } = c;
  const usable = (s[SEGMENT_RIGHTS + segment] & USABLE) !== 0;
  const limit = usable ? s[SEGMENT_LIMIT + segment] : REAL_LIMIT;
  setHidden(c, segment, selector, BigInt(selector << 4), limit, usable ? s[SEGMENT_RIGHTS + segment] : REAL_RIGHTS);
};

export const setV86Segment = (c: Cpu, segment: number, selector: number): void =>
  setHidden(c, segment, selector, BigInt(selector << 4), REAL_LIMIT, V86_RIGHTS);

/** The checks of a stack segment for code of privilege `cpl`; the errors of `vector` (#GP, or #TS for tasks). */
export const checkStack = (c: Cpu, selector: number, cpl: number, vector: number, ext: number): Descriptor => {
  const d = fetch(c, selector, vector, ext);
  const error = indexOf(selector) | ext;
  if (rpl(selector) !== cpl || dplOf(d) !== cpl || !isWritableData(d)) c.fault(vector, error);
  if (!isPresent(d)) c.fault(SS, error);
  return d;
};

/** The checks of DS, ES, FS and GS. */
export const checkData = (c: Cpu, selector: number, cpl: number, vector: number, ext: number): Descriptor => {
  const d = fetch(c, selector, vector, ext);
  const error = indexOf(selector) | ext;
  if (!isReadable(d)) c.fault(vector, error);
  if (!isConforming(d) && (rpl(selector) > dplOf(d) || cpl > dplOf(d))) c.fault(vector, error);
  if (!isPresent(d)) c.fault(NP, error);
  return d;
};

/** Load SS by a selector in protected mode. A null one will do in 64-bit mode below ring 3. */
const loadStack = (c: Cpu, selector: number): void => {
  const cpl = c.s[CPL];
  if (isNull(selector)) {
    if (c.mode !== '64' || cpl === 3 || rpl(selector) !== cpl) c.fault(GP, 0);
    setNull(c, SS_REG, selector);
    return;
  }
  const d = checkStack(c, selector, cpl, GP, 0);
  markAccessed(c, d);
  setSegment(c, SS_REG, selector, d);
};

const loadData = (c: Cpu, segment: number, selector: number): void => {
  if (isNull(selector)) {
    setNull(c, segment, selector);
    return;
  }
  const d = checkData(c, selector, c.s[CPL], GP, 0);
  markAccessed(c, d);
  setSegment(c, segment, selector, d);
};

/** Load segment register `segment` (not CS) as MOV, POP and LDS do. */
export const loadSegment = (c: Cpu, segment: number, selector: number): void => {
  if (c.mode === 'real') setRealSegment(c, segment, selector);
  else if (c.mode === 'v86') setV86Segment(c, segment, selector);
  else if (segment === SS_REG) loadStack(c, selector);
  else loadData(c, segment, selector);
  if (segment === SS_REG) c.shadow = 'ss';
};

/** Back in an outer ring: a segment that it must not see becomes null. */
export const dropPrivileged = (c: Cpu, cpl: number): void => {
  for (let segment = 0; segment < 6; segment++) {
    const rights = c.s[SEGMENT_RIGHTS + segment];
    if (segment === CS || segment === SS_REG || (rights & USABLE) === 0) continue;
    const conforming = (rights & (CODE | CONFORMING)) === (CODE | CONFORMING);
    if (dpl(rights) < cpl && !conforming) setNull(c, segment, 0);
  }
};
