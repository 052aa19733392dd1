/**
 * Delivery of exceptions and interrupts through the interrupt table, once the processor knows which vector. Source: Intel SDM volume 3,
 * 6.12 to 6.14, 20.1.4, 20.2.1; AMD APM volume 2, 8.7 to 8.9.
 */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Cpu } from '../cpu.ts';
import { GP, NP } from '../exit.ts';
import { getFlags } from '../flags.ts';
import { CS, DS, ES, FS, GS, RSP, SS_REG } from '../interface.ts';
import { CPL, IDTR_BASE, IDTR_LIMIT, SYSTEM } from '../layout.ts';
import { isLong, levelOf, read16 } from './access.ts';
import { checkOffset, checkSize, enterRealCode, isLongCode, setCode } from './code.ts';
import {
  type Descriptor,
  dplOf,
  fetch,
  gateOffset,
  gateSelector,
  indexOf,
  isCode,
  isConforming,
  isNull,
  isOrdinary,
  isPresent,
  markAccessed,
  readDescriptor,
  setNull,
  TYPE,
  typeOf,
} from './descriptor.ts';
import { enterStack, innerStack, pushOldStack } from './inner_stack.ts';
import { Stack } from './stack.ts';
import { taskGate } from './task.ts';
import { longStack } from './tss.ts';

const { TF, IF, NT, RF, VM, AC } = RFLAGS;

/** What is delivered. */
export type Delivery = {
  readonly vector: number;
  readonly error: number | null;
  /** INT n, INT3, INTO: the gate must be open to the present ring. */
  readonly software: boolean;
  /** Raised by the processor or from outside, not by an INT n: error codes of faults on the way have bit 0 (EXT). */
  readonly external: boolean;
  /** Offset and flags to be pushed. */
  readonly back: bigint;
  readonly flags: number;
};

/** Error codes that name an entry of the interrupt table have bit 1. */
const IN_IDT = 2;

/** Faults are thrown, before anything but memory on stacks was changed. Returns with RIP at the handler. */
export const deliver = (c: Cpu, event: Delivery): void => {
  if (c.mode === 'real') deliverReal(c, event);
  else deliverProtected(c, event);
};

const extOf = (event: Delivery): number => (event.external ? 1 : 0);

/** Real mode: four bytes a vector. No error codes. */
const deliverReal = (c: Cpu, event: Delivery): void => {
  const at = 4 * event.vector;
  if (at + 3 > c.s[IDTR_LIMIT]) c.fault(GP, 0);
  const base = c.pair(IDTR_BASE) + BigInt(at);
  const offset = read16(c, base, 'implicit');
  const selector = read16(c, base + 2n, 'implicit');
  const stack = Stack.current(c);
  stack.push(event.flags, 2);
  stack.push(c.selectors[CS], 2);
  stack.push(event.back, 2);
  stack.commit();
  c.s[SYSTEM] &= ~(TF | IF | RF | AC);
  enterRealCode(c, selector, BigInt(offset));
};

const GATES: readonly number[] = [TYPE.INTERRUPT16, TYPE.TRAP16, TYPE.INTERRUPT32, TYPE.TRAP32];
const LONG_GATES: readonly number[] = [TYPE.INTERRUPT32, TYPE.TRAP32];

const gateFor = (c: Cpu, event: Delivery): Descriptor => {
  const long = isLong(c);
  const bytes = long ? 16 : 8;
  const error = 8 * event.vector + IN_IDT + extOf(event);
  if (bytes * event.vector + bytes - 1 > c.s[IDTR_LIMIT]) c.fault(GP, error);
  const gate = readDescriptor(c, c.pair(IDTR_BASE) + BigInt(bytes * event.vector), bytes);
  const type = typeOf(gate);
  const known = long ? LONG_GATES.includes(type) : GATES.includes(type) || type === TYPE.TASK;
  if (isOrdinary(gate) || !known) c.fault(GP, error);
  if (event.software && dplOf(gate) < c.s[CPL]) c.fault(GP, error);
  if (!isPresent(gate)) c.fault(NP, error);
  return gate;
};

/** Where a gate leads, and at which ring. */
type Target = {
  readonly selector: number;
  readonly code: Descriptor;
  readonly cpl: number;
  readonly offset: bigint;
  readonly size: 2 | 4 | 8;
  /** Interrupt gates hold interrupts off. */
  readonly masks: boolean;
};

