/** What else the system level has: SWAPGS, STAC, CLAC, INVLPG, INVPCID, MONITOR, MWAIT, caches. */
import { CR4 as CR4_BITS } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { linearOf, readable, source } from '../address.ts';
import type { Cpu } from '../cpu.ts';
import { GP, UD } from '../exit.ts';
import { GS, RAX, RCX } from '../interface.ts';
import { CPL, CR4, SEGMENT_BASE, SYSTEM } from '../layout.ts';
import type { Handler } from '../op.ts';
import { getRegister } from '../operand.ts';
import { canonical } from './access.ts';
import { hasFeature } from './features.ts';

const KERNEL_GS_BASE = 0xc0000102;

export const swapgs: Handler = (c, o) => {
  const at = SEGMENT_BASE + 2 * GS;
  const hidden = c.msrs.get(KERNEL_GS_BASE) ?? 0n;
  c.msrs.set(KERNEL_GS_BASE, c.pair(at));
  c.setPair(at, hidden);
  return o.next;
};

/** STAC and CLAC: outside ring 0 they are no instructions. */
const accessControl =
  (value: number): Handler =>
  (c, o) => {
    if (c.s[CPL] !== 0 || c.mode === 'v86') c.fault(UD, null);
    c.s[SYSTEM] = (c.s[SYSTEM] & ~RFLAGS.AC) | value;
    c.refresh();
    return c.pause(o);
  };
export const stac = accessControl(RFLAGS.AC);
export const clac = accessControl(0);

/** Translations are never kept beyond a change of the tables: there is nothing to drop. */
export const nothing: Handler = (_, o) => o.next;

const PCID_BITS = 12n;
/** Types of INVPCID: one address, one context, all with global pages, all without. */
const ADDRESS = 0;
const CONTEXT = 1;
const LAST_TYPE = 3;

const invalidPcid = (c: Cpu, type: bigint, descriptor: bigint, address: bigint): boolean => {
  if (type > BigInt(LAST_TYPE) || descriptor >> PCID_BITS !== 0n) return true;
  const named = type === BigInt(ADDRESS) || type === BigInt(CONTEXT);
  if (named && descriptor !== 0n && (c.s[CR4] & CR4_BITS.PCIDE) === 0) return true;
  return type === BigInt(ADDRESS) && !canonical(address);
};

export const invpcid: Handler = (c, o) => {
  const type = c.mode === '64' ? c.pair(o.a) : BigInt(getRegister(c, o.a, 4) >>> 0);
  const p = source(c, o, 15);
  if (invalidPcid(c, type, c.dv.getBigUint64(p, true), c.dv.getBigUint64(p + 8, true))) c.fault(GP, 0);
  return o.next;
};

const checkMonitor = (c: Cpu): void => {
  if (c.s[CPL] !== 0 || !hasFeature(c, 'monitor')) c.fault(UD, null);
};

/** MONITOR knows no hints, and reads a byte at its address for the sake of the faults. */
export const monitor: Handler = (c, o) => {
  checkMonitor(c);
  if ((c.gpr(RCX) & 0xffffffffn) !== 0n) c.fault(GP, 0);
  c.high = c.gprHi(RAX);
  const lo = linearOf(c, o, c.gprLo(RAX));
  readable(c, o, lo, c.high, 0);
  return o.next;
};

export const mwait: Handler = (c, o) => {
  checkMonitor(c);
  return o.next;
};
