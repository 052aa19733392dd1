/**
 * ADDSS, ADDSD and their sisters, the floating point that compilers emit. The same as arithmetic.ts would build, but written out, so that
 * each has code of its own that the engine can compile without a number ever leaving the registers.
 */
import { add, divide, multiply, subtract } from '../../fp/arithmetic.ts';
import { exactProduct, exactSum, kept, plain32, plain64, roomy, sound32, sound64, splittable } from '../../fp/fast.ts';
import type { Cpu } from '../cpu.ts';
import { MXCSR } from '../layout.ts';
import type { Op } from '../op.ts';
import type { Build, BuildTable } from '../table.ts';
import { begin, conclude, deliver, type Element, element32, element64, NEAREST_QUIET, PE, QUIET } from './lane.ts';
import { load4, load8 } from './vector.ts';

const slow = (c: Cpu, o: Op, b: number, element: Element): Op => {
  begin(c);
  element.compute(c, o.a, b, 0);
  conclude(c);
  deliver(c, o.a, element.dwords);
  return o.next;
};

/** A result that was rounded; `mxcsr` as it was. */
const inexact = (c: Cpu, mxcsr: number): void => {
  c.s[MXCSR] = mxcsr | PE;
};

const ADD64 = element64(add);
const addsd = (c: Cpu, o: Op, b: number): Op => {
  const { f64 } = c;
  const mxcsr = c.s[MXCSR];
  const x = f64[o.a >> 1];
  const y = f64[b >> 1];
  const r = x + y;
  if ((mxcsr & NEAREST_QUIET) !== QUIET || !plain64(x) || !plain64(y) || !sound64(r)) return slow(c, o, b, ADD64);
  if ((mxcsr & PE) === 0 && !exactSum(x, y, r)) inexact(c, mxcsr);
  f64[o.a >> 1] = r;
  return o.next;
};

const SUB64 = element64(subtract);
const subsd = (c: Cpu, o: Op, b: number): Op => {
  const { f64 } = c;
  const mxcsr = c.s[MXCSR];
  const x = f64[o.a >> 1];
  const y = f64[b >> 1];
  const r = x - y;
  if ((mxcsr & NEAREST_QUIET) !== QUIET || !plain64(x) || !plain64(y) || !sound64(r)) return slow(c, o, b, SUB64);
  if ((mxcsr & PE) === 0 && !exactSum(x, -y, r)) inexact(c, mxcsr);
  f64[o.a >> 1] = r;
  return o.next;
};

const MUL64 = element64(multiply);
const mulsd = (c: Cpu, o: Op, b: number): Op => {
  const { f64 } = c;
  const mxcsr = c.s[MXCSR];
  const x = f64[o.a >> 1];
  const y = f64[b >> 1];
  const r = x * y;
  if ((mxcsr & NEAREST_QUIET) !== QUIET || !plain64(x) || !plain64(y) || !sound64(r) || !kept(x, y, r)) return slow(c, o, b, MUL64);
  if ((mxcsr & PE) === 0) {
    if (!splittable(x) || !splittable(y) || !roomy(r)) return slow(c, o, b, MUL64);
    if (!exactProduct(x, y, r)) inexact(c, mxcsr);
  }
  f64[o.a >> 1] = r;
  return o.next;
};

const DIV64 = element64(divide);
const divsd = (c: Cpu, o: Op, b: number): Op => {
  const { f64 } = c;
  const mxcsr = c.s[MXCSR];
  const x = f64[o.a >> 1];
  const y = f64[b >> 1];
  const r = x / y;
  if ((mxcsr & NEAREST_QUIET) !== QUIET || y === 0 || !plain64(x) || !plain64(y) || !sound64(r) || !kept(x, y, r))
    return slow(c, o, b, DIV64);
  if ((mxcsr & PE) === 0) {
    if (!splittable(r) || !splittable(y) || !splittable(x) || !roomy(x)) return slow(c, o, b, DIV64);
    if (r * y !== x || !exactProduct(r, y, x)) inexact(c, mxcsr);
  }
  f64[o.a >> 1] = r;
  return o.next;
};

