/** The control instructions: words, environments, the whole state, the stack pointer. */
import { fromBits80 } from '../../fp/format.ts';
import { FINITE, ZERO } from '../../fp/number.ts';
import { linearBeyond, next, readable, source, target, writable } from '../address.ts';
import type { Cpu } from '../cpu.ts';
import { X87, X87_CONTROL, X87_STATUS, X87_TAG } from '../layout.ts';
import type { Handler, Op } from '../op.ts';
import type { Build, BuildTable } from '../table.ts';
import { C1, free, placeOf, pop, setTop, summarize, topOf } from './unit.ts';

/** Bits of the control word that hold what is written; bit 6 reads as 1. */
const CONTROL_BITS = 0x1f3f;
const CONTROL_FIXED = 0x40;
const CONTROL_AT_INIT = 0x37f;
const EXCEPTIONS = 0x3f;

export const setControl = (c: Cpu, value: number): void => {
  c.s[X87_CONTROL] = (value & CONTROL_BITS) | CONTROL_FIXED;
};
/** Both words at once: the summary follows from them, whatever is written. */
export const setWords = (c: Cpu, control: number, status: number): void => {
  setControl(c, control);
  c.s[X87_STATUS] = status & 0xffff;
  summarize(c);
};
export const initialize = (c: Cpu): void => {
  c.s[X87_CONTROL] = CONTROL_AT_INIT;
  c.s[X87_STATUS] = 0;
  c.s[X87_TAG] = 0;
};

/** Two bits for each register: valid 0, zero 1, special 2, empty 3. */
const tagWord = (c: Cpu): number => {
  let word = 0;
  for (let n = 0; n < 8; n++) {
    const at = X87 + 4 * n;
    const { kind, denormal } = fromBits80(c.s[at + 2] & 0xffff, c.u64[at >> 1]);
    const tag = ((c.s[X87_TAG] >> n) & 1) === 0 ? 3 : kind === ZERO ? 1 : kind === FINITE && !denormal ? 0 : 2;
    word |= tag << (2 * n);
  }
  return word;
};
const setTagWord = (c: Cpu, word: number): void => {
  let tag = 0;
  for (let n = 0; n < 8; n++) if (((word >> (2 * n)) & 3) !== 3) tag |= 1 << n;
  c.s[X87_TAG] = tag;
};

/** Fields of an environment are 2 or 4 bytes wide. */
const fieldOf = (o: Op): number => (o.size === 2 ? 2 : 4);
const ENVIRONMENT = 7;
const REGISTERS = 80;

/** Words in the low halves of their fields; the pointers to the last instruction and its operand read as zero. */
const storeEnvironment = (c: Cpu, o: Op, p: number): void => {
  const words = [c.s[X87_CONTROL], c.s[X87_STATUS], tagWord(c)];
  if (fieldOf(o) === 2) {
    for (let n = 0; n < ENVIRONMENT; n++) c.dv.setUint16(p + 2 * n, words[n] ?? 0, true);
    return;
  }
  // The upper halves of the words and of the last selector are reserved, and all ones. In real mode so are those of both offsets.
  const real = c.real ? [0xffff0000, 0, 0xffff0000, 0] : [0, 0, 0, 0xffff0000];
  for (const [n, word] of words.entries()) c.dv.setUint32(p + 4 * n, (0xffff0000 | word) >>> 0, true);
  for (const [n, field] of real.entries()) c.dv.setUint32(p + 12 + 4 * n, field, true);
};
const loadEnvironment = (c: Cpu, o: Op, p: number): void => {
  const field = fieldOf(o);
  const word = (n: number): number => c.dv.getUint16(p + n * field, true);
  setTagWord(c, word(2));
  setWords(c, word(0), word(1));
};

