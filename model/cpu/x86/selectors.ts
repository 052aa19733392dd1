/**
 * What a selector names for ring 3. A PV guest that has set no descriptor table of its own sees Xen's, where three
 * descriptors belong to ring 3: 32-bit code, flat data and 64-bit code. Everything else refuses.
 */

import { FLAT } from '#spec/abi/xen.ts';
import { NotModelled } from '#spec/failure.ts';
import { ZERO } from '../../word/word.ts';
import { generalProtection } from './fault.ts';
import type { Segments } from './state.ts';
import { FS, GS, SS } from './state.ts';

const RPL = 3;
const index = (selector: number): number => selector & ~RPL;
/** The error code of a fault that a selector caused: without its RPL. */
export const selectorError = (selector: number): number => selector & 0xfffc;
export const isNull = (selector: number): boolean => index(selector) === 0;

const DATA = index(FLAT.RING3_SS64);
const CODE64 = index(FLAT.RING3_CS64);
const CODE32 = index(FLAT.RING3_CS32);

/** Segments after loading a data or stack segment register. x86/selector-load. */
export const loadSegment = (segments: Segments, register: number, selector: number): Segments => {
  if (register === SS ? !isStack(selector) : !isReadable(selector)) throw generalProtection(selectorError(selector), 'x86/selector-load');
  const selectors = segments.selectors.slice();
  selectors[register] = selector;
  if (register === FS) return { ...segments, selectors, fsBase: ZERO };
  if (register === GS) return { ...segments, selectors, gsBase: ZERO };
  return { ...segments, selectors };
};

/** SS in ring 3: the flat data segment with RPL 3, never null. */
const isStack = (selector: number): boolean => selector === (DATA | RPL);

/** DS ES FS GS: null, or one of ring 3's segments (code is readable); the RPL does not matter. */
export const isReadable = (selector: number): boolean =>
  isNull(selector) || index(selector) === DATA || index(selector) === CODE64 || index(selector) === CODE32;

/** CS after a far jump or call, whose selector may have any RPL. x86/selector-code. */
export const jumpSelector = (selector: number): number => {
  requireCode(selector);
  return selector | RPL;
};

/** CS after a far return or IRET: ring 3 can return to ring 3 only. */
export const returnSelector = (selector: number): number => {
  if ((selector & RPL) !== RPL) throw generalProtection(selectorError(selector), 'x86/selector-code');
  requireCode(selector);
  return selector;
};

const requireCode = (selector: number): void => {
  if (index(selector) === CODE32) throw new NotModelled('x86/compatibility_mode');
  if (index(selector) !== CODE64) throw generalProtection(selectorError(selector), 'x86/selector-code');
};

/** SS after IRET. */
export const returnStack = (selector: number): number => {
  if (!isStack(selector)) throw generalProtection(selectorError(selector), 'x86/selector-load');
  return selector;
};
