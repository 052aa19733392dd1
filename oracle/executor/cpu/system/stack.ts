/** Stacks as far transfers and deliveries use them: the present one, or that of another ring before the processor is there. */
import type { Cpu } from '../cpu.ts';
import { AC, SS } from '../exit.ts';
import { RSP, SS_REG } from '../interface.ts';
import { CPL, SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_RIGHTS } from '../layout.ts';
import { BIG, CODE, EXPAND_DOWN } from '../segment_rights.ts';
import { canonical, type Level, levelOf, readSized, writeSized } from './access.ts';
import { baseOf, type Descriptor, limitOf, rightsOf } from './descriptor.ts';

type Segment = { readonly base: bigint; readonly limit: number; readonly rights: number };

/** How many bytes of RSP count. */
type Width = 2 | 4 | 8;

export class Stack {
  private readonly c: Cpu;
  private readonly segment: Segment | null;
  private readonly width: Width;
  private readonly level: Level;
  /** Error code of a stack fault. */
  private readonly error: number;
  private pointer: bigint;

  /** @param segment null in 64-bit mode, where only canonical addresses count. */
  constructor(c: Cpu, segment: Segment | null, sp: bigint, level: Level, error: number) {
    this.c = c;
    this.segment = segment;
    this.width = segment === null ? 8 : (segment.rights & BIG) !== 0 ? 4 : 2;
    this.level = level;
    this.error = error;
    this.pointer = sp;
  }

  /** The stack in use. @param error error code of stack faults. */
  static current(c: Cpu, error = 0): Stack {
    const { s } = c;
    const segment = {
      base: c.pair(SEGMENT_BASE + 2 * SS_REG),
      limit: s[SEGMENT_LIMIT + SS_REG],
      rights: s[SEGMENT_RIGHTS + SS_REG],
    };
    return new Stack(c, c.mode === '64' ? null : segment, c.gpr(RSP), levelOf(s[CPL]), error);
  }

  /** The stack of segment `d` for ring `cpl`. */
  static of(c: Cpu, d: Descriptor, sp: bigint, cpl: number, error: number): Stack {
    return new Stack(c, { base: baseOf(d), limit: limitOf(d), rights: rightsOf(d) }, sp, levelOf(cpl), error);
  }

  private cut(offset: bigint): bigint {
    return BigInt.asUintN(8 * this.width, offset);
  }

  /** Linear address of `size` bytes at an offset. */
  private linear(offset: bigint, size: number): bigint {
    const { c, segment, error } = this;
    if (segment === null) {
      if (!canonical(offset) || !canonical(offset + BigInt(size - 1))) c.fault(SS, error);
      return this.checked(offset, size);
    }
    const first = Number(offset);
    const limit = segment.limit >>> 0;
    const last = first + size - 1;
    const down = (segment.rights & (CODE | EXPAND_DOWN)) === EXPAND_DOWN;
    const top = this.width === 4 ? 0xffffffff : 0xffff;
    if (down ? first <= limit || last > top : last > limit) c.fault(SS, error);
    return this.checked(BigInt.asUintN(32, segment.base + offset), size);
  }

  /** The alignment check: data of ring 3 alone. */
  private checked(address: bigint, size: number): bigint {
    if (this.level === 'user' && this.c.aligned && address % BigInt(size) !== 0n) this.c.fault(AC, 0);
    return address;
  }

  push(value: bigint | number, size: number): void {
    const offset = this.cut(this.pointer - BigInt(size));
    const at = this.linear(offset, size);
    writeSized(this.c, at, size, BigInt(value), this.level);
    this.pointer = this.width === 8 ? offset : (this.pointer & ~((1n << BigInt(8 * this.width)) - 1n)) | offset;
  }

  /** The value `above` bytes over the top. */
  peek(above: number, size: number): bigint {
    const offset = this.cut(this.pointer + BigInt(above));
    return readSized(this.c, this.linear(offset, size), size, this.level);
  }

  /** Drop bytes. */
  drop(bytes: number): void {
    const offset = this.cut(this.pointer + BigInt(bytes));
    this.pointer = this.width === 8 ? offset : (this.pointer & ~((1n << BigInt(8 * this.width)) - 1n)) | offset;
  }

  /** Make the pointer RSP. */
  commit(): void {
    setStackPointer(this.c, this.pointer, this.width);
  }
}

/** Load RSP, ESP or SP; a load of ESP clears the upper half. */
export const setStackPointer = (c: Cpu, value: bigint, width: Width): void => {
  if (width === 2) c.setGpr(RSP, (c.gpr(RSP) & ~0xffffn) | (value & 0xffffn));
  else c.setGpr(RSP, BigInt.asUintN(8 * width, value));
};

/** Width of the stack pointer that SS of descriptor `d` gives. */
export const widthOf = (d: Descriptor): Width => ((rightsOf(d) & BIG) !== 0 ? 4 : 2);
