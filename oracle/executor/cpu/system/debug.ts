/** Debug registers: MOV DR, and the breakpoints that they hold. Source: Intel SDM volume 3, 17.2 and 17.3; AMD APM volume 2, 13.1. */
import {
  CR4 as CR4_BITS,
  DEBUG_REGISTER_ALIASES,
  DR6,
  DR6_FIXED,
  DR6_WRITABLE,
  DR7,
  DR7_FIXED,
  DR7_LENGTH,
  DR7_RW,
  DR7_WRITABLE,
} from '#spec/isa/x86/control_registers.ts';
import type { Cpu } from '../cpu.ts';
import { DB, GP, UD } from '../exit.ts';
import { CR4, DEBUG } from '../layout.ts';
import type { Handler } from '../op.ts';
import { changed } from './control_registers.ts';
import { processorOf } from './processor.ts';

const MASK32 = 0xffffffffn;
const place = (register: number): number => DEBUG + 2 * register;
const dr6 = place(6);
const dr7 = place(7);

/** DR4 and DR5 are DR6 and DR7, unless CR4.DE takes them away. */
const registerOf = (c: Cpu, number: number): number => {
  if (number !== 4 && number !== 5) return number;
  if ((c.s[CR4] & CR4_BITS.DE) !== 0) c.fault(UD, null);
  return DEBUG_REGISTER_ALIASES[number];
};

/** With DR7.GD every use of a debug register is a #DB before it. */
const checkGeneralDetect = (c: Cpu): void => {
  if ((c.s[dr7] & DR7.GD) === 0) return;
  noteDebug(c, DR6.BD);
  c.fault(DB, null);
};

export const movToDebug: Handler = (c, o) => {
  const register = registerOf(c, o.immHi);
  checkGeneralDetect(c);
  const value = c.mode === '64' ? c.pair(o.b) : c.pair(o.b) & MASK32;
  if (register >= 6) {
    if (value > MASK32) c.fault(GP, 0);
    const low = Number(BigInt.asIntN(32, value));
    c.s[place(register)] = register === 6 ? (low & DR6_WRITABLE) | DR6_FIXED : (low & DR7_WRITABLE) | DR7_FIXED;
  } else c.setPair(place(register), value);
  return changed(c, o);
};

export const movFromDebug: Handler = (c, o) => {
  const register = registerOf(c, o.immHi);
  checkGeneralDetect(c);
  c.setPair(o.a, register >= 6 ? BigInt(c.s[place(register)] >>> 0) : c.pair(place(register)));
  if (c.mode !== '64') c.s[o.a + 1] = 0;
  return o.next;
};

type Breakpoint = { readonly number: number; readonly address: bigint; readonly length: number; readonly kind: number };

/** Breakpoints that are enabled. */
const breakpoints = (c: Cpu): readonly Breakpoint[] => {
  const control = c.s[dr7];
  return [0, 1, 2, 3]
    .filter((n) => ((control >>> (2 * n)) & 3) !== 0)
    .map((number) => ({
      number,
      address: c.pair(place(number)),
      length: DR7_LENGTH[(control >>> (18 + 4 * number)) & 3],
      kind: (control >>> (16 + 4 * number)) & 3,
    }));
};

/** Whether any breakpoint is enabled. */
export const hasBreakpoints = (c: Cpu): boolean => (c.s[dr7] & 0xff) !== 0;

/** Whether data is watched. */
export const watchesData = (c: Cpu): boolean =>
  hasBreakpoints(c) && breakpoints(c).some(({ kind }) => kind === DR7_RW.write || kind === DR7_RW.access);

/** Bits of DR6 for breakpoints that cover some of the bytes. A breakpoint's address counts without the bits below its length. */
const matching = (c: Cpu, first: bigint, size: number, kinds: readonly number[]): number =>
  breakpoints(c)
    .filter(({ kind }) => kinds.includes(kind))
    .filter(({ address, length }) => {
      const from = address & ~BigInt(length - 1);
      return first < from + BigInt(length) && first + BigInt(size) > from;
    })
    .reduce((bits, { number }) => bits | (1 << number), 0);

/** Note that breakpoints were hit. */
const noteHits = (c: Cpu, bits: number): void => {
  if (c.platform.bare) processorOf(c).hits |= bits;
  else c.hits |= bits;
};

/** Note that data was touched. */
export const inspectData = (c: Cpu, lo: number, hi: number, size: number, write: boolean): void => {
  const at = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
  noteHits(c, matching(c, at, size, write ? [DR7_RW.write, DR7_RW.access] : [DR7_RW.access]));
};

/** Note that ports were used; only with CR4.DE. */
export const inspectPort = (c: Cpu, port: number, size: number): void => {
  if (!hasBreakpoints(c) || (c.s[CR4] & CR4_BITS.DE) === 0) return;
  processorOf(c).hits |= matching(c, BigInt(port), size, [DR7_RW.io]);
};

/** Bits of DR6 for breakpoints at the instruction that RIP is at. */
export const executionHits = (c: Cpu): number =>
  hasBreakpoints(c)
    ? breakpoints(c)
        .filter(({ kind, address }) => kind === DR7_RW.execute && address === c.rip)
        .reduce((bits, { number }) => bits | (1 << number), 0)
    : 0;

/** A #DB is raised with these bits of DR6: those of breakpoints are set afresh, others are added. */
export const noteDebug = (c: Cpu, bits: number): void => {
  const fresh = (bits & 0xf) !== 0 ? c.s[dr6] & ~0xf : c.s[dr6];
  c.s[dr6] = fresh | bits;
};

/** Delivery of a #DB ends general detection. */
export const endGeneralDetect = (c: Cpu): void => {
  c.s[dr7] &= ~DR7.GD;
};
