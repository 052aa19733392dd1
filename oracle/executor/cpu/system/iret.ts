/** IRET in every mode. Source: Intel SDM volume 2, IRET; AMD APM volume 3, IRET. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Cpu } from '../cpu.ts';
import { GP } from '../exit.ts';
import { ARITHMETIC, getFlags, setFlags } from '../flags.ts';
import { CS, DS, ES, FS, GS, SS_REG } from '../interface.ts';
import { CPL, SYSTEM } from '../layout.ts';
import type { Handler } from '../op.ts';
import { isLong } from './access.ts';
import { checkOffset, checkRealOffset, enterRealCode, goOn, isLongCode, nextPointer, returnCode, setCode, setLinear } from './code.ts';
import { type Descriptor, markAccessed, rpl } from './descriptor.ts';
import { returnStack, setReturnStack } from './far.ts';
import { EXISTING_FLAGS, processorOf } from './processor.ts';
import { dropPrivileged, setV86Segment } from './segments.ts';
import { Stack, setStackPointer } from './stack.ts';
import { taskReturn } from './task.ts';

const { TF, IF, DF, IOPL, NT, RF, VM, AC, VIF, VIP, ID } = RFLAGS;
/** What every IRET loads, and what only 32 and 64-bit ones do. */
const ALWAYS = ARITHMETIC | TF | DF | NT;
const WIDE = RF | AC | ID;

const ioplOf = (flags: number): number => (flags & IOPL) >> 12;

/** Load the flags that ring `cpl` may change by IRET of `size` bytes. */
const loadFlags = (c: Cpu, value: number, size: number, cpl: number): void => {
  const old = getFlags(c);
  let changeable = ALWAYS | (size === 2 ? 0 : WIDE);
  if (cpl <= ioplOf(old)) changeable |= IF;
  if (cpl === 0) changeable |= IOPL | (size === 2 ? 0 : VIF | VIP);
  setFlags(c, (old & ~(changeable | RF)) | (value & changeable));
};

type Frame = { readonly ip: bigint; readonly cs: number; readonly flags: number };

const readFrame = (stack: Stack, size: number): Frame => ({
  ip: stack.peek(0, size),
  cs: Number(stack.peek(size, size) & 0xffffn),
  flags: Number(BigInt.asIntN(32, stack.peek(2 * size, size))),
});

export const iret: Handler = (c, o) => {
  if (c.mode === 'real') fromReal(c, o.size);
  else if (c.mode === 'v86') fromV86(c, o.size);
  else if ((c.s[SYSTEM] & NT) !== 0) {
    if (isLong(c)) c.fault(GP, 0);
    taskReturn(c, nextPointer(c, o));
  } else fromProtected(c, o.size);
  if (c.platform.bare) processorOf(c).nmiBlocked = false;
  return goOn(c, o, c.rip);
};

const fromReal = (c: Cpu, size: number): void => {
  const stack = Stack.current(c);
  const { ip, cs, flags } = readFrame(stack, size);
  checkRealOffset(c, ip);
  stack.drop(3 * size);
  stack.commit();
  loadFlags(c, flags, size, 0);
  enterRealCode(c, cs, ip);
};

/** Within virtual-8086 mode, which needs IOPL 3; IOPL itself stays. */
const fromV86 = (c: Cpu, size: number): void => {
  if (ioplOf(c.s[SYSTEM]) !== 3) c.fault(GP, 0);
  const stack = Stack.current(c);
  const { ip, cs, flags } = readFrame(stack, size);
  checkRealOffset(c, ip);
  stack.drop(3 * size);
  stack.commit();
  loadFlags(c, flags, size, 3);
  enterRealCode(c, cs, ip);
};

const fromProtected = (c: Cpu, size: number): void => {
  const stack = Stack.current(c);
  const frame = readFrame(stack, size);
  const cpl = c.s[CPL];
  if (!isLong(c) && size === 4 && cpl === 0 && (frame.flags & VM) !== 0) {
    toV86(c, stack, frame);
    return;
  }
  const outer = c.mode === '64' || rpl(frame.cs) > cpl;
  // In 64-bit mode the stack is always part of the frame.
  const sp = outer ? stack.peek(3 * size, size) : 0n;
  const ss = outer ? Number(stack.peek(4 * size, size) & 0xffffn) : 0;
  const d = returnCode(c, frame.cs);
  if (outer) withStack(c, frame, d, size, ss, sp);
  else {
    checkOffset(c, d, frame.ip);
    markAccessed(c, d);
    loadFlags(c, frame.flags, size, cpl);
    stack.drop(3 * size);
    stack.commit();
    setCode(c, frame.cs, d, cpl, frame.ip);
  }
};

const withStack = (c: Cpu, frame: Frame, d: Descriptor, size: number, selector: number, sp: bigint): void => {
  const cpl = c.s[CPL];
  const to = rpl(frame.cs);
  // The processor looks at the address first when the ring stays.
  if (to === cpl) checkOffset(c, d, frame.ip);
  const ss = returnStack(c, selector, to, d);
  if (to !== cpl) checkOffset(c, d, frame.ip);
  markAccessed(c, d);
  if (ss !== null) markAccessed(c, ss);
  loadFlags(c, frame.flags, size, cpl);
  setCode(c, frame.cs, d, to, frame.ip);
  setReturnStack(c, selector, ss, sp);
  if (isLongCode(c, d)) setStackPointer(c, sp, 8);
  if (to > cpl) dropPrivileged(c, to);
  c.refresh();
};

/** From ring 0 into virtual-8086 mode: all segments come from the stack. */
const toV86 = (c: Cpu, stack: Stack, { ip, cs, flags }: Frame): void => {
  const word = (n: number): bigint => stack.peek(4 * n, 4);
  const sp = word(3);
  const [ss, es, ds, fs, gs] = [4, 5, 6, 7, 8].map((n) => Number(word(n) & 0xffffn));
  if (ip > 0xffffn) c.fault(GP, 0);
  setFlags(c, flags & EXISTING_FLAGS);
  c.s[CPL] = 3;
  const segments = [
    [ES, es],
    [CS, cs],
    [SS_REG, ss],
    [DS, ds],
    [FS, fs],
    [GS, gs],
  ] as const;
  for (const [segment, selector] of segments) setV86Segment(c, segment, selector);
  setStackPointer(c, sp, 4);
  setLinear(c, BigInt(cs << 4) + ip);
};
