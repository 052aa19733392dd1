/** A case while it is put together. */
import type { InstructionCase, Mode, Poke, Selector } from '#oracle/image/instruction/case.ts';
import { POKE_BYTES } from '#oracle/image/instruction/case.ts';
import { segmentNamed } from '#oracle/image/instruction/segments.ts';
import { CODE, offsetInWindow } from '#oracle/image/instruction/window.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { OPCODES, type Row } from '#spec/isa/x86/opcodes.ts';
import { anySegments } from './draft_segments.ts';
import type { Stream } from './stream.ts';
import { bytesOf, operandValue, registerValue } from './values.ts';

/** How the modrm byte's r/m was chosen: bytes from modrm on. A displacement that counts from the next instruction comes last. */
export type ModRm = { bytes: number[]; ripRelative: bigint | null };

export const [ES, CS, SS, DS, FS, GS] = [0, 1, 2, 3, 4, 5];
const SEGMENT_NUMBERS = { es: ES, cs: CS, ss: SS, ds: DS, fs: FS, gs: GS } as const;
export type SegmentName = keyof typeof SEGMENT_NUMBERS;
const RSP = 4;

export class Draft {
  readonly index: number;
  readonly mode: Mode;
  /** ES CS SS DS FS GS; null in 64-bit mode. */
  readonly segments: readonly number[] | null;
  readonly row: Row;
  readonly s: Stream;
  readonly regs: BigUint64Array;
  flags: number;
  fsBase = 0n;
  gsBase = 0n;
  rip = CODE;
  readonly pokes: Poke[] = [];
  readonly selectors: Selector[] = [];
  readonly forms: string[] = [];
  way: InstructionCase['way'] = 'through';

  readonly prefixes: number[] = [];
  /** REX without its upper half; null for none. */
  rex: number | null = null;
  size66 = false;
  /** Registers that addresses must not use: the instruction wants them for something else. */
  reserved: readonly number[] = [];
  /** The register of VEX.vvvv. */
  vvvv = 0;
  /** 67 among the prefixes. */
  size67 = false;
  segment: SegmentName | null = null;
  /** FXSAVE image. */
  fx: Uint8Array | null = null;
  /** Linear address of the memory operand. */
  memory: bigint | null = null;
  modrm: ModRm | null = null;
  /** modrm.reg without REX.R. */
  modrmReg = 0;
  immediate: number[] = [];

  constructor(index: number, s: Stream, mode: Mode = '64') {
    this.index = index;
    this.row = OPCODES[index];
    this.s = s;
    this.mode = mode;
    this.segments = anySegments(s, mode);
    this.regs = BigUint64Array.from({ length: 16 }, (_, r) => {
      const value = registerValue(s);
      return mode === '64' ? value : r < 8 ? value & 0xffffffffn : 0n;
    });
    this.flags = anyFlags(s);
  }

  /** Operand size of the instruction as a whole. */
  get size(): 2 | 4 | 8 {
    if (this.row.vex) return this.mode === '64' && ((this.rex ?? 0) & 8) !== 0 ? 8 : 4;
    if (this.mode !== '64') return (this.mode === '16') === this.size66 ? 4 : 2;
    if (((this.rex ?? 0) & 8) !== 0) return 8;
    if (this.size66) return 2;
    return this.row.size === 64 ? 8 : 4;
  }

  /** Width of addresses in bytes. */
  get addressBytes(): 2 | 4 | 8 {
    if (this.mode === '64') return this.size67 ? 4 : 8;
    return (this.mode === '16') === this.size67 ? 4 : 2;
  }

  /** The segment of a memory operand: the override's, or the one given. */
  dataSegment(otherwise = DS): number {
    return this.segment === null ? otherwise : SEGMENT_NUMBERS[this.segment];
  }

  /** Where a segment begins. */
  base(segment: number): bigint {
    if (this.segments !== null) return BigInt(segmentNamed(this.segments[segment])?.base ?? 0);
    return segment === FS ? this.fsBase : segment === GS ? this.gsBase : 0n;
  }

