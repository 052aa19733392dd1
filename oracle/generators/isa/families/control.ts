/** Branches, far transfers, segment loads, software interrupts, CPUID. */
import { SEGMENTS, selectorOf } from '#oracle/image/instruction/segments.ts';
import { CODE, DATA, PAGE, STACK } from '#oracle/image/instruction/window.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Draft } from '../draft.ts';
import { immediateBytes } from '../operands.ts';
import type { Stream } from '../stream.ts';
import { bytesOf, operandValue } from '../values.ts';
import { type Family, RAX, RCX, RSP } from './family.ts';
import { stackPointer } from './stack.ts';

/** Where an indirect branch may lead. */
const target = (s: Stream): bigint => {
  switch (s.below(6)) {
    case 0:
      return s.pick([0n, 0x7fffffffeffen, 0x800000000000n, 0xffff7fffffffffffn, 0xffff800000000000n, 0x123456789abcdef0n]);
    case 1:
      return BigInt(s.pick([DATA, STACK + 0x100, 0x40000000, CODE + 3 * PAGE]) + s.below(64));
    default:
      return BigInt(CODE + s.below(2 * PAGE));
  }
};

const relative = (d: Draft): void => {
  for (const code of d.row.operands) {
    const bytes = immediateBytes(d, code);
    if (bytes > 0) d.immediate.push(...bytesOf(BigInt.asUintN(8 * bytes, distance(d.s, bytes)), bytes));
  }
};

/** How far a relative branch goes: mostly within the code. */
const distance = (s: Stream, bytes: number): bigint => {
  if (bytes < 4 || s.one(3)) return operandValue(s, bytes);
  return s.one(2) ? BigInt(s.int(-4000, 4000)) : BigInt(s.bits() | 0);
};

/** A stack to return from or to push on. */
const callStack = (d: Draft): void => {
  d.pokeNumber(d.setStack(stackPointer(d.s)), d.codeOffset(target(d.s)), 8);
};

const indirect = (d: Draft): void => {
  callStack(d);
  if (d.rm !== RSP) d.regs[d.rm] = d.codeOffset(target(d.s));
};

const counter = (d: Draft): void => {
  const { s } = d;
  const count = s.pick([0n, 1n, 2n, 0x10000n, 0x10001n, 0x100000000n, 0x100000001n, 0xffffffffn, s.bits64()]);
  d.setLow(RCX, 8, count);
};

const conditional: Family = { immediates: relative, step: true };
const looping: Family = { before: counter, immediates: relative, step: true };

const near: Family = {
  before: (d) => (d.row.operands[0]?.startsWith('E') ? indirect(d) : callStack(d)),
  operand: (d, at) => d.pokeNumber(at, d.codeOffset(target(d.s)), 8),
  step: true,
};

/** Behind an offset of the operand size, a selector. */
const farPointer = (d: Draft, address: bigint | number, bytes: 2 | 4 | 8): void => {
  const { s } = d;
  const at = Number(address) + bytes;
  d.pokeNumber(address, d.codeOffset(target(s)), bytes);
  if (d.mode !== '64') d.pokeNumber(at, anySelector(s), 2);
  else if (s.one(4)) d.pokeNumber(at, badSelector(s), 2);
  else if (at >= DATA && at < STACK + 2 * PAGE) d.selectors.push({ name: s.one(8) ? 'data' : 'code64', at });
};

/** Selectors that no descriptor table of any system here has, and null ones. */
const badSelector = (s: Stream): bigint => BigInt(s.one(3) ? s.below(4) : 0x400 + s.below(0x4000));

/** Any of the segments of this place, with any RPL; seldom none of them. */
const anySelector = (s: Stream): bigint => {
  if (s.one(6)) return badSelector(s);
  const selector = selectorOf(s.pick(SEGMENTS));
  return BigInt(s.one(6) ? (selector & ~3) | s.below(4) : selector);
};

/** A far pointer in the instruction, or in memory for LDS and the like. */
const farImmediate = (d: Draft): void => {
  const { s, size } = d;
  d.immediate.push(...bytesOf(d.codeOffset(target(s)), size === 2 ? 2 : 4), ...bytesOf(anySelector(s), 2));
};

const farMemory: Family = {
  before: (d) => {
    d.setStack(stackPointer(d.s));
  },
  immediates: (d) => {
    if (d.row.operands.includes('Ap')) farImmediate(d);
  },
  operand: (d, at) => farPointer(d, at, d.size === 2 ? 2 : 4),
  step: true,
};

const farReturn: Family = {
  before: (d) => {
    farPointer(d, d.setStack(stackPointer(d.s)), d.size);
  },
  step: true,
};

