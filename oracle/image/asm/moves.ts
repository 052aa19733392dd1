/** Moves, the stack and string instructions. */
import {
  CONDITIONS,
  type Encode,
  fitsByte,
  fitsDword,
  fixed,
  immSize,
  isImm,
  isMem,
  isReg,
  isRm,
  refuse,
  regFromRm,
  rmWithReg,
  widthOf,
} from './encoding.ts';

const mov: Encode = (e, operands) => {
  const [dst, src] = operands;
  if (dst?.t === 'cr' || dst?.t === 'dr') {
    if (!isReg(src)) return refuse('a register second');
    return e.modrm({ opcode: [0x0f, dst.t === 'cr' ? 0x22 : 0x23], operand: 64, plain64: true, reg: dst.n, rm: src });
  }
  if (src?.t === 'cr' || src?.t === 'dr') {
    if (!isReg(dst)) return refuse('a register first');
    return e.modrm({ opcode: [0x0f, src.t === 'cr' ? 0x20 : 0x21], operand: 64, plain64: true, reg: src.n, rm: dst });
  }
  if (dst?.t === 'seg') {
    if (!isRm(src)) return refuse('a register or memory second');
    return e.modrm({ opcode: [0x8e], operand: 32, reg: dst.n, rm: src });
  }
  if (src?.t === 'seg') {
    if (!isRm(dst)) return refuse('a register or memory first');
    return e.modrm({ opcode: [0x8c], operand: isReg(dst) ? dst.size : 32, reg: src.n, rm: dst });
  }
  if (!isRm(dst) || !src) return refuse('a register or memory first');
  const size = widthOf(operands);
  const wide = size === 8 ? 0 : 1;
  if (isReg(src)) return e.modrm({ opcode: [0x88 + wide], operand: size, reg: src, rm: dst });
  if (isMem(src)) {
    if (!isReg(dst)) return refuse('memory to memory');
    return e.modrm({ opcode: [0x8a + wide], operand: size, reg: dst, rm: src });
  }
  if (!isImm(src)) return refuse('no such source');
  if (isReg(dst) && size === 64 && src.label === null && !fitsDword(src, 64)) return constant64(e, dst.n, () => e.immediate(64, src));
  e.modrm({ opcode: [0xc6 + wide], operand: size, reg: 0, rm: dst, tail: immSize(size) / 8 });
  e.immediate(immSize(size), src);
};

const constant64 = (e: Parameters<Encode>[0], n: number, value: () => void): void => {
  e.byte(0x48 | (n >= 8 ? 1 : 0));
  e.byte(0xb8 + (n & 7));
  value();
};

/** MOV of a 64-bit constant, always in ten bytes. */
const movabs: Encode = (e, [dst, src]) => {
  if (!isReg(dst) || dst.size !== 64 || !isImm(src)) return refuse('a 64-bit register and a constant');
  constant64(e, dst.n, () => e.immediate(64, src));
};

/** The short form with a 32-bit constant, which clears the upper half. */
const mov32: Encode = (e, [dst, src]) => {
  if (!isReg(dst) || dst.size !== 32 || !isImm(src)) return refuse('a 32-bit register and a constant');
  if (dst.n >= 8) e.byte(0x41);
  e.byte(0xb8 + (dst.n & 7));
  e.immediate(32, src);
};

const lea: Encode = (e, [dst, src]) => {
  if (!isReg(dst) || !isMem(src)) return refuse('a register, then memory');
  e.modrm({ opcode: [0x8d], operand: dst.size, reg: dst, rm: src });
};

/** MOVZX and MOVSX from 8 or 16 bits. */
const extend =
  (opcode: number): Encode =>
  (e, [dst, src]) => {
    if (!isReg(dst) || !isRm(src)) return refuse('a register, then a narrower register or memory');
    const from = widthOf([src]);
    if (from > 16 || from >= dst.size) return refuse('extends from 8 or 16 bits');
    e.modrm({ opcode: [0x0f, from === 8 ? opcode : opcode + 1], operand: dst.size, reg: dst, rm: src });
  };

const push: Encode = (e, [src]) => {
  if (isImm(src)) {
    if (fitsByte(src, 64)) {
      e.byte(0x6a);
      return e.immediate(8, src);
    }
    e.byte(0x68);
    return e.immediate(32, src);
  }
  if (isMem(src)) return e.modrm({ opcode: [0xff], operand: 64, plain64: true, reg: 6, rm: src });
  if (!isReg(src) || (src.size !== 64 && src.size !== 16)) return refuse('a constant, memory or register');
  if (src.size === 16) e.byte(0x66);
  if (src.n >= 8) e.byte(0x41);
  e.byte(0x50 + (src.n & 7));
};

const pop: Encode = (e, [dst]) => {
  if (isMem(dst)) return e.modrm({ opcode: [0x8f], operand: 64, plain64: true, reg: 0, rm: dst });
  if (!isReg(dst) || (dst.size !== 64 && dst.size !== 16)) return refuse('memory or a register');
  if (dst.size === 16) e.byte(0x66);
  if (dst.n >= 8) e.byte(0x41);
  e.byte(0x58 + (dst.n & 7));
};

const movnti: Encode = (e, [dst, src]) => {
  if (!isMem(dst) || !isReg(src) || src.size < 32) return refuse('memory, then a register');
  e.modrm({ opcode: [0x0f, 0xc3], operand: src.size, reg: src, rm: dst });
};

const conditional = Object.fromEntries(Object.entries(CONDITIONS).map(([cc, n]) => [`cmov${cc}`, regFromRm([0x0f, 0x40 + n])]));

const setOn =
  (n: number): Encode =>
  (e, [dst]) => {
    if (!isRm(dst) || (dst.size !== 8 && dst.size !== 0)) return refuse('a byte');
    e.modrm({ opcode: [0x0f, 0x90 + n], operand: 8, reg: 0, rm: dst });
  };
const set = Object.fromEntries(Object.entries(CONDITIONS).map(([cc, n]) => [`set${cc}`, setOn(n)]));

/** Byte, word, doubleword and quadword forms of a string instruction. */
const strings = Object.fromEntries(
  Object.entries({ movs: 0xa4, cmps: 0xa6, stos: 0xaa, lods: 0xac, scas: 0xae }).flatMap(([name, opcode]) => [
    [`${name}b`, fixed(opcode)],
    [`${name}w`, fixed(0x66, opcode + 1)],
    [`${name}d`, fixed(opcode + 1)],
    [`${name}q`, fixed(0x48, opcode + 1)],
  ]),
);

export const MOVES: Readonly<Record<string, Encode>> = {
  ...conditional,
  ...set,
  ...strings,
  mov,
  movabs,
  mov32,
  lea,
  movnti,
  push,
  pop,
  movzx: extend(0xb6),
  movsx: extend(0xbe),
  movsxd: regFromRm([0x63]),
  xchg: rmWithReg([], 0x87),
  pushfq: fixed(0x9c),
  popfq: fixed(0x9d),
  leave: fixed(0xc9),
  xlat: fixed(0xd7),
  enter: (e, [frame, level]) => {
    if (!isImm(frame) || !isImm(level)) return refuse('two constants');
    e.byte(0xc8);
    e.immediate(16, frame);
    e.immediate(8, level);
  },
};
