/**
 * A small emitter of 16-, 32- and 64-bit code for bare images: bytes, labels, and the one kind of memory operand that they need,
 * a number or a label as absolute address. What is richer is written as bytes.
 */

export type Bits = 16 | 32 | 64;
/** An address: a number, or a label that may stand further down. */
export type Where = number | string;

/** Registers by number, as the encoding counts them. */
export const R = { ax: 0, cx: 1, dx: 2, bx: 3, sp: 4, bp: 5, si: 6, di: 7 } as const;
export const SEG = { es: 0, cs: 1, ss: 2, ds: 3, fs: 4, gs: 5 } as const;

type Fixup = { readonly at: number; readonly label: string; readonly width: 1 | 2 | 4; readonly relative: boolean };

export class Emitter {
  readonly origin: number;
  bits: Bits = 32;
  readonly #bytes: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #fixups: Fixup[] = [];

  constructor(origin: number) {
    this.origin = origin;
  }

  /** Address of the next byte. */
  get here(): number {
    return this.origin + this.#bytes.length;
  }

  db(...bytes: readonly number[]): this {
    this.#bytes.push(...bytes.map((byte) => byte & 0xff));
    return this;
  }

  /** A word: a number, or a label below 64 KiB. */
  dw(value: Where): this {
    if (typeof value === 'string') return this.#later(value, 2, false);
    return this.db(value, value >> 8);
  }

  dd(value: Where): this {
    if (typeof value === 'string') return this.#later(value, 4, false);
    return this.db(value, value >> 8, value >> 16, value >>> 24);
  }

  align(unit: number): this {
    while (this.here % unit !== 0) this.db(0);
    return this;
  }

  label(name: string): this {
    if (this.#labels.has(name)) throw new Error(`the label ${name} stands twice`);
    this.#labels.set(name, this.here);
    return this;
  }

  /** Address of a label that stands already. */
  at(name: string): number {
    const address = this.#labels.get(name);
    if (address === undefined) throw new Error(`no label ${name}`);
    return address;
  }

  /** `opcode` with a ModRM byte for `reg` and an absolute memory operand. */
  mem(opcode: readonly number[], reg: number, address: Where): this {
    const modrm = (reg & 7) << 3;
    this.db(...opcode);
    if (this.bits === 16) {
      this.db(modrm | 6);
      return typeof address === 'string' ? this.#later(address, 2, false) : this.dw(address);
    }
    this.db(...(this.bits === 64 ? [modrm | 4, 0x25] : [modrm | 5]));
    return this.dd(address);
  }

  /** A 32-bit operation in code of either size. */
  mem32(opcode: readonly number[], reg: number, address: Where): this {
    return this.mem(this.bits === 16 ? [0x66, ...opcode] : opcode, reg, address);
  }

  /** A 64-bit operation of 64-bit code; `reg` may be 8 to 15. */
  mem64(opcode: readonly number[], reg: number, address: Where): this {
    return this.mem([reg >= 8 ? 0x4c : 0x48, ...opcode], reg, address);
  }

  /** MOV r32, imm32 (or the address of a label). */
  movImm(reg: number, value: Where): this {
    if (this.bits === 16) this.db(0x66);
    return this.db(0xb8 | reg).dd(value);
  }

  load(reg: number, address: Where): this {
    return this.mem32([0x8b], reg, address);
  }

  store(address: Where, reg: number): this {
    return this.mem32([0x89], reg, address);
  }

  /** MOV Sreg, the low word of a register. */
  movToSeg(segment: number, reg: number): this {
    return this.db(0x8e, 0xc0 | (segment << 3) | reg);
  }

  loadSeg(segment: number, address: Where): this {
    return this.mem([0x8e], segment, address);
  }

  storeSeg(address: Where, segment: number): this {
    return this.mem([0x8c], segment, address);
  }

  /** MOV from a control register into EAX, RAX. */
  fromCr(cr: number): this {
    return this.db(0x0f, 0x20, 0xc0 | (cr << 3));
  }

  toCr(cr: number): this {
    return this.db(0x0f, 0x22, 0xc0 | (cr << 3));
  }

  fromDr(dr: number): this {
    return this.db(0x0f, 0x21, 0xc0 | (dr << 3));
  }

  toDr(dr: number): this {
    return this.db(0x0f, 0x23, 0xc0 | (dr << 3));
  }

  /** Jump or call with a displacement of the code's size. */
  jmp(label: string): this {
    return this.db(0xe9).#later(label, this.bits === 16 ? 2 : 4, true);
  }

  call(label: string): this {
    return this.db(0xe8).#later(label, this.bits === 16 ? 2 : 4, true);
  }

  /** A short conditional jump, LOOP or JCXZ by its opcode. */
  short(opcode: number, label: string): this {
    return this.db(opcode).#later(label, 1, true);
  }

  /** A conditional jump (0F `opcode`) with a displacement of the code's size. */
  near(opcode: number, label: string): this {
    return this.db(0x0f, opcode).#later(label, this.bits === 16 ? 2 : 4, true);
  }

  /** JMP far, whose offset is of the code's size. Not in 64-bit mode. */
  farJmp(selector: number, label: string): this {
    return this.db(0xea)
      .#later(label, this.bits === 16 ? 2 : 4, false)
      .dw(selector);
  }

  /** JMP far with a 32-bit offset from 16-bit code, and the other way round. */
  farJmpOther(selector: number, label: string): this {
    return this.db(0x66, 0xea)
      .#later(label, this.bits === 16 ? 4 : 2, false)
      .dw(selector);
  }

  /** All bytes, labels filled in. */
  finish(): Uint8Array {
    const bytes = Uint8Array.from(this.#bytes);
    for (const { at, label, width, relative } of this.#fixups) {
      const value = this.at(label) - (relative ? this.origin + at + width : 0);
      if (width === 1 && (value < -128 || value > 127)) throw new Error(`the jump to ${label} is too long`);
      if (width === 2 && !relative && value > 0xffff) throw new Error(`${label} is no 16-bit address`);
      for (let i = 0; i < width; i++) bytes[at + i] = value >> (8 * i);
    }
    return bytes;
  }

  #later(label: string, width: 1 | 2 | 4, relative: boolean): this {
    this.#fixups.push({ at: this.#bytes.length, label, width, relative });
    return this.db(...new Array<number>(width).fill(0));
  }
}
