/** From a decoded instruction to the places of its operands. */
import type { Row } from '#spec/isa/x86/opcodes.ts';
import { type Instruction, NEXT_RIP, NO_REGISTER } from './instruction.ts';
import { FS } from './interface.ts';
import { FS_BASE, GS_BASE, PAGE, ZERO } from './layout.ts';
import { type Handler, Op } from './op.ts';

/** Sizes that an operand code stands for, by its letter. */
const LETTERS: Readonly<Record<string, number | 'v' | 'z' | 'y'>> = { b: 1, w: 2, d: 4, q: 8, v: 'v', z: 'z', y: 'y' };
const NAMED: Readonly<Record<string, string>> = { AL: 'b', CL: 'b', DX: 'w', rAX: 'v', eAX: 'z' };

/** Size in bytes of a register or memory operand by its code, at operand size `size`. */
export const operandSize = (code: string, size: number): number => {
  const letter = LETTERS[NAMED[code] ?? code.slice(1)] ?? 'v';
  if (letter === 'v') return size;
  if (letter === 'z') return Math.min(size, 4);
  return letter === 'y' ? Math.max(size, 4) : letter;
};

/** Place of a register in the view for its size. Without REX, byte registers 4 to 7 are AH, CH, DH, BH. */
export const place = (register: number, size: number, rex: number): number => {
  if (size === 1) return rex === 0 && register >= 4 && register < 8 ? (register - 4) * 8 + 1 : register * 8;
  return size === 2 ? register * 4 : register * 2;
};

/** r register, m memory, i immediate, s something that the handler knows by itself. */
type Kind = 'r' | 'm' | 'i' | 's';

const kindOf = (code: string, memory: boolean): Kind => {
  if (/^(I|J|sb|1)/.test(code)) return 'i';
  if (/^[MO]/.test(code)) return 'm';
  if (code.startsWith('E')) return memory ? 'm' : 'r';
  return /^(G|R|Z|AL|CL|DX|rAX|eAX)/.test(code) && code !== 'GS' ? 'r' : 's';
};

const registerOf = (code: string, i: Instruction): number => {
  switch (code.charAt(0)) {
    case 'G':
      return i.reg;
    case 'E':
    case 'R':
      return i.rm;
    case 'Z':
      return (i.opcode & 7) | ((i.rex & 1) << 3);
    default:
      return code === 'CL' ? 1 : code === 'DX' ? 2 : 0;
  }
};

/** Bytes that the instruction reaches at its memory operand. */
const reachOf = (row: Row, size: number): number => {
  if (row.mnemonic === 'cmpxchg8b') return size === 8 ? 16 : 8;
  if (row.mnemonic === 'mov_from_seg') return 2;
  const code = row.operands.find((each) => /^[EMOX]/.test(each));
  if (code === 'Mp') return 2;
  return code === undefined || code === 'M' ? 1 : operandSize(code, size);
};

/** What a row says about its operands when r/m is a register, or memory. */
type Plan = {
  readonly form: string;
  readonly memory: boolean;
  /** Code of the operand that gives the size. */
  readonly sized: string | undefined;
  /** Codes of the first and second operand if they are registers. */
  readonly first: string | null;
  readonly second: string | null;
  readonly one: boolean;
  readonly relative: boolean;
};

const makePlan = (row: Row, memory: boolean): Plan => {
  const { operands } = row;
  const kinds = operands.map((code) => kindOf(code, memory));
  return {
    form: kinds.join(''),
    memory: kinds.includes('m'),
    sized: operands.find((code, n) => kinds[n] === 'r' || kinds[n] === 'm' || /^[XY]/.test(code)),
    first: kinds[0] === 'r' ? operands[0] : null,
    second: kinds[1] === 'r' ? operands[1] : null,
    one: operands.includes('1'),
    relative: operands[0]?.startsWith('J') ?? false,
  };
};

const plans = [new Map<Row, Plan>(), new Map<Row, Plan>()] as const;

const planFor = (row: Row, memory: boolean): Plan => {
  const known = plans[memory ? 1 : 0];
  let plan = known.get(row);
  if (plan === undefined) {
    plan = makePlan(row, memory);
    known.set(row, plan);
  }
  return plan;
};

/** Add a positive offset below 2^13 to a displacement. */
const displace = (lo: number, hi: number, by: number): readonly [number, number] => {
  const sum = (lo + by) | 0;
  return [sum, (hi + (sum >>> 0 < by ? 1 : 0)) | 0];
};

/** Fields of the memory operand. RIP-relative ones count from the page that the instruction starts in. */
export const setAddress = (o: Op, i: Instruction): void => {
  o.address32 = i.address32;
  o.segment = i.segment < 0 ? 0 : i.segment === FS ? FS_BASE : GS_BASE;
  o.index = i.index === NO_REGISTER ? -1 : 2 * i.index;
  o.scale = i.scale;
  o.disp = i.displacement;
  o.dispHi = i.displacementHigh;
  o.base = i.base === NO_REGISTER ? ZERO : 2 * i.base;
  // RSP and RBP as a base imply the stack segment.
  o.stack = i.segment < 0 && (i.base === 4 || i.base === 5);
  if (i.base === NEXT_RIP) {
    o.base = PAGE;
    [o.disp, o.dispHi] = displace(i.displacement, i.displacementHigh, o.end);
  }
};

const NONE: Handler = (_, o) => o;

/** An op with all operands in place but no handler yet; `off` is the instruction's offset in its page. */
export const prepare = (i: Instruction, off: number): { readonly op: Op; readonly form: string } => {
  const op = new Op(NONE);
  const plan = planFor(i.row, i.memory);
  op.off = off;
  op.end = off + i.length;
  op.imm = plan.one ? 1 : i.immediate;
  op.immHi = i.immediateHigh;
  op.size = plan.sized === undefined ? i.size : operandSize(plan.sized, i.size);
  op.memory = plan.memory;
  setAddress(op, i);
  if (op.segment !== 0) op.reach = reachOf(i.row, i.size) - 1;
  if (plan.first !== null) op.a = place(registerOf(plan.first, i), operandSize(plan.first, i.size), i.rex);
  if (plan.second !== null) op.b = place(registerOf(plan.second, i), operandSize(plan.second, i.size), i.rex);
  if (plan.relative) [op.imm, op.immHi] = displace(i.immediate, i.immediateHigh, op.end);
  return { op, form: plan.form };
};
