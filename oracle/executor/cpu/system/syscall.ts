/** SYSCALL, SYSRET, SYSENTER, SYSEXIT, as AMD's processors have them. Source: AMD APM volume 2, 6.1 and volume 3. */
import { EFER as EFER_BITS } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Cpu } from '../cpu.ts';
import { GP, UD } from '../exit.ts';
import { getFlags, setFlags } from '../flags.ts';
import { CS, R11, RCX, RDX, RSP, SS_REG } from '../interface.ts';
import { CPL, EFER } from '../layout.ts';
import type { Handler, Op } from '../op.ts';
import { ACCESSED, BIG, CODE, LONG, ORDINARY, PRESENT, READABLE, USABLE, WRITABLE } from '../segment_rights.ts';
import { isLong } from './access.ts';
import { goOn, nextPointer } from './code.ts';
import { setHidden } from './descriptor.ts';
import { EXISTING_FLAGS } from './processor.ts';

const MSR = {
  SYSENTER_CS: 0x174,
  SYSENTER_ESP: 0x175,
  SYSENTER_EIP: 0x176,
  STAR: 0xc0000081,
  LSTAR: 0xc0000082,
  CSTAR: 0xc0000083,
  SFMASK: 0xc0000084,
} as const;

const { IF, VM, RF } = RFLAGS;
const GRANULAR = 0x8000;
const FLAT = USABLE | PRESENT | ORDINARY | ACCESSED | GRANULAR;
const DATA = FLAT | BIG | WRITABLE;
const code = (long: boolean): number => FLAT | CODE | READABLE | (long ? LONG : BIG);
const RING3 = 0x60;

const msr = (c: Cpu, number: number): bigint => c.msrs.get(number) ?? 0n;
const field = (value: bigint, at: number): number => Number((value >> BigInt(at)) & 0xffffn);

const flat = (c: Cpu, segment: number, selector: number, rights: number): void => setHidden(c, segment, selector, 0n, -1, rights);

const checkEnabled = (c: Cpu): void => {
  if ((c.s[EFER] & EFER_BITS.SCE) === 0) c.fault(UD, null);
};

/** Flat code and stack of ring `cpl`, without a look at any descriptor. */
const enterFlat = (c: Cpu, o: Op, cs: number, ss: number, long: boolean, cpl: number, to: bigint): Op => {
  const ring = cpl === 3 ? RING3 : 0;
  flat(c, CS, cs, code(long) | ring);
  flat(c, SS_REG, ss, DATA | ring);
  c.s[CPL] = cpl;
  return goOn(c, o, to);
};

export const syscall: Handler = (c, o) => {
  checkEnabled(c);
  const star = msr(c, MSR.STAR);
  const back = nextPointer(c, o);
  const flags = getFlags(c);
  const selector = field(star, 32) & 0xfffc;
  if (!isLong(c)) {
    c.setGpr(RCX, back);
    setFlags(c, flags & ~(IF | VM | RF));
    return enterFlat(c, o, selector, selector + 8, false, 0, star & 0xffffffffn);
  }
  c.setGpr(RCX, back);
  c.setGpr(R11, BigInt((flags & ~RF) >>> 0));
  const mask = Number(BigInt.asIntN(32, msr(c, MSR.SFMASK)));
  const to = msr(c, c.mode === '64' ? MSR.LSTAR : MSR.CSTAR);
  setFlags(c, flags & ~(mask | RF));
  return enterFlat(c, o, selector, (selector + 8) & 0xffff, true, 0, to);
};

/** The row sees to ring 0. A 64-bit operand leads to 64-bit code, 16 above the selector in STAR. */
export const sysret: Handler = (c, o) => {
  checkEnabled(c);
  if (c.s[CPL] !== 0 || c.mode === 'real') c.fault(GP, 0);
  const base = field(msr(c, MSR.STAR), 48);
  const long = o.size === 8;
  const rcx = c.gpr(RCX);
  const to = long ? rcx : rcx & 0xffffffffn;
  const flags = getFlags(c);
  if (isLong(c)) setFlags(c, Number(BigInt.asIntN(32, c.gpr(R11))) & ~(RF | VM) & EXISTING_FLAGS);
  else setFlags(c, flags | IF);
  return enterFlat(c, o, ((base + (long ? 16 : 0)) & 0xffff) | 3, ((base + 8) & 0xffff) | 3, long, 3, to);
};

const sysenterCs = (c: Cpu): number => {
  if (isLong(c)) c.fault(UD, null);
  const selector = field(msr(c, MSR.SYSENTER_CS), 0);
  if (c.mode === 'real' || (selector & 0xfffc) === 0) c.fault(GP, 0);
  return selector & 0xfffc;
};

export const sysenter: Handler = (c, o) => {
  const selector = sysenterCs(c);
  setFlags(c, getFlags(c) & ~(IF | VM | RF));
  c.setGpr(RSP, msr(c, MSR.SYSENTER_ESP) & 0xffffffffn);
  return enterFlat(c, o, selector, (selector + 8) & 0xffff, false, 0, msr(c, MSR.SYSENTER_EIP) & 0xffffffffn);
};

export const sysexit: Handler = (c, o) => {
  const selector = sysenterCs(c);
  if (c.s[CPL] !== 0) c.fault(GP, 0);
  const to = c.gpr(RDX) & 0xffffffffn;
  c.setGpr(RSP, c.gpr(RCX) & 0xffffffffn);
  return enterFlat(c, o, ((selector + 16) & 0xffff) | 3, ((selector + 24) & 0xffff) | 3, false, 3, to);
};
