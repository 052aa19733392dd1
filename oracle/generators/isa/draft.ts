/** A case while it is put together. */
import type { InstructionCase, Poke, Selector } from '#oracle/image/instruction/case.ts';
import { POKE_BYTES } from '#oracle/image/instruction/case.ts';
import { CODE, offsetInWindow } from '#oracle/image/instruction/window.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { OPCODES, type Row } from '#spec/isa/x86/opcodes.ts';
import type { Stream } from './stream.ts';
import { bytesOf, operandValue, registerValue } from './values.ts';

/** How the modrm byte's r/m was chosen: bytes from modrm on. A displacement that counts from the next instruction comes last. */
export type ModRm = { bytes: number[]; ripRelative: bigint | null };

export class Draft {
  readonly index: number;
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
  address32 = false;
  segment: 'fs' | 'gs' | null = null;
  modrm: ModRm | null = null;
  /** modrm.reg without REX.R. */
  modrmReg = 0;
  immediate: number[] = [];

  constructor(index: number, s: Stream) {
    this.index = index;
    this.row = OPCODES[index];
    this.s = s;
    this.regs = BigUint64Array.from({ length: 16 }, () => registerValue(s));
    this.flags = anyFlags(s);
  }

  /** Operand size of the instruction as a whole. */
  get size(): 2 | 4 | 8 {
    if (((this.rex ?? 0) & 8) !== 0) return 8;
    if (this.size66) return 2;
    return this.row.size === 64 ? 8 : 4;
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
    this.regs[register] = (this.regs[register] & ~mask) | (value & mask);
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

/** IF and the fixed bit, any arithmetic flags, now and then DF, NT and ID. */
const anyFlags = (s: Stream): number => {
  const { CF, PF, AF, ZF, SF, OF, DF, NT, ID, IF, fixed1 } = RFLAGS;
  const arithmetic = s.bits() & (CF | PF | AF | ZF | SF | OF);
  return arithmetic | IF | fixed1 | (s.one(5) ? DF : 0) | (s.one(24) ? NT : 0) | (s.one(12) ? ID : 0);
};
