/** Arithmetic, logic, shifts and bit instructions. */
import {
  type Encode,
  fitsByte,
  fitsDword,
  fixed,
  immSize,
  isImm,
  isReg,
  isRm,
  refuse,
  regFromRm,
  rmWithReg,
  unary,
  widthOf,
} from './encoding.ts';

/** ADD to CMP: eight instructions of one shape. */
const alu =
  (n: number): Encode =>
  (e, operands) => {
    const [dst, src] = operands;
    if (!isRm(dst) || !src) return refuse('a register or memory, then any');
    const size = widthOf(operands);
    const wide = size === 8 ? 0 : 1;
    if (isReg(src)) return e.modrm({ opcode: [8 * n + wide], operand: size, reg: src, rm: dst });
    if (isReg(dst) && src.t === 'mem') return e.modrm({ opcode: [8 * n + 2 + wide], operand: size, reg: dst, rm: src });
    if (!isImm(src)) return refuse('memory to memory');
    const short = size !== 8 && fitsByte(src, size);
    const width = size === 8 || short ? 8 : immSize(size);
    if (!short && !fitsDword(src, size)) refuse('constant does not fit');
    e.modrm({ opcode: [size === 8 ? 0x80 : short ? 0x83 : 0x81], operand: size, reg: n, rm: dst, tail: width / 8 });
    e.immediate(width, src);
  };

const test: Encode = (e, operands) => {
  const [dst, src] = operands;
  const size = widthOf(operands);
  if (!isRm(dst)) return refuse('a register or memory first');
  if (isReg(src)) return e.modrm({ opcode: [size === 8 ? 0x84 : 0x85], operand: size, reg: src, rm: dst });
  if (!isImm(src) || !fitsDword(src, size)) return refuse('a register or constant second');
  e.modrm({ opcode: [size === 8 ? 0xf6 : 0xf7], operand: size, reg: 0, rm: dst, tail: immSize(size) / 8 });
  e.immediate(immSize(size), src);
};

const imul: Encode = (e, operands) => {
  const [dst, src, factor] = operands;
  if (operands.length === 1) return unary(0xf7, 5)(e, operands);
  if (!isReg(dst) || dst.size === 8 || !isRm(src)) return refuse('a wide register, then a register or memory');
  if (!factor) return e.modrm({ opcode: [0x0f, 0xaf], operand: dst.size, reg: dst, rm: src });
  if (!isImm(factor) || !fitsDword(factor, dst.size)) return refuse('a constant third');
  const short = fitsByte(factor, dst.size);
  const width = short ? 8 : immSize(dst.size);
  e.modrm({ opcode: [short ? 0x6b : 0x69], operand: dst.size, reg: dst, rm: src, tail: width / 8 });
  e.immediate(width, factor);
};

/** Shift or rotate by a constant or by CL. */
const shift =
  (field: number): Encode =>
  (e, [dst, count]) => {
    if (!isRm(dst)) return refuse('a register or memory first');
    const size = widthOf([dst]);
    const wide = size === 8 ? 0 : 1;
    if (isReg(count) && count.n === 1 && count.size === 8) return e.modrm({ opcode: [0xd2 + wide], operand: size, reg: field, rm: dst });
    if (!isImm(count)) return refuse('a constant or CL second');
    if (Number(count.value) === 1) return e.modrm({ opcode: [0xd0 + wide], operand: size, reg: field, rm: dst });
    e.modrm({ opcode: [0xc0 + wide], operand: size, reg: field, rm: dst, tail: 1 });
    e.immediate(8, count);
  };

const doubleShift =
  (opcode: number): Encode =>
  (e, [dst, src, count]) => {
    if (!isRm(dst) || !isReg(src) || src.size === 8) return refuse('a register or memory, then a wide register');
    if (isReg(count) && count.n === 1 && count.size === 8)
      return e.modrm({ opcode: [0x0f, opcode + 1], operand: src.size, reg: src, rm: dst });
    if (!isImm(count)) return refuse('a constant or CL third');
    e.modrm({ opcode: [0x0f, opcode], operand: src.size, reg: src, rm: dst, tail: 1 });
    e.immediate(8, count);
  };

const bitTest =
  (opcode: number, field: number): Encode =>
  (e, [dst, bit]) => {
    if (!isRm(dst)) return refuse('a register or memory first');
    if (isReg(bit)) return e.modrm({ opcode: [0x0f, opcode], operand: bit.size, reg: bit, rm: dst });
    if (!isImm(bit)) return refuse('a register or constant second');
    e.modrm({ opcode: [0x0f, 0xba], operand: widthOf([dst]), reg: field, rm: dst, tail: 1 });
    e.immediate(8, bit);
  };

const bswap: Encode = (e, [dst]) => {
  if (!isReg(dst) || dst.size < 32) return refuse('a register of 32 or 64 bits');
  const rex = (dst.size === 64 ? 0x48 : 0) | (dst.n >= 8 ? 0x41 : 0);
  if (rex !== 0) e.byte(rex);
  e.byte(0x0f);
  e.byte(0xc8 + (dst.n & 7));
};

/** CMPXCHG8B and CMPXCHG16B. */
const wideCompareExchange =
  (size: 32 | 64): Encode =>
  (e, [dst]) => {
    if (dst?.t !== 'mem') return refuse('memory');
    e.modrm({ opcode: [0x0f, 0xc7], operand: size, reg: 1, rm: dst });
  };

export const ARITHMETIC: Readonly<Record<string, Encode>> = {
  add: alu(0),
  or: alu(1),
  adc: alu(2),
  sbb: alu(3),
  and: alu(4),
  sub: alu(5),
  xor: alu(6),
  cmp: alu(7),
  test,
  imul,
  inc: unary(0xff, 0),
  dec: unary(0xff, 1),
  not: unary(0xf7, 2),
  neg: unary(0xf7, 3),
  mul: unary(0xf7, 4),
  div: unary(0xf7, 6),
  idiv: unary(0xf7, 7),
  rol: shift(0),
  ror: shift(1),
  rcl: shift(2),
  rcr: shift(3),
  shl: shift(4),
  shr: shift(5),
  sar: shift(7),
  shld: doubleShift(0xa4),
  shrd: doubleShift(0xac),
  bt: bitTest(0xa3, 4),
  bts: bitTest(0xab, 5),
  btr: bitTest(0xb3, 6),
  btc: bitTest(0xbb, 7),
  bsf: regFromRm([0x0f, 0xbc]),
  bsr: regFromRm([0x0f, 0xbd]),
  tzcnt: regFromRm([0x0f, 0xbc], 0xf3),
  lzcnt: regFromRm([0x0f, 0xbd], 0xf3),
  popcnt: regFromRm([0x0f, 0xb8], 0xf3),
  bswap,
  xadd: rmWithReg([0x0f], 0xc1),
  cmpxchg: rmWithReg([0x0f], 0xb1),
  cmpxchg8b: wideCompareExchange(32),
  cmpxchg16b: wideCompareExchange(64),
  clc: fixed(0xf8),
  stc: fixed(0xf9),
  cmc: fixed(0xf5),
  cld: fixed(0xfc),
  std: fixed(0xfd),
  lahf: fixed(0x9f),
  sahf: fixed(0x9e),
  cbw: fixed(0x66, 0x98),
  cwde: fixed(0x98),
  cdqe: fixed(0x48, 0x98),
  cwd: fixed(0x66, 0x99),
  cdq: fixed(0x99),
  cqo: fixed(0x48, 0x99),
};
