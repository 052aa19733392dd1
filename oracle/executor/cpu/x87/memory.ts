/** Operands of the x87 in memory: real numbers of three sizes, integers of three, decimals. */
import { fromBits32, fromBits64, fromBits80 } from '../../fp/format.ts';
import { exactInteger } from '../../fp/integer.ts';
import type { Fp } from '../../fp/number.ts';
import { source, target } from '../address.ts';
import type { Cpu } from '../cpu.ts';
import type { Op } from '../op.ts';

/** Ten bytes are met as eight, then all. */
export const tenToRead = (c: Cpu, o: Op): number => {
  source(c, o, 7);
  return source(c, o, 9);
};
export const tenToWrite = (c: Cpu, o: Op): number => {
  target(c, o, 7);
  c.dropWrite();
  return target(c, o, 9);
};

/** A real number of 4, 8 or 10 bytes. */
export const realFrom = (c: Cpu, o: Op): Fp => {
  const p = source(c, o, o.size - 1);
  const { dv } = c;
  if (o.size === 4) return fromBits32(dv.getInt32(p, true));
  if (o.size === 8) return fromBits64(dv.getInt32(p, true), dv.getInt32(p + 4, true));
  return fromBits80(dv.getUint16(p + 8, true), dv.getBigUint64(p, true));
};

/** A signed integer of 2, 4 or 8 bytes. */
export const integerFrom = (c: Cpu, o: Op): Fp => {
  const p = source(c, o, o.size - 1);
  const { dv } = c;
  if (o.size === 8) return exactInteger(dv.getBigInt64(p, true));
  return exactInteger(BigInt(o.size === 2 ? dv.getInt16(p, true) : dv.getInt32(p, true)));
};

/** An integer of any number of bytes at a machine address. */
export const putBytes = (c: Cpu, p: number, value: bigint, bytes: number): void => {
  for (let n = 0; n < bytes; n++) c.dv.setUint8(p + n, Number((value >> BigInt(8 * n)) & 0xffn));
};
