/** The mode that the registers say, and how code of it is decoded. */
import { CR0 as CR0_BITS, EFER as EFER_BITS } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { DecodeMode, X86Mode } from '#spec/isa/x86/mode.ts';
import { CS, SS_REG } from './interface.ts';
import { CPL, CR0, EFER, SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_RIGHTS, SYSTEM } from './layout.ts';
import { BIG, CODE, EXPAND_DOWN, LONG, USABLE, WRITABLE } from './segment_rights.ts';

export const modeOf = (s: Int32Array): X86Mode => {
  if ((s[CR0] & CR0_BITS.PE) === 0) return 'real';
  const code = s[SEGMENT_RIGHTS + CS];
  const big = (code & BIG) !== 0;
  if ((s[EFER] & EFER_BITS.LMA) !== 0) return (code & LONG) !== 0 ? '64' : big ? 'compat32' : 'compat16';
  if ((s[SYSTEM] & RFLAGS.VM) !== 0) return 'v86';
  return big ? 'prot32' : 'prot16';
};

/** Ways to decode: real and virtual-8086 code lacks some of what other 16-bit code has. */
export type CodeKind = '64' | '32' | '16' | 'real';
export const CODE_KINDS: readonly CodeKind[] = ['64', '32', '16', 'real'];
const KIND_OF: Readonly<Record<X86Mode, number>> = { '64': 0, compat32: 1, prot32: 1, compat16: 2, prot16: 2, real: 3, v86: 3 };

/** Number of the mode's kind of code in CODE_KINDS. */
export const codeKind = (mode: X86Mode): number => KIND_OF[mode];
export const decodeModeOf = (kind: CodeKind): DecodeMode => (kind === 'real' ? '16' : kind);

/** Segments through which addresses go as they are: ordinary data of base 0, writable, 4 GiB. One bit for each. */
export const flatSegments = (s: Int32Array): number => {
  let flat = 0;
  for (let segment = 0; segment < 6; segment++) {
    const wanted = USABLE | WRITABLE;
    const rights = s[SEGMENT_RIGHTS + segment];
    const plain = (rights & (wanted | CODE | EXPAND_DOWN)) === wanted;
    if (plain && s[SEGMENT_LIMIT + segment] === -1 && s[SEGMENT_BASE + 2 * segment] === 0) flat |= 1 << segment;
  }
  return flat;
};

/** Whether the stack pointer is ESP rather than SP; means nothing in 64-bit mode. */
export const hasWideStack = (s: Int32Array): boolean => (s[SEGMENT_RIGHTS + SS_REG] & BIG) !== 0;

/** Whether misaligned accesses fault (#AC). */
export const checksAlignment = (s: Int32Array): boolean => s[CPL] === 3 && (s[CR0] & CR0_BITS.AM) !== 0 && (s[SYSTEM] & RFLAGS.AC) !== 0;
