/** CR0, CR2, CR3, CR4, CR8, EFER, XCR0: what may be written and what it brings. Source: Intel SDM volume 3, 2.5; AMD APM volume 2, 3.1. */

import { NotModelled } from '#spec/failure.ts';
import {
  CR0 as CR0_BITS,
  CR0_WRITABLE,
  CR3 as CR3_BITS,
  CR4 as CR4_BITS,
  CR4_FEATURES,
  CR8_WRITABLE,
  EFER as EFER_BITS,
  EFER_FEATURES,
  XCR0 as XCR0_BITS,
} from '#spec/isa/x86/control_registers.ts';
import type { CpuidFeature } from '#spec/isa/x86/cpuid_features.ts';
import { next, source, target } from '../address.ts';
import type { Cpu } from '../cpu.ts';
import { GP, UD } from '../exit.ts';
import { CS, RAX, RCX, RDX } from '../interface.ts';
import { CPL, CR0, CR2, CR3, CR4, EFER, PAGE, SEGMENT_RIGHTS, XCR0 } from '../layout.ts';
import type { Handler, Op } from '../op.ts';
import { getRegister, peek, poke, setRegister } from '../operand.ts';
import { LONG } from '../segment_rights.ts';
import { isLong } from './access.ts';
import { goOn, nextPointer } from './code.ts';
import { hasFeature, physicalWidth, xcr0Bits } from './features.ts';
import { hasGoodPointers } from './paging.ts';
import { processorOf } from './processor.ts';
import { checkUmip } from './system_segments.ts';

const { PE, MP, EM, TS, ET, NW, CD, PG } = CR0_BITS;
const MASK32 = 0xffffffffn;

type Features = Readonly<Record<string, { readonly feature: CpuidFeature | null; readonly not_modelled?: true }>>;

/** #GP(0) for a bit that CPUID does not announce; NotModelled for one that is out of scope. */
const checkFeatures = (c: Cpu, value: number, bits: Readonly<Record<string, number>>, features: Features, family: string): void => {
  const known = Object.values(bits).reduce((all, bit) => all | bit, 0);
  if ((value & ~known) !== 0) c.fault(GP, 0);
  for (const [name, { feature }] of Object.entries(features))
    if ((value & bits[name]) !== 0 && feature !== null && !hasFeature(c, feature)) c.fault(GP, 0);
  for (const [name, { not_modelled }] of Object.entries(features))
    if ((value & bits[name]) !== 0 && not_modelled) throw new NotModelled(`${family}/${name.toLowerCase()}`);
};

const usesPointers = (cr0: number, cr4: number, long: boolean): boolean => (cr0 & PG) !== 0 && (cr4 & CR4_BITS.PAE) !== 0 && !long;

const checkPointers = (c: Cpu, cr3: bigint): void => {
  if (!hasGoodPointers(c, cr3)) c.fault(GP, 0);
};

/** Write CR0; the caller refreshes. */
const setCr0 = (c: Cpu, value: bigint): void => {
  const { s } = c;
  const now = (Number(BigInt.asIntN(32, value)) & CR0_WRITABLE) | ET;
  const before = s[CR0];
  if (value > MASK32 || ((now & PG) !== 0 && (now & PE) === 0) || ((now & NW) !== 0 && (now & CD) === 0)) c.fault(GP, 0);
  const on = (now & ~before & PG) !== 0;
  const off = (before & ~now & PG) !== 0;
  const wantsLong = (s[EFER] & EFER_BITS.LME) !== 0;
  if (on && wantsLong && ((s[CR4] & CR4_BITS.PAE) === 0 || (s[SEGMENT_RIGHTS + CS] & LONG) !== 0)) c.fault(GP, 0);
  if (off && (c.mode === '64' || (s[CR4] & CR4_BITS.PCIDE) !== 0)) c.fault(GP, 0);
  if (on && usesPointers(now, s[CR4], wantsLong)) checkPointers(c, c.pair(CR3));
  if (on && wantsLong) s[EFER] |= EFER_BITS.LMA;
  if (off) s[EFER] &= ~EFER_BITS.LMA;
  s[CR0] = now;
};

const setCr3 = (c: Cpu, value: bigint): void => {
  const { s } = c;
  if (!isLong(c)) {
    if (usesPointers(s[CR0], s[CR4], false)) checkPointers(c, value & MASK32);
    c.setPair(CR3, value & MASK32);
    return;
  }
  const keeps = 1n << BigInt(CR3_BITS.NOFLUSH_BIT);
  const address = (s[CR4] & CR4_BITS.PCIDE) !== 0 ? value & ~keeps : value;
  if (address >> BigInt(physicalWidth(c)) !== 0n) c.fault(GP, 0);
  c.setPair(CR3, address);
};

const setCr4 = (c: Cpu, value: bigint): void => {
  const { s } = c;
  if (value > MASK32) c.fault(GP, 0);
  const now = Number(BigInt.asIntN(32, value));
  const before = s[CR4];
  checkFeatures(c, now, CR4_BITS, CR4_FEATURES, 'cr4');
  if (isLong(c) && (now & CR4_BITS.PAE) === 0) c.fault(GP, 0);
  const pcid = (now & ~before & CR4_BITS.PCIDE) !== 0;
  if (pcid && (!isLong(c) || (s[CR3] & CR3_BITS.PCID) !== 0)) c.fault(GP, 0);
  const switched = ((now ^ before) & (CR4_BITS.PAE | CR4_BITS.PSE | CR4_BITS.PGE | CR4_BITS.SMEP)) !== 0;
  if (switched && usesPointers(s[CR0], now, isLong(c))) checkPointers(c, c.pair(CR3));
  s[CR4] = now;
};