/** Place of an area to write or read. The first field is met first, then the last byte, which shows when a page is missing. */
const areaToWrite = (c: Cpu, o: Op, bytes: number): number => {
  target(c, o, fieldOf(o) - 1);
  c.dropWrite();
  writable(c, o, linearBeyond(c, o, bytes - 1, 0), c.high, 0);
  return target(c, o, bytes - 1);
};
const areaToRead = (c: Cpu, o: Op, bytes: number): number => {
  source(c, o, fieldOf(o) - 1);
  readable(c, o, linearBeyond(c, o, bytes - 1, 0), c.high, 0);
  return source(c, o, bytes - 1);
};

const fnstenv: Handler = (c, o) => {
  storeEnvironment(c, o, areaToWrite(c, o, ENVIRONMENT * fieldOf(o)));
  c.s[X87_CONTROL] |= EXCEPTIONS;
  summarize(c);
  return next(c, o);
};
const fldenv: Handler = (c, o) => {
  loadEnvironment(c, o, areaToRead(c, o, ENVIRONMENT * fieldOf(o)));
  return o.next;
};
const fnsave: Handler = (c, o) => {
  const environment = ENVIRONMENT * fieldOf(o);
  const p = areaToWrite(c, o, environment + REGISTERS);
  storeEnvironment(c, o, p);
  for (let i = 0; i < 8; i++) {
    const at = placeOf(c, i);
    c.dv.setBigUint64(p + environment + 10 * i, c.u64[at >> 1], true);
    c.dv.setUint16(p + environment + 10 * i + 8, c.s[at + 2], true);
  }
  initialize(c);
  return next(c, o);
};
const frstor: Handler = (c, o) => {
  const environment = ENVIRONMENT * fieldOf(o);
  const p = areaToRead(c, o, environment + REGISTERS);
  loadEnvironment(c, o, p);
  for (let i = 0; i < 8; i++) {
    const at = placeOf(c, i);
    c.u64[at >> 1] = c.dv.getBigUint64(p + environment + 10 * i, true);
    c.s[at + 2] = c.dv.getUint16(p + environment + 10 * i + 8, true);
  }
  return o.next;
};

const fldcw: Handler = (c, o) => {
  setControl(c, c.dv.getUint16(source(c, o, 1), true));
  summarize(c);
  return o.next;
};
const fnstcw: Handler = (c, o) => {
  c.dv.setUint16(target(c, o, 1), c.s[X87_CONTROL], true);
  return next(c, o);
};
const fnstsw: Build = (_, __, form) =>
  form === 'm'
    ? (c, o) => {
        c.dv.setUint16(target(c, o, 1), c.s[X87_STATUS], true);
        return next(c, o);
      }
    : (c, o) => {
        c.s16[0] = c.s[X87_STATUS];
        return o.next;
      };

const without =
  (act: (c: Cpu, o: Op) => void): Build =>
  () =>
  (c, o) => {
    act(c, o);
    return o.next;
  };
const clearC1 = (c: Cpu): void => {
  c.s[X87_STATUS] &= ~C1;
};
const turn = (by: number): Build =>
  without((c) => {
    clearC1(c);
    setTop(c, topOf(c) + by);
  });
const nothing = without(() => {});

export const X87_CONTROL_GROUP: BuildTable = {
  fnstenv: () => fnstenv,
  fldenv: () => fldenv,
  fnsave: () => fnsave,
  frstor: () => frstor,
  fldcw: () => fldcw,
  fnstcw: () => fnstcw,
  fnstsw,
  fninit: without(initialize),
  fnclex: without((c) => {
    c.s[X87_STATUS] &= 0x7f00;
  }),
  fincstp: turn(1),
  fdecstp: turn(-1),
  ffree: without((c, o) => {
    clearC1(c);
    free(c, o.a);
  }),
  ffreep: without((c, o) => {
    clearC1(c);
    free(c, o.a);
    pop(c);
  }),
  fnop: nothing,
  fneni: nothing,
  fndisi: nothing,
  fnsetpm: nothing,
  fwait: nothing,
};
