/** Bytes of machine code as they grow, with the places that wait for a label's address. */
import { AssemblyError, type Imm, type Mem, type Reg, type Size } from './operand.ts';

/** A place to patch: `rel` fields count from their own end plus `tail` bytes of immediate. */
export type Fixup = {
  readonly at: number;
  readonly label: string;
  readonly kind: 'rel8' | 'rel32' | 'abs32' | 'abs64';
  readonly tail: number;
};

export class Emitter {
  bytes: Uint8Array = new Uint8Array(4096);
  length = 0;
  readonly fixups: Fixup[] = [];

  byte(value: number): void {
    if (this.length === this.bytes.length) {
      const wider = new Uint8Array(this.bytes.length * 2);
      wider.set(this.bytes);
      this.bytes = wider;
    }
    this.bytes[this.length++] = value;
  }

  /** Little-endian, `size` in bits. A negative number or bigint is written in two's complement. */
  value(size: Size, value: number | bigint): void {
    if (size === 64) {
      let rest = BigInt.asUintN(64, BigInt(value));
      for (let i = 0; i < 8; i++, rest >>= 8n) this.byte(Number(rest & 0xffn));
      return;
    }
    let rest = typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : value | 0;
    for (let i = 0; i < size; i += 8, rest >>= 8) this.byte(rest & 0xff);
  }

  append(bytes: Uint8Array): void {
    for (const value of bytes) this.byte(value);
  }

  /** A constant of `size` bits; one that names a label is 32 or 64 bits and patched later. */
  immediate(size: Size, operand: Imm): void {
    if (operand.label !== null) {
      if (size !== 32 && size !== 64) throw new AssemblyError(`address of ${operand.label} does not fit ${size} bits`);
      this.fixups.push({ at: this.length, label: operand.label, kind: size === 32 ? 'abs32' : 'abs64', tail: 0 });
    }
    this.value(size, operand.value);
  }

  /**
   * Legacy prefixes, REX, opcode, ModRM, SIB and displacement of one instruction. `operand` is the width in bits that decides
   * about 0x66 and REX.W (64 with `plain64` needs neither); `reg` the ModRM.reg field; `tail` the bytes of immediate that follow.
   */
  modrm(o: {
    readonly opcode: readonly number[];
    readonly operand: Size;
    readonly reg: Reg | number;
    readonly rm: Reg | Mem;
    readonly prefix?: number;
    readonly plain64?: boolean;
    readonly tail?: number;
  }): void {
    const { rm } = o;
    if (rm.t === 'mem' && rm.segment) this.byte(rm.segment === 'fs' ? 0x64 : 0x65);
    if (o.operand === 16) this.byte(0x66);
    if (o.prefix !== undefined) this.byte(o.prefix);

    const field = typeof o.reg === 'number' ? o.reg : o.reg.n;
    let rex = o.operand === 64 && !o.plain64 ? 0x48 : 0;
    if (field >= 8) rex |= 0x44;
    if (rm.t === 'reg') {
      if (rm.n >= 8) rex |= 0x41;
    } else {
      if (rm.base !== null && rm.base >= 8) rex |= 0x41;
      if (rm.index !== null && rm.index >= 8) rex |= 0x42;
    }
    if (wantsRex(o.reg) || wantsRex(rm)) rex |= 0x40;
    if (rex !== 0) {
      if (forbidsRex(o.reg) || forbidsRex(rm)) throw new AssemblyError('AH, CH, DH, BH go with no register that needs REX');
      this.byte(rex);
    }
    for (const value of o.opcode) this.byte(value);
    if (rm.t === 'reg') this.byte(0xc0 | ((field & 7) << 3) | (rm.n & 7));
    else this.address(field & 7, rm, o.tail ?? 0);
  }

  private address(field: number, m: Mem, tail: number): void {
    const reg = field << 3;
    if (m.rip) {
      this.byte(reg | 5);
      if (m.label === null) throw new AssemblyError('an address relative to RIP needs a label');
      this.fixups.push({ at: this.length, label: m.label, kind: 'rel32', tail });
      this.value(32, m.disp);
      return;
    }
    if (m.index === 4) throw new AssemblyError('RSP is no index');
    const log = { 1: 0, 2: 1, 4: 2, 8: 3 }[m.scale] << 6;
    const index = (m.index === null ? 4 : m.index & 7) << 3;
    if (m.base === null) {
      this.byte(reg | 4);
      this.byte(log | index | 5);
      this.displacement(m);
      return;
    }
    const wide = m.label !== null || m.disp < -128 || m.disp > 127;
    const none = !wide && m.disp === 0 && (m.base & 7) !== 5;
    const mod = none ? 0 : wide ? 0x80 : 0x40;
    if (m.index === null && (m.base & 7) !== 4) this.byte(mod | reg | (m.base & 7));
    else {
      this.byte(mod | reg | 4);
      this.byte(log | index | (m.base & 7));
    }
    if (wide) this.displacement(m);
    else if (!none) this.byte(m.disp & 0xff);
  }

  private displacement(m: Mem): void {
    if (m.disp < -0x80000000 || m.disp > 0x7fffffff) throw new AssemblyError(`displacement ${m.disp} does not fit 32 bits`);
    if (m.label !== null) this.fixups.push({ at: this.length, label: m.label, kind: 'abs32', tail: 0 });
    this.value(32, m.disp);
  }
}

const wantsRex = (o: Reg | Mem | number): boolean =>
  typeof o !== 'number' && o.t === 'reg' && o.size === 8 && !o.high && o.n >= 4 && o.n < 8;
const forbidsRex = (o: Reg | Mem | number): boolean => typeof o !== 'number' && o.t === 'reg' && o.high;