/** RIP, CS, RFLAGS, RSP, SS. */
const interruptReturn: Family = {
  before: (d) => {
    const { s, size } = d;
    d.flags &= s.one(8) ? -1 : ~RFLAGS.NT;
    const at = Number(d.setStack(BigInt(STACK + 0x400 + 8 * s.below(0x100) + (s.one(8) ? s.below(8) : 0))));
    farPointer(d, at, size);
    d.pokeNumber(at + 2 * size, BigInt.asUintN(8 * size, BigInt(s.bits()) & ~BigInt(RFLAGS.TF | RFLAGS.AC)), size);
    d.pokeNumber(at + 3 * size, s.one(6) ? s.bits64() : stackPointer(s), size);
    if (d.mode !== '64') return;
    if (s.one(6)) d.pokeNumber(at + 4 * size, badSelector(s), 2);
    else d.selectors.push({ name: s.one(12) ? 'code64' : 'data', at: at + 4 * size });
  },
  step: true,
};

const segmentValue = (d: Draft, put: (value: bigint) => void, name: () => void): void => {
  if (d.mode !== '64') {
    put(anySelector(d.s));
    return;
  }
  if (d.s.one(2)) put(d.s.one(2) ? BigInt(d.s.below(4)) : badSelector(d.s));
  else name();
};

const loadSegment: Family = {
  before: (d) => {
    const register = d.rm;
    // r/m is memory, and is not placed yet.
    if (d.modrm === null) return;
    const name = d.s.one(3) ? 'code64' : 'data';
    segmentValue(
      d,
      (value) => d.setLow(register, 2, value),
      () => d.selectors.push({ name, register }),
    );
  },
  operand: (d, at) => {
    segmentValue(
      d,
      (value) => d.pokeNumber(at, value, 2),
      () => (at >= DATA && at < STACK + 2 * PAGE ? d.selectors.push({ name: 'data', at: Number(at) }) : d.pokeNumber(at, 0n, 2)),
    );
  },
  step: true,
};

const popSegment: Family = {
  before: (d) => {
    const at = Number(d.setStack(stackPointer(d.s)));
    segmentValue(
      d,
      (value) => d.pokeNumber(at, value, 2),
      () => (at >= DATA && at < STACK + 2 * PAGE ? d.selectors.push({ name: 'data', at }) : d.pokeNumber(at, 0n, 2)),
    );
  },
  step: true,
};

/** LDS and the like: an offset, and a selector of data mostly. */
const segmentPointer: Family = {
  operand: (d, at, bytes) => {
    d.pokeAny(at, bytes - 2);
    const place = Number(at) + bytes - 2;
    segmentValue(
      d,
      (value) => d.pokeNumber(place, value, 2),
      () => (place >= DATA && place < STACK + 2 * PAGE ? d.selectors.push({ name: 'data', at: place }) : d.pokeNumber(place, 0n, 2)),
    );
  },
  step: true,
};

/** LAR, LSL, VERR, VERW, ARPL: a selector in a register or in memory. */
const selectorOperand: Family = {
  before: (d) => {
    for (const register of [d.rm, d.reg]) if (d.modrm !== null || register === d.reg) d.setLow(register, 2, anySelector(d.s));
  },
  operand: (d, at) => d.pokeNumber(at, anySelector(d.s), 2),
};

/** Not 0x80, which is a system call of 32-bit programs on Linux and cuts RAX. */
const interrupt: Family = {
  immediates: (d) => d.immediate.push(d.s.pick([3, 4, 0, 1, 2, 5, 8, 0x20, 0x21, 0x7f, 0x81, 0x82, 0xff])),
  step: true,
};

/** Leaves whose answers are the same on each core. */
const LEAVES: readonly (readonly [number, number])[] = [
  [0, 0],
  [7, 0],
  [7, 1],
  [2, 0],
  [0x80000000, 0],
  [0x80000001, 0],
  [0x80000002, 0],
  [0x80000008, 0],
];

const leaf: Family = {
  before: (d) => {
    const [eax, ecx] = d.s.pick(LEAVES);
    d.regs[RAX] = (d.s.bits64() & 0xffffffff00000000n) | BigInt(eax);
    d.regs[RCX] = (d.s.bits64() & 0xffffffff00000000n) | BigInt(ecx);
  },
};

const STEP: Family = { step: true };

export const CONTROL_FAMILY: Readonly<Record<string, Family>> = {
  loop: looping,
  loope: looping,
  loopne: looping,
  jrcxz: looping,
  call: { ...near, immediates: relative },
  jmp: { ...near, immediates: relative },
  ret: { before: callStack, step: true },
  jmp_far: farMemory,
  call_far: farMemory,
  ret_far: farReturn,
  iret: interruptReturn,
  ...Object.fromEntries(['les', 'lds', 'lss', 'lfs', 'lgs'].map((name) => [name, segmentPointer])),
  ...Object.fromEntries(['lar', 'lsl', 'verr', 'verw', 'arpl'].map((name) => [name, selectorOperand])),
  into: STEP,
  int1: STEP,
  mov_to_seg: loadSegment,
  pop_seg: popSegment,
  int: interrupt,
  int3: STEP,
  syscall: STEP,
  sysret: STEP,
  cpuid: leaf,
};

/** Jcc. */
export const CONDITIONAL_FAMILY = conditional;
