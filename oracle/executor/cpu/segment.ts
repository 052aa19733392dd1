/** MOV, PUSH, POP of segment registers, ARPL, and the bases of FS and GS. What a load checks is the platform's. */
import { CR4 as CR4_BITS } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { linear, next, readable, source, writable } from './address.ts';
import { isCanonical } from './canonical.ts';
import type { Cpu } from './cpu.ts';
import { GP, UD } from './exit.ts';
import { arithmeticFlags, setArithmeticFlags } from './flags.ts';
import { CS, SS_REG } from './interface.ts';
import { CR4, SEGMENT_BASE } from './layout.ts';
import type { Handler, Op } from './op.ts';
import { getRegister, locate, peek, poke, setRegister, store } from './operand.ts';
import { moveSp, popPlace, pushPlace } from './stack.ts';

const { ZF } = RFLAGS;

/** What follows a load of the segment register numbered in `immHi`: SS holds off interrupts and traps, so somebody has to look. */
export const afterLoad = (c: Cpu, o: Op): Op => {
  const { bare } = c.platform;
  if (bare || c.legacy) c.refresh();
  if (o.immHi !== SS_REG) return o.next;
  return bare ? c.pause(o) : c.stopBehind(o);
};

/** MOV to a segment register; its number is in `immHi`. */
export const movToSegment: Handler = (c, o) => {
  const selector = o.memory ? peek(c, readable(c, o, linear(c, o), c.high, 1), 2) : getRegister(c, o.b, 2);
  c.platform.loadSegment(c, o.immHi, selector);
  return afterLoad(c, o);
};

/** MOV from a segment register: memory takes 16 bits whatever the operand size. */
export const movFromSegment: Handler = (c, o) => {
  const selector = c.selectors[o.immHi];
  if (!o.memory) {
    setRegister(c, o.a, o.size, selector, 0);
    return o.next;
  }
  const at = linear(c, o);
  poke(c, writable(c, o, at, c.high, 1), 2, selector, 0);
  return next(c, o);
};

export const pushSegment: Handler = (c, o) => {
  poke(c, pushPlace(c, o.size), o.size, c.selectors[o.immHi], 0);
  moveSp(c, -o.size);
  return next(c, o);
};

/** The stack pointer moves as wide as the stack was before. */
export const popSegment: Handler = (c, o) => {
  const selector = peek(c, popPlace(c, o.size), o.size) & 0xffff;
  const wide = c.wideStack;
  c.platform.loadSegment(c, o.immHi, selector);
  c.wideStack = wide;
  moveSp(c, o.size);
  return afterLoad(c, o);
};

/** ARPL: the destination's RPL is raised to the source's; memory is written only then. */
export const arpl: Handler = (c, o) => {
  const destination = o.memory ? peek(c, source(c, o, 1), 2) : getRegister(c, o.a, 2);
  const rpl = getRegister(c, o.b, 2) & 3;
  const raise = (destination & 3) < rpl;
  if (raise) store(c, o, locate(c, o), o.a, (destination & ~3) | rpl, 0);
  setArithmeticFlags(c, (arithmeticFlags(c) & ~ZF) | (raise ? ZF : 0));
  return next(c, o);
};

const checkBases = (c: Cpu): void => {
  if ((c.s[CR4] & CR4_BITS.FSGSBASE) === 0) c.fault(UD, null);
};

/** RDFSBASE, RDGSBASE; the segment's number is in `immHi`. */
export const readBase: Handler = (c, o) => {
  checkBases(c);
  const at = SEGMENT_BASE + 2 * o.immHi;
  setRegister(c, o.a, o.size, c.s[at], c.s[at + 1]);
  return o.next;
};

/** WRFSBASE, WRGSBASE: 32 bits are zero-extended. */
export const writeBase: Handler = (c, o) => {
  checkBases(c);
  const lo = getRegister(c, o.a, o.size);
  if (!isCanonical(c.high)) c.fault(GP, 0);
  const at = SEGMENT_BASE + 2 * o.immHi;
  c.s[at] = lo;
  c.s[at + 1] = c.high;
  return o.next;
};

/** Number of a segment register by its name. */
export const SEGMENTS: readonly string[] = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'];
export const isLoadable = (segment: number): boolean => segment !== CS && segment < SEGMENTS.length;
