/** Branches and system instructions. */
import { CONDITIONS, type Encode, fixed, isImm, isMem, isReg, isRm, refuse } from './encoding.ts';
import type { Imm } from './operand.ts';

/** A branch to a label: opcode bytes, then a displacement of 8 or 32 bits. */
const branch =
  (opcode: readonly number[], kind: 'rel8' | 'rel32'): Encode =>
  (e, [target]) => {
    if (!isImm(target) || target.label === null) return refuse('a label');
    for (const value of opcode) e.byte(value);
    e.fixups.push({ at: e.length, label: target.label, kind, tail: 0 });
    e.value(kind === 'rel8' ? 8 : 32, Number(target.value));
  };

/** CALL and JMP: to a label, or through a register or memory. */
const transfer =
  (opcode: number, field: number): Encode =>
  (e, operands) => {
    const [target] = operands;
    if (isImm(target)) return branch([opcode], 'rel32')(e, operands);
    if (!isRm(target)) return refuse('a label, register or memory');
    e.modrm({ opcode: [0xff], operand: 64, plain64: true, reg: field, rm: target });
  };

const conditional = Object.fromEntries(
  Object.entries(CONDITIONS).flatMap(([cc, n]) => [
    [`j${cc}`, branch([0x0f, 0x80 + n], 'rel32')],
    [`j${cc}8`, branch([0x70 + n], 'rel8')],
  ]),
);

const constant =
  (opcode: number, size: 8 | 16): Encode =>
  (e, [value]) => {
    if (!isImm(value)) return refuse('a constant');
    e.byte(opcode);
    e.immediate(size, value as Imm);
  };

/** IN and OUT: AL or EAX with DX or a constant port. */
const port =
  (opcode: number, flip: boolean): Encode =>
  (e, operands) => {
    const [data, where] = flip ? [operands[1], operands[0]] : [operands[0], operands[1]];
    if (!isReg(data) || data.n !== 0) return refuse('AL, AX or EAX');
    if (data.size === 16) e.byte(0x66);
    const wide = data.size === 8 ? 0 : 1;
    if (isImm(where)) {
      e.byte(opcode + wide);
      return e.immediate(8, where);
    }
    e.byte(opcode + 8 + wide);
  };

/** `0F xx /field` on memory. */
const onMemory =
  (opcode: number, field: number): Encode =>
  (e, [m]) => {
    if (!isMem(m)) return refuse('memory');
    e.modrm({ opcode: [0x0f, opcode], operand: 32, reg: field, rm: m });
  };

/** F3 0F AE /field on a register: RDFSBASE to WRGSBASE. */
const baseOf =
  (field: number): Encode =>
  (e, [r]) => {
    if (!isReg(r) || r.size < 32) return refuse('a register');
    e.modrm({ opcode: [0x0f, 0xae], operand: r.size, reg: field, rm: r, prefix: 0xf3 });
  };

/** `0F xx /field` on a register or memory of 16 bits: descriptor registers. */
const selector =
  (opcode: number, field: number): Encode =>
  (e, [rm]) => {
    if (!isRm(rm)) return refuse('a register or memory');
    e.modrm({ opcode: [0x0f, opcode], operand: isReg(rm) ? rm.size : 32, reg: field, rm });
  };

export const CONTROL: Readonly<Record<string, Encode>> = {
  ...conditional,
  jmp: transfer(0xe9, 4),
  jmp8: branch([0xeb], 'rel8'),
  call: transfer(0xe8, 2),
  jrcxz: branch([0xe3], 'rel8'),
  loop: branch([0xe2], 'rel8'),
  loope: branch([0xe1], 'rel8'),
  loopne: branch([0xe0], 'rel8'),
  ret: (e, operands) => (operands.length === 0 ? e.byte(0xc3) : constant(0xc2, 16)(e, operands)),
  int: constant(0xcd, 8),
  int3: fixed(0xcc),
  int1: fixed(0xf1),
  iretq: fixed(0x48, 0xcf),
  ud2: fixed(0x0f, 0x0b),
  nop: fixed(0x90),
  pause: fixed(0xf3, 0x90),
  syscall: fixed(0x0f, 0x05),
  sysenter: fixed(0x0f, 0x34),
  sysretq: fixed(0x48, 0x0f, 0x07),
  hlt: fixed(0xf4),
  cli: fixed(0xfa),
  sti: fixed(0xfb),
  clts: fixed(0x0f, 0x06),
  cpuid: fixed(0x0f, 0xa2),
  rdtsc: fixed(0x0f, 0x31),
  rdtscp: fixed(0x0f, 0x01, 0xf9),
  rdmsr: fixed(0x0f, 0x32),
  wrmsr: fixed(0x0f, 0x30),
  rdpmc: fixed(0x0f, 0x33),
  swapgs: fixed(0x0f, 0x01, 0xf8),
  wbinvd: fixed(0x0f, 0x09),
  invd: fixed(0x0f, 0x08),
  mfence: fixed(0x0f, 0xae, 0xf0),
  lfence: fixed(0x0f, 0xae, 0xe8),
  sfence: fixed(0x0f, 0xae, 0xf8),
  fnop: fixed(0xd9, 0xd0),
  in: port(0xe4, false),
  out: port(0xe6, true),
  sldt: selector(0x00, 0),
  str: selector(0x00, 1),
  lldt: selector(0x00, 2),
  ltr: selector(0x00, 3),
  smsw: selector(0x01, 4),
  lmsw: selector(0x01, 6),
  lgdt: onMemory(0x01, 2),
  lidt: onMemory(0x01, 3),
  sgdt: onMemory(0x01, 0),
  sidt: onMemory(0x01, 1),
  invlpg: onMemory(0x01, 7),
  clflush: onMemory(0xae, 7),
  rdfsbase: baseOf(0),
  rdgsbase: baseOf(1),
  wrfsbase: baseOf(2),
  wrgsbase: baseOf(3),
};
