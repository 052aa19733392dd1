/** Model-specific registers, by their table: RDMSR, WRMSR, RDTSC, RDTSCP, RDPMC. Source: spec/isa/x86/msrs.ts. */

import { NotModelled } from '#spec/failure.ts';
import { CR4 as CR4_BITS } from '#spec/isa/x86/control_registers.ts';
import { MSRS, type MsrRow } from '#spec/isa/x86/msrs.ts';
import type { Cpu } from '../cpu.ts';
import { GP } from '../exit.ts';
import { FS, GS, RAX, RCX, RDX } from '../interface.ts';
import { CPL, CR4, EFER, SEGMENT_BASE } from '../layout.ts';
import type { Handler } from '../op.ts';
import { rdtsc as readTime } from '../system.ts';
import { canonical } from './access.ts';
import { changed, setEfer } from './control_registers.ts';
import { hasFeature, physicalWidth } from './features.ts';
import { processorOf } from './processor.ts';

const MASK32 = 0xffffffffn;
const BY_NUMBER = new Map(MSRS.map((row) => [row.number, row]));
const TSC_AUX = 0xc0000103;
/** Performance counters that there are. */
const PMCS = 4;

/** Values after reset. */
export const resetMsrs = (c: Cpu): void => {
  for (const row of MSRS) if (row.effect !== 'efer') c.msrs.set(row.number, BigInt(row.reset));
};

const rowOf = (c: Cpu, number: number): MsrRow => {
  const row = BY_NUMBER.get(number);
  if (row === undefined || (row.feature !== undefined && !hasFeature(c, row.feature))) c.fault(GP, 0);
  return row;
};

/** Value of a register as RDMSR tells it, TSC apart. */
export const msrValue = (c: Cpu, row: MsrRow): bigint => {
  switch (row.effect) {
    case 'efer':
      return BigInt(c.s[EFER] >>> 0);
    case 'fs_base':
      return c.pair(SEGMENT_BASE + 2 * FS);
    case 'gs_base':
      return c.pair(SEGMENT_BASE + 2 * GS);
    case 'tsc':
      return BigInt.asUintN(64, processorOf(c).tscOffset);
    default:
      return c.msrs.get(row.number) ?? 0n;
  }
};

/** RDMSR of the TSC ends the burst like RDTSC: only outside it is known how many steps came before. */
export const rdmsr: Handler = (c, o) => {
  const row = rowOf(c, Number(c.gpr(RCX) & MASK32));
  if (row.effect === 'tsc') return readTime(c, o);
  const value = msrValue(c, row);
  c.setGpr(RAX, value & MASK32);
  c.setGpr(RDX, value >> 32n);
  return o.next;
};

const maskOf = (c: Cpu, row: MsrRow): bigint => {
  const writable = BigInt(row.writable);
  return row.physical ? writable | (((1n << BigInt(physicalWidth(c))) - 1n) & ~0xfffn) : writable;
};

const isFit = (row: MsrRow, value: bigint): boolean => {
  const types = row.types ?? [];
  const byte = (n: number): number => Number((value >> BigInt(8 * n)) & 0xffn);
  if (row.check === 'canonical') return canonical(value);
  if (row.check === 'memory_type') return types.includes(byte(0));
  return row.check !== 'memory_types' || [0, 1, 2, 3, 4, 5, 6, 7].every((n) => types.includes(byte(n)));
};

const write = (c: Cpu, row: MsrRow, value: bigint): void => {
  const mask = maskOf(c, row);
  if (row.read_only || !isFit(row, value)) c.fault(GP, 0);
  if (row.effect === 'efer') {
    setEfer(c, value);
    return;
  }
  if ((value & ~(mask | BigInt(row.ignored ?? 0))) !== 0n) c.fault(GP, 0);
  store(c, row, value & mask);
};

const store = (c: Cpu, row: MsrRow, value: bigint): void => {
  switch (row.effect) {
    case 'fs_base':
      c.setPair(SEGMENT_BASE + 2 * FS, value);
      return;
    case 'gs_base':
      c.setPair(SEGMENT_BASE + 2 * GS, value);
      return;
    case 'tsc':
      processorOf(c).wantsTsc = value;
      return;
    case 'apic_base':
      if (value !== BigInt(row.reset)) throw new NotModelled('msr/apic_base');
      return;
    case 'debugctl':
      if (value !== 0n) throw new NotModelled('msr/debugctl');
      return;
    default:
      c.msrs.set(row.number, value);
  }
};

export const wrmsr: Handler = (c, o) => {
  const row = rowOf(c, Number(c.gpr(RCX) & MASK32));
  write(c, row, (c.gpr(RAX) & MASK32) | ((c.gpr(RDX) & MASK32) << 32n));
  return changed(c, o);
};

const checkTime = (c: Cpu): void => {
  if ((c.s[CR4] & CR4_BITS.TSD) !== 0 && c.s[CPL] !== 0 && c.mode !== 'real') c.fault(GP, 0);
};

export const rdtsc: Handler = (c, o) => {
  checkTime(c);
  return readTime(c, o);
};

export const rdtscp: Handler = (c, o) => {
  checkTime(c);
  c.setGpr(RCX, (c.msrs.get(TSC_AUX) ?? 0n) & MASK32);
  return readTime(c, o);
};

/** The performance counters stand at 0. */
export const rdpmc: Handler = (c, o) => {
  if ((c.s[CR4] & CR4_BITS.PCE) === 0 && c.s[CPL] !== 0 && c.mode !== 'real') c.fault(GP, 0);
  if ((c.gpr(RCX) & MASK32) >= BigInt(PMCS)) c.fault(GP, 0);
  c.setGpr(RAX, 0n);
  c.setGpr(RDX, 0n);
  return o.next;
};