/** EFER; LMA keeps its value. */
export const setEfer = (c: Cpu, value: bigint): void => {
  const { s } = c;
  if (value > MASK32) c.fault(GP, 0);
  const wanted = Number(BigInt.asIntN(32, value)) & ~EFER_BITS.LMA;
  checkFeatures(c, wanted, EFER_BITS, EFER_FEATURES, 'efer');
  if (((wanted ^ s[EFER]) & EFER_BITS.LME) !== 0 && (s[CR0] & PG) !== 0) c.fault(GP, 0);
  s[EFER] = wanted | (s[EFER] & EFER_BITS.LMA);
};

const setCr8 = (c: Cpu, value: bigint): void => {
  if ((value & ~BigInt(CR8_WRITABLE)) !== 0n) c.fault(GP, 0);
  processorOf(c).devices.priority = Number(value);
};

/** Go on behind an instruction that may have changed the mode, or what interrupts come in. */
export const changed = (c: Cpu, o: Op): Op => {
  const at = c.mode === '64' ? nextPointer(c, o) : BigInt.asUintN(32, BigInt(c.s[PAGE] + o.end));
  return goOn(c, o, at);
};

/** MOV to a control register, whose number is in `immHi`; the general register in `b`. Outside 64-bit mode 32 bits count. */
export const movToControl: Handler = (c, o) => {
  const value = c.mode === '64' ? c.pair(o.b) : c.pair(o.b) & MASK32;
  switch (o.immHi) {
    case 0:
      setCr0(c, value);
      break;
    case 2:
      c.setPair(CR2, value);
      break;
    case 3:
      setCr3(c, value);
      break;
    case 4:
      setCr4(c, value);
      break;
    default:
      setCr8(c, value);
  }
  return changed(c, o);
};

const controlRegister = (c: Cpu, number: number): bigint => {
  switch (number) {
    case 0:
      return BigInt(c.s[CR0] >>> 0);
    case 2:
      return c.pair(CR2);
    case 3:
      return c.pair(CR3);
    case 4:
      return BigInt(c.s[CR4] >>> 0);
    default:
      return BigInt(processorOf(c).devices.priority);
  }
};

/** MOV from a control register; the general register is in `a`. */
export const movFromControl: Handler = (c, o) => {
  const value = controlRegister(c, o.immHi);
  c.setPair(o.a, c.mode === '64' ? value : value & MASK32);
  return o.next;
};

export const clts: Handler = (c, o) => {
  c.s[CR0] &= ~TS;
  return o.next;
};

/** LMSW: PE can be set, not cleared. */
export const lmsw: Handler = (c, o) => {
  const value = o.memory ? peek(c, source(c, o, 1), 2) : getRegister(c, o.a, 2);
  const kept = c.s[CR0] & ~(MP | EM | TS);
  setCr0(c, BigInt((kept | (value & (PE | MP | EM | TS))) >>> 0));
  return changed(c, o);
};

/** SMSW: memory takes 16 bits, a register its size. */
export const smsw: Handler = (c, o) => {
  checkUmip(c);
  if (!o.memory) {
    setRegister(c, o.a, o.size, c.s[CR0], 0);
    return o.next;
  }
  poke(c, target(c, o, 1), 2, c.s[CR0], 0);
  return next(c, o);
};

const checkXsave = (c: Cpu): void => {
  if ((c.s[CR4] & CR4_BITS.OSXSAVE) === 0) c.fault(UD, null);
};

/** XGETBV; register 1 is XCR0 without what is in its initial state, of which nothing is said to be. */
export const xgetbv: Handler = (c, o) => {
  checkXsave(c);
  const register = Number(c.gpr(RCX) & MASK32);
  if (register !== 0 && !(register === 1 && hasFeature(c, 'xgetbv1'))) c.fault(GP, 0);
  c.setGpr(RAX, BigInt(c.s[XCR0] >>> 0));
  c.setGpr(RDX, 0n);
  return o.next;
};

export const xsetbv: Handler = (c, o) => {
  checkXsave(c);
  if (c.s[CPL] !== 0) c.fault(GP, 0);
  const value = (c.gpr(RAX) & MASK32) | ((c.gpr(RDX) & MASK32) << 32n);
  const wanted = Number(BigInt.asIntN(32, value));
  if ((c.gpr(RCX) & MASK32) !== 0n || (value & ~xcr0Bits(c)) !== 0n || (wanted & XCR0_BITS.X87) === 0) c.fault(GP, 0);
  if ((wanted & XCR0_BITS.AVX) !== 0) {
    if ((wanted & XCR0_BITS.SSE) === 0) c.fault(GP, 0);
    throw new NotModelled('xcr0/avx');
  }
  c.s[XCR0] = wanted;
  return o.next;
};