const ADD32 = element32(add);
const addss = (c: Cpu, o: Op, b: number): Op => {
  const { f32 } = c;
  const mxcsr = c.s[MXCSR];
  const x = f32[o.a];
  const y = f32[b];
  const r = Math.fround(x + y);
  if ((mxcsr & NEAREST_QUIET) !== QUIET || !plain32(x) || !plain32(y) || !sound32(r)) return slow(c, o, b, ADD32);
  if ((mxcsr & PE) === 0 && !(x + y === r && exactSum(x, y, r))) inexact(c, mxcsr);
  f32[o.a] = r;
  return o.next;
};

const SUB32 = element32(subtract);
const subss = (c: Cpu, o: Op, b: number): Op => {
  const { f32 } = c;
  const mxcsr = c.s[MXCSR];
  const x = f32[o.a];
  const y = f32[b];
  const r = Math.fround(x - y);
  if ((mxcsr & NEAREST_QUIET) !== QUIET || !plain32(x) || !plain32(y) || !sound32(r)) return slow(c, o, b, SUB32);
  if ((mxcsr & PE) === 0 && !(x - y === r && exactSum(x, -y, r))) inexact(c, mxcsr);
  f32[o.a] = r;
  return o.next;
};

const MUL32 = element32(multiply);
const mulss = (c: Cpu, o: Op, b: number): Op => {
  const { f32 } = c;
  const mxcsr = c.s[MXCSR];
  const x = f32[o.a];
  const y = f32[b];
  const r = Math.fround(x * y);
  if ((mxcsr & NEAREST_QUIET) !== QUIET || !plain32(x) || !plain32(y) || !sound32(r) || !kept(x, y, r)) return slow(c, o, b, MUL32);
  if ((mxcsr & PE) === 0 && x * y !== r) inexact(c, mxcsr);
  f32[o.a] = r;
  return o.next;
};

const DIV32 = element32(divide);
const divss = (c: Cpu, o: Op, b: number): Op => {
  const { f32 } = c;
  const mxcsr = c.s[MXCSR];
  const x = f32[o.a];
  const y = f32[b];
  const r = Math.fround(x / y);
  if ((mxcsr & NEAREST_QUIET) !== QUIET || y === 0 || !plain32(x) || !plain32(y) || !sound32(r) || !kept(x, y, r))
    return slow(c, o, b, DIV32);
  if ((mxcsr & PE) === 0 && r * y !== x) inexact(c, mxcsr);
  f32[o.a] = r;
  return o.next;
};

/** From a register, or from memory. */
const pick = (memory: boolean, inRegister: ReturnType<Build>, inMemory: ReturnType<Build>): ReturnType<Build> =>
  memory ? inMemory : inRegister;
const isMemory = (form: string): boolean => form[1] === 'm';

export const SCALARS: BuildTable = {
  addsd: (_, __, form) =>
    pick(
      isMemory(form),
      (c, o) => addsd(c, o, o.b),
      (c, o) => addsd(c, o, load8(c, o)),
    ),
  subsd: (_, __, form) =>
    pick(
      isMemory(form),
      (c, o) => subsd(c, o, o.b),
      (c, o) => subsd(c, o, load8(c, o)),
    ),
  mulsd: (_, __, form) =>
    pick(
      isMemory(form),
      (c, o) => mulsd(c, o, o.b),
      (c, o) => mulsd(c, o, load8(c, o)),
    ),
  divsd: (_, __, form) =>
    pick(
      isMemory(form),
      (c, o) => divsd(c, o, o.b),
      (c, o) => divsd(c, o, load8(c, o)),
    ),
  addss: (_, __, form) =>
    pick(
      isMemory(form),
      (c, o) => addss(c, o, o.b),
      (c, o) => addss(c, o, load4(c, o)),
    ),
  subss: (_, __, form) =>
    pick(
      isMemory(form),
      (c, o) => subss(c, o, o.b),
      (c, o) => subss(c, o, load4(c, o)),
    ),
  mulss: (_, __, form) =>
    pick(
      isMemory(form),
      (c, o) => mulss(c, o, o.b),
      (c, o) => mulss(c, o, load4(c, o)),
    ),
  divss: (_, __, form) =>
    pick(
      isMemory(form),
      (c, o) => divss(c, o, o.b),
      (c, o) => divss(c, o, load4(c, o)),
    ),
};
