/** Call gates: JMP and CALL through them, to the same ring or an inner one. */
import { type Size, zeroExtend } from '../../../word/size.ts';
import { type Word, word } from '../../../word/word.ts';
import { generalProtection, notPresent } from '../fault.ts';
import { changed, citing, type Running, setReg } from '../running.ts';
import { CS, RSP, SS } from '../state.ts';
import { arrived, inCode, namedDescriptor, requireTarget, runsLong } from './code_segment.ts';
import {
  type Descriptor,
  dplOf,
  errorOf,
  hiddenOf,
  isBig,
  isCode,
  isConforming,
  isPresent,
  rplOf,
  SYSTEM_TYPE,
  typeOf,
  UNUSABLE,
  withRpl,
} from './descriptor.ts';
import { allAccessed, upperHalfOf } from './descriptor_table.ts';
import { withSegment } from './segments.ts';
import { namingStack, onStack, pushAll, selectorWord } from './stack.ts';
import { atLevel, isLong } from './supervisor.ts';
import { type InnerStack, innerStack } from './task_state.ts';

type Gate = {
  readonly selector: number;
  readonly offset: Word;
  /** Bytes of what is pushed. */
  readonly size: 2 | 4 | 8;
  /** Words copied from the caller's stack. */
  readonly parameters: number;
};

/** x86/gate-privilege: gates of any kind are for those whose CPL and RPL are not above its DPL. */
export const requireGate = (s: Running, selector: number, d: Descriptor): void => {
  if (Math.max(s.system.cpl, rplOf(selector)) > dplOf(d)) throw generalProtection(errorOf(selector), 'x86/gate-privilege');
  if (!isPresent(d)) throw notPresent(errorOf(selector), 'x86/segment-not_present');
};

/** In long mode a gate has 16 bytes: x86/gate-long. */
const gateIn = (s: Running, selector: number, d: Descriptor): Gate => {
  const target = d.lo >>> 16;
  const low = (d.hi & 0xffff0000) | (d.lo & 0xffff);
  if (!isLong(s)) {
    const short = typeOf(d) === SYSTEM_TYPE.CALL16;
    return { selector: target, offset: word(0, short ? low & 0xffff : low), size: short ? 2 : 4, parameters: d.hi & 31 };
  }
  const upper = upperHalfOf(s, selector);
  if (upper === null || (upper.hi & 0x1f00) !== 0) throw generalProtection(errorOf(selector), 'x86/gate-long');
  return { selector: target, offset: word(upper.lo, low), size: 8, parameters: 0 };
};

/** x86/gate-code: the gate's code segment must exist, be code of this level or an inner one (in long mode 64-bit code), and present. */
const codeOf = (s: Running, { selector }: Gate): Descriptor => {
  const d = namedDescriptor(s, selector);
  const long = isLong(s);
  if (!isCode(d) || dplOf(d) > s.system.cpl || (long && (!runsLong(s, d) || isBig(d))))
    throw generalProtection(errorOf(selector), 'x86/gate-code');
  if (!isPresent(d)) throw notPresent(errorOf(selector), 'x86/segment-not_present');
  return d;
};

/** JMP through a call gate: to this level only. */
export const jumpThrough = (s: Running, selector: number, d: Descriptor): Running => {
  const { gate, code } = opened(s, selector, d);
  if (!isConforming(code) && dplOf(code) !== s.system.cpl) throw generalProtection(errorOf(gate.selector), 'x86/gate-code');
  requireTarget(s, hiddenOf(code), gate.offset);
  return arrived(s, gate.selector, code, gate.offset);
};

/** CALL through a call gate; `next` is the address behind the instruction. */
export const callThrough = (s: Running, selector: number, d: Descriptor, next: Word): Running => {
  const { gate, code } = opened(s, selector, d);
  const inner = !isConforming(code) && dplOf(code) < s.system.cpl;
  return inner ? callInner(s, gate, code, next) : callSame(s, gate, code, next);
};

const opened = (s: Running, selector: number, d: Descriptor): { readonly gate: Gate; readonly code: Descriptor } => {
  requireGate(s, selector, d);
  const gate = gateIn(s, selector, d);
  return { gate, code: codeOf(s, gate) };
};

const callSame = (s: Running, gate: Gate, code: Descriptor, next: Word): Running => {
  requireTarget(s, hiddenOf(code), gate.offset);
  const pushed = pushAll(s, gate.size, [selectorWord(s.segments.selectors[CS]), next]);
  return arrived(pushed, gate.selector, code, gate.offset);
};

/** The stack of the new level gets the old SS and stack pointer, the parameters, CS and the address. */
const callInner = (s: Running, gate: Gate, code: Descriptor, next: Word): Running => {
  const level = dplOf(code);
  const stack = innerStack(s, level);
  requireTarget(s, hiddenOf(code), gate.offset);
  const copied = Array.from({ length: gate.parameters }, (_, n) => onStack(s, (gate.parameters - 1 - n) * gate.size, gate.size));
  const values = [
    selectorWord(s.segments.selectors[SS]),
    zeroExtend(s.regs[RSP], gate.size as Size),
    ...copied,
    selectorWord(s.segments.selectors[CS]),
    next,
  ];
  const moved = onInnerStack(
    inCode(citing(s, 'x86/gate-inner'), withRpl(gate.selector, level), hiddenOf(code), gate.offset, level),
    stack,
    level,
  );
  const pushed = namingStack(stack.selector, () => pushAll(moved, gate.size, values));
  return allAccessed(pushed, [code, stack.descriptor]);
};

/** The state with the stack of an inner level in use. Its selector is null in long mode. */
export const onInnerStack = (s: Running, { selector, pointer, descriptor }: InnerStack, level: number): Running => {
  const hidden = descriptor === null ? UNUSABLE : hiddenOf(descriptor);
  const segments = withSegment(s.segments, SS, descriptor === null ? level : selector, hidden);
  return atLevel(changed(s, { segments, regs: setReg(s.regs, RSP, pointer) }), level);
};
