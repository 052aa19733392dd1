/** The task state segment as a source of stacks and of the I/O permission map. Source: Intel SDM volume 3, 7.2 and volume 1, 19.5.2. */
import { CR0 as CR0_BITS } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Cpu } from '../cpu.ts';
import { GP, TS } from '../exit.ts';
import { CPL, CR0, SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_RIGHTS, SYSTEM } from '../layout.ts';
import { read16, read32, read64 } from './access.ts';
import { indexOf, TR, TYPE } from './descriptor.ts';

/** Bytes of a 16-bit TSS before what the operating system adds. */
const IO_MAP_BASE = 0x66;
const RSP0 = 4;
const IST1 = 0x24;

const base = (c: Cpu): bigint => c.pair(SEGMENT_BASE + 2 * TR);
const limit = (c: Cpu): number => c.s[SEGMENT_LIMIT + TR] >>> 0;
/** Type of the TSS in TR; LTR and task switches leave busy ones. */
const type = (c: Cpu): number => c.s[SEGMENT_RIGHTS + TR] & 15;

const check = (c: Cpu, last: number, ext: number): void => {
  if (last > limit(c)) c.fault(TS, indexOf(c.selectors[TR]) | ext);
};

/** Stack pointer and selector for ring 0, 1 or 2 outside long mode. */
export const ringStack = (c: Cpu, ring: number, ext: number): { readonly sp: bigint; readonly selector: number } => {
  const wide = type(c) === TYPE.TSS32_BUSY || type(c) === TYPE.TSS32;
  const offset = wide ? 4 + 8 * ring : 2 + 4 * ring;
  check(c, offset + (wide ? 5 : 3), ext);
  const at = base(c) + BigInt(offset);
  const sp = wide ? read32(c, at, 'implicit') : read16(c, at, 'implicit');
  return { sp: BigInt(sp), selector: read16(c, at + (wide ? 4n : 2n), 'implicit') };
};

/** RSP for a ring in long mode, or of entry 1 to 7 of the interrupt stack table. */
export const longStack = (c: Cpu, ring: number, ist: number, ext: number): bigint => {
  const offset = ist === 0 ? RSP0 + 8 * ring : IST1 + 8 * (ist - 1);
  check(c, offset + 7, ext);
  return read64(c, base(c) + BigInt(offset), 'implicit');
};

/** Throws #GP(0) unless ports are free at this privilege, or the I/O permission map of the task frees all of them. */
export const checkPort = (c: Cpu, port: number, size: number): void => {
  const { s } = c;
  if ((s[CR0] & CR0_BITS.PE) === 0) return;
  const v86 = (s[SYSTEM] & RFLAGS.VM) !== 0;
  if (!v86 && s[CPL] <= (s[SYSTEM] & RFLAGS.IOPL) >> 12) return;
  if (!isFree(c, port, size)) c.fault(GP, 0);
};

const isFree = (c: Cpu, port: number, size: number): boolean => {
  if ((type(c) & ~2) !== TYPE.TSS32 || limit(c) < IO_MAP_BASE + 1) return false;
  const offset = read16(c, base(c) + BigInt(IO_MAP_BASE), 'implicit') + (port >> 3);
  // Two bytes are read always, so that ports across a byte's border are told.
  if (offset + 1 > limit(c)) return false;
  const bits = read16(c, base(c) + BigInt(offset), 'implicit') >> (port & 7);
  return (bits & ((1 << size) - 1)) === 0;
};
