/** Memory as the processor itself uses it: tables, stacks of another privilege. Addresses are linear, unsigned bigints of 64 bits. */
import { EFER as EFER_BITS } from '#spec/isa/x86/control_registers.ts';
import { isCanonical } from '../canonical.ts';
import type { Cpu } from '../cpu.ts';
import { EFER } from '../layout.ts';
import type { Access } from '../walk.ts';

/** With whose rights memory is reached; `implicit`: supervisor, whatever the privilege, and SMAP refuses even with AC set. */
export type Level = 'user' | 'supervisor' | 'implicit';
export type LevelAccess = Access & { readonly level: Level };

const access = (write: boolean, level: Level): LevelAccess => ({ write, fetch: false, user: level === 'user', level });

const READS: Readonly<Record<Level, LevelAccess>> = {
  user: access(false, 'user'),
  supervisor: access(false, 'supervisor'),
  implicit: access(false, 'implicit'),
};
const WRITES: Readonly<Record<Level, LevelAccess>> = {
  user: access(true, 'user'),
  supervisor: access(true, 'supervisor'),
  implicit: access(true, 'implicit'),
};

/** Rights of code that runs at a privilege level. */
export const levelOf = (cpl: number): Level => (cpl === 3 ? 'user' : 'supervisor');

export const low = (value: bigint): number => Number(BigInt.asIntN(32, value));
export const high = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));

/** Long mode: 64-bit or compatibility. */
export const isLong = (c: Cpu): boolean => (c.s[EFER] & EFER_BITS.LMA) !== 0;

/** Linear addresses end at 4 GiB outside 64-bit mode and the tables of long mode. */
const wrap = (c: Cpu, address: bigint): bigint => BigInt.asUintN(isLong(c) ? 64 : 32, address);

const read = (c: Cpu, address: bigint, size: number, level: Level): number => {
  const at = wrap(c, address);
  return c.implicitRead(low(at), high(at), size, READS[level]);
};

export const read8 = (c: Cpu, address: bigint, level: Level): number => c.dv.getUint8(read(c, address, 1, level));
export const read16 = (c: Cpu, address: bigint, level: Level): number => c.dv.getUint16(read(c, address, 2, level), true);
export const read32 = (c: Cpu, address: bigint, level: Level): number => c.dv.getUint32(read(c, address, 4, level), true);
export const read64 = (c: Cpu, address: bigint, level: Level): bigint => c.dv.getBigUint64(read(c, address, 8, level), true);

/** An unsigned value of 2, 4 or 8 bytes. */
export const readSized = (c: Cpu, address: bigint, size: number, level: Level): bigint =>
  size === 8 ? read64(c, address, level) : BigInt(size === 4 ? read32(c, address, level) : read16(c, address, level));

/** Write 1, 2, 4 or 8 bytes. */
export const writeSized = (c: Cpu, address: bigint, size: number, value: bigint, level: Level): void => {
  const at = wrap(c, address);
  const p = c.implicitWrite(low(at), high(at), size, WRITES[level]);
  if (size === 8) c.dv.setBigUint64(p, BigInt.asUintN(64, value), true);
  else if (size === 4) c.dv.setInt32(p, low(value), true);
  else if (size === 2) c.dv.setUint16(p, low(value), true);
  else c.dv.setUint8(p, low(value));
  c.finishWrite();
};

/** Whether a 64-bit value is a canonical address. */
export const canonical = (value: bigint): boolean => isCanonical(high(value));