const deliverProtected = (c: Cpu, event: Delivery): void => {
  const gate = gateFor(c, event);
  const type = typeOf(gate);
  if (type === TYPE.TASK) {
    taskGate(c, gate, 'interrupt', event.back, extOf(event), event.error);
    return;
  }
  const target = targetOf(c, gate, event);
  const v86 = (c.s[SYSTEM] & VM) !== 0;
  if (v86 && target.cpl !== 0) c.fault(GP, indexOf(target.selector) | extOf(event));
  if (isLong(c)) throughLong(c, target, gate, event);
  else if (target.cpl < c.s[CPL]) toInnerRing(c, target, event, v86);
  else toSameRing(c, target, event);
};

const targetOf = (c: Cpu, gate: Descriptor, event: Delivery): Target => {
  const ext = extOf(event);
  const selector = gateSelector(gate);
  if (isNull(selector)) c.fault(GP, ext);
  const error = indexOf(selector) | ext;
  const code = fetch(c, selector, GP, ext);
  if (!isCode(code) || dplOf(code) > c.s[CPL]) c.fault(GP, error);
  if (isLong(c)) {
    if (!isLongCode(c, code)) c.fault(GP, error);
    checkSize(c, code, error);
  }
  if (!isPresent(code)) c.fault(NP, error);
  const type = typeOf(gate);
  const wide = (type & 8) !== 0;
  return {
    selector,
    code,
    cpl: isConforming(code) ? c.s[CPL] : dplOf(code),
    offset: gateOffset(gate, wide),
    size: isLong(c) ? 8 : wide ? 4 : 2,
    masks: (type & 1) === 0,
  };
};

/** Flags inside the handler. */
const enterHandler = (c: Cpu, target: Target): void => {
  c.s[SYSTEM] &= ~(TF | NT | RF | VM | (target.masks ? IF : 0));
  setCode(c, target.selector, target.code, target.cpl, target.offset);
};

/** Flags, the return address and, if there is one, the error code. */
const pushReturn = (c: Cpu, stack: Stack, size: number, event: Delivery): void => {
  stack.push(event.flags >>> 0, size);
  stack.push(c.selectors[CS], size);
  stack.push(event.back, size);
  if (event.error !== null) stack.push(event.error, size);
};

const toSameRing = (c: Cpu, target: Target, event: Delivery): void => {
  checkOffset(c, target.code, target.offset, extOf(event));
  const stack = Stack.current(c, extOf(event));
  pushReturn(c, stack, target.size, event);
  markAccessed(c, target.code);
  stack.commit();
  enterHandler(c, target);
};

const toInnerRing = (c: Cpu, target: Target, event: Delivery, v86: boolean): void => {
  const ext = extOf(event);
  const { cpl, size } = target;
  const inner = innerStack(c, cpl, ext);
  checkOffset(c, target.code, target.offset, ext);
  const { stack } = inner;
  const dropped = [GS, FS, DS, ES];
  if (v86) for (const segment of dropped) stack.push(c.selectors[segment], size);
  pushOldStack(c, stack, size);
  pushReturn(c, stack, size, event);
  markAccessed(c, target.code);
  if (v86) for (const segment of dropped) setNull(c, segment, 0);
  enterStack(c, inner, cpl);
  enterHandler(c, target);
};

/** Long mode: the stack is aligned, and always part of the frame; the interrupt stack table may give another. */
const throughLong = (c: Cpu, target: Target, gate: Descriptor, event: Delivery): void => {
  const ext = extOf(event);
  const { cpl } = target;
  const inner = cpl < c.s[CPL];
  const ist = gate.hi & 7;
  const sp = inner || ist !== 0 ? longStack(c, cpl, ist, ext) : c.gpr(RSP);
  checkOffset(c, target.code, target.offset, ext);
  const stack = new Stack(c, null, sp & ~0xfn, levelOf(cpl), ext);
  pushOldStack(c, stack, 8);
  pushReturn(c, stack, 8, event);
  markAccessed(c, target.code);
  if (inner) setNull(c, SS_REG, cpl);
  stack.commit();
  enterHandler(c, target);
};

/** Flags as they are pushed; `resume` sets RF in the image. */
export const pushedFlags = (c: Cpu, resume: boolean): number => getFlags(c) | (resume ? RF : 0);