  /** The offset in a segment of a linear address, cut to the width of addresses. */
  offsetOf(segment: number, address: bigint): bigint {
    return BigInt.asUintN(8 * this.addressBytes, address - this.base(segment));
  }

  /** The linear address of an offset. */
  linearOf(segment: number, offset: bigint): bigint {
    return BigInt.asUintN(this.mode === '64' ? 64 : 32, this.base(segment) + offset);
  }

  /** Let an address register point to a linear address; what lies above the width of addresses is anything. */
  point(register: number, address: bigint, segment = this.dataSegment()): void {
    this.setLow(register, this.addressBytes, this.offsetOf(segment, address));
  }

  /** The stack pointer such that the top lies at this linear address, or as near as a 16-bit stack pointer comes; where that is. */
  setStack(address: bigint): bigint {
    if (this.segments === null) {
      this.regs[RSP] = address;
      return address;
    }
    const offset = this.stackOffset(address - this.base(SS));
    this.regs[RSP] = offset;
    return this.linearOf(SS, offset);
  }

  /** An offset in the stack segment, cut to the width of stack pointers there. */
  stackOffset(offset: bigint): bigint {
    return BigInt.asUintN(this.segments === null ? 64 : segmentNamed(this.segments[SS])?.big ? 32 : 16, offset);
  }

  /** What instructions call a linear address of code. */
  codeOffset(address: bigint): bigint {
    return this.segments === null ? address : BigInt.asUintN(32, address - this.base(CS));
  }

  /** The register of a register operand in r/m. */
  get rm(): number {
    return ((this.modrm?.bytes[0] ?? 0) & 7) | (((this.rex ?? 0) & 1) << 3);
  }

  /** The register in modrm.reg. */
  get reg(): number {
    return this.modrmReg | (((this.rex ?? 0) & 4) << 1);
  }

  /** Set bits of REX. */
  setRex(bits: number): void {
    this.rex = (this.rex ?? 0) | bits;
  }

  /** Take a prefix away wherever it stands. */
  dropPrefix(prefix: number): void {
    const kept = this.prefixes.filter((each) => each !== prefix);
    this.prefixes.splice(0, this.prefixes.length, ...kept);
  }

  /** The low `bytes` bytes of a register. */
  setLow(register: number, bytes: number, value: bigint): void {
    const mask = (1n << BigInt(8 * bytes)) - 1n;
    const merged = (this.regs[register] & ~mask) | (value & mask);
    this.regs[register] = this.mode === '64' ? merged : merged & 0xffffffffn;
  }

  /** Put bytes at an address, as far as the window reaches. */
  poke(address: bigint | number, bytes: Uint8Array): void {
    const at = Number(address);
    let from = 0;
    while (from < bytes.length && offsetInWindow(at + from) < 0) from++;
    for (; from < bytes.length; from += POKE_BYTES) this.pokes.push({ at: at + from, bytes: bytes.slice(from, from + POKE_BYTES) });
  }

  /** Put a number of so many bytes at an address. */
  pokeNumber(address: bigint | number, value: bigint, bytes: number): void {
    this.poke(address, bytesOf(value, bytes));
  }

  /** Put an interesting number at an address; most of them fit its size. */
  pokeAny(address: bigint | number, bytes: number): void {
    const width = [1, 2, 4, 8, 16].find((n) => n >= bytes) ?? 16;
    this.poke(address, bytesOf(operandValue(this.s, width), width).slice(0, bytes));
  }
}

/** IF and the fixed bit, any arithmetic flags, now and then DF, NT, ID and AC. */
const anyFlags = (s: Stream): number => {
  const { CF, PF, AF, ZF, SF, OF, DF, NT, ID, AC, IF, fixed1 } = RFLAGS;
  const arithmetic = s.bits() & (CF | PF | AF | ZF | SF | OF);
  return arithmetic | IF | fixed1 | (s.one(5) ? DF : 0) | (s.one(24) ? NT : 0) | (s.one(12) ? ID : 0) | (s.one(16) ? AC : 0);
};
