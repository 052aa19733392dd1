/**
 * Loads of segment registers, far transfers and IRET, with the descriptor table that a PV guest has until it installs its own: Xen's reserved
 * entries. All else, the local table included, is empty.
 */
import { FLAT } from '#spec/abi/xen.ts';
import { NotModelled } from '#spec/failure.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { isCanonical } from './canonical.ts';
import type { Cpu } from './cpu.ts';
import { GP } from './exit.ts';
import { farPointer } from './far_pointer.ts';
import { CS, FS, GS, SS_REG } from './interface.ts';
import { FS_BASE, GS_BASE, PAGE, SYSTEM } from './layout.ts';
import type { Handler, Op } from './op.ts';
import { peek, poke } from './operand.ts';
import { moveSp, popPlace, pushPlace, SP } from './stack.ts';
import { leaveForTrapFlag, loadFlags } from './stack_flags.ts';

const RPL = 3;
const index = (selector: number): number => selector & ~RPL;

const CODE32 = index(FLAT.RING3_CS32);
const CODE64 = index(FLAT.RING3_CS64);
const STACK_DATA = index(FLAT.RING3_SS64);

/** What ring 3 may load into DS, ES, FS, GS: data, and the code segments, which can be read. */
const isLoadable = (selector: number): boolean => [CODE32, CODE64, STACK_DATA].includes(index(selector));

/** The checks of a load of `segment`; throws the fault. */
const checkLoad = (c: Cpu, segment: number, selector: number): void => {
  const isNull = index(selector) === 0;
  if (segment === SS_REG) {
    if (isNull) c.fault(GP, 0);
    if (selector !== FLAT.RING3_SS64) c.fault(GP, index(selector));
  } else if (!isNull && !isLoadable(selector)) c.fault(GP, index(selector));
};

/** Load a data segment register of a PV guest: FS and GS take base 0 with it, from a null selector too. */
export const loadPvSegment = (c: Cpu, segment: number, selector: number): void => {
  checkLoad(c, segment, selector);
  c.selectors[segment] = selector;
  if (segment === SS_REG) c.shadow = 'ss';
  const base = segment === FS ? FS_BASE : segment === GS ? GS_BASE : 0;
  if (base !== 0) c.s[base] = c.s[base + 1] = 0;
};

/** The checks of a code selector for a far transfer within ring 3. */
const checkCode = (c: Cpu, selector: number): void => {
  if (index(selector) === 0) c.fault(GP, 0);
  if (index(selector) === CODE32) throw new NotModelled('mode/compatibility');
  if (index(selector) !== CODE64) c.fault(GP, index(selector));
};

/** Go to `hi:lo` in the 64-bit code segment. */
const enter = (c: Cpu, lo: number, hi: number): Op => {
  c.selectors[CS] = FLAT.RING3_CS64;
  return c.goto(lo, hi);
};

/** In memory, or (outside 64-bit mode) in the instruction: offset in `imm`, selector in `immHi`. */
const readPointer = (c: Cpu, o: Op): number => {
  if (!o.memory) c.far = o.immHi & 0xffff;
  const lo = o.memory ? farPointer(c, o) : o.size === 2 ? o.imm & 0xffff : o.imm;
  checkCode(c, c.far);
  // An offset of at most 32 bits is canonical.
  c.high = 0;
  return lo;
};

export const jmpFar: Handler = (c, o) => {
  const lo = readPointer(c, o);
  return enter(c, lo, c.high);
};

export const callFar: Handler = (c, o) => {
  const lo = readPointer(c, o);
  const hi = c.high;
  const { size } = o;
  const s = c.s;
  // The first push stays when the second faults.
  poke(c, pushPlace(c, size), size, c.selectors[CS], 0);
  c.finishWrite();
  const back = (s[PAGE] + o.end) | 0;
  poke(c, pushPlace(c, size, size), size, back, (s[PAGE + 1] + (back >>> 0 < s[PAGE] >>> 0 ? 1 : 0)) | 0);
  moveSp(c, -2 * size);
  c.finishWrite();
  return enter(c, lo, hi);
};

/** RET far, which reads the selector first; `imm` bytes of arguments are dropped. Only ring 3 can be returned to. */
export const retFar: Handler = (c, o) => {
  const { size } = o;
  const selector = peek(c, popPlace(c, size, size), size) & 0xffff;
  const lo = peek(c, popPlace(c, size), size);
  const hi = c.high;
  const drop = o.imm & 0xffff;
  if ((selector & RPL) !== RPL) {
    // To another ring: the processor fetches SS and RSP of its stack before it refuses.
    popPlace(c, size, 3 * size + drop);
    popPlace(c, size, 2 * size + drop);
    c.fault(GP, index(selector));
  }
  checkCode(c, selector);
  if (!isCanonical(hi)) c.fault(GP, 0);
  moveSp(c, 2 * size);
  const follow = enter(c, lo, hi);
  // Arguments are dropped as the code returned to sees its stack (F-100).
  moveSp(c, drop);
  return follow;
};

/** IRET within ring 3: RIP, CS, RFLAGS, RSP, SS, each of the operand size. */
export const iret: Handler = (c, o) => {
  const { size } = o;
  if ((c.s[SYSTEM] & RFLAGS.NT) !== 0) c.fault(GP, 0);
  const word = (i: number): number => peek(c, popPlace(c, size, i * size), size);
  const lo = word(0);
  const hi = c.high;
  const cs = word(1) & 0xffff;
  const flags = word(2);
  const sp = word(3);
  const spHi = c.high;
  const ss = word(4) & 0xffff;
  if (index(cs) === 0) c.fault(GP, 0);
  if ((cs & RPL) !== RPL) c.fault(GP, index(cs));
  checkCode(c, cs);
  if (!isCanonical(hi)) c.fault(GP, 0);
  checkLoad(c, SS_REG, ss);
  loadFlags(c, flags, size, RFLAGS.RF);
  c.selectors[SS_REG] = ss;
  c.s[SP] = sp;
  c.s[SP + 1] = spHi;
  const follow = enter(c, lo, hi);
  return (c.s[SYSTEM] & RFLAGS.TF) === 0 ? follow : leaveForTrapFlag(c, follow);
};
