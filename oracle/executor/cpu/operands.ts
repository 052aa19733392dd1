/** From a decoded instruction to the places of its operands. */
import type { Row } from '#spec/isa/x86/opcodes.ts';
import { yields } from './alignment.ts';
import { type Instruction, NEXT_RIP, NO_REGISTER } from './instruction.ts';
import { DS, FS, SS_REG } from './interface.ts';
import { FS_BASE, GS_BASE, PAGE, X87, XMM, ZERO } from './layout.ts';
import { type Handler, Op } from './op.ts';

/** Sizes that an operand code stands for, by its letters. */
const LETTERS: Readonly<Record<string, number | 'v' | 'z' | 'y'>> = { b: 1, w: 2, d: 4, q: 8, t: 10, dq: 16, v: 'v', z: 'z', y: 'y' };
const NAMED: Readonly<Record<string, string>> = { AL: 'b', CL: 'b', AX: 'w', DX: 'w', rAX: 'v', eAX: 'z' };

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

/** As table.ts says. */
type Kind = 'r' | 'x' | 'p' | 'f' | 'm' | 'i' | 's';

/** Segment, control and debug registers, and what begins like another code. */
const KNOWN_BY_NAME = /^(ES|CS|SS|DS|FS|GS|XMM0|S.|[CD][qdy])$/;

const kindOf = (code: string, memory: boolean): Kind => {
  if (KNOWN_BY_NAME.test(code)) return 's';
  if (code.startsWith('ST')) return 'f';
  if (/^(I|J|sb|1|Ap)/.test(code)) return 'i';
  if (/^[MO]/.test(code)) return 'm';
  if (/^[EWQ]/.test(code) && memory) return 'm';
  if (/^[VWU]/.test(code)) return 'x';
  if (/^[PQN]/.test(code)) return 'p';
  return /^(E|G|R|Z|B|AL|AX|CL|DX|rAX|eAX)/.test(code) ? 'r' : 's';
};

const registerOf = (code: string, i: Instruction): number => {
  switch (code.charAt(0)) {
    case 'G':
    case 'V':
    case 'P':
      return i.reg;
    case 'E':
    case 'R':
    case 'W':
    case 'U':
    case 'Q':
    case 'N':
      return i.rm;
    case 'B':
      return i.vvvv;
    case 'Z':
      return (i.opcode & 7) | ((i.rex & 1) << 3);
    default:
      return code === 'CL' ? 1 : code === 'DX' ? 2 : 0;
  }
};

/** A register operand. */
type Register = { readonly code: string; readonly kind: Kind };

/** Place of a register operand; for x87 its number in the stack. */
const placeOf = ({ code, kind }: Register, i: Instruction): number => {
  switch (kind) {
    case 'x':
      return XMM + 4 * registerOf(code, i);
    case 'p':
      return X87 + 4 * (registerOf(code, i) & 7);
    case 'f':
      return code === 'STi' ? i.rm & 7 : 0;
    default:
      return place(registerOf(code, i), operandSize(code, i.size), i.rex);
  }
};

/** Bytes that the instruction reaches at its memory operand. */
const reachOf = (row: Row, size: number): number => {
  if (row.mnemonic === 'cmpxchg8b') return size === 8 ? 16 : 8;
  if (row.mnemonic === 'mov_from_seg') return 2;
  const code = row.operands.find((each) => /^[EMOXWQ]/.test(each));
  if (code === 'Mp') return 2;
  return code === undefined || code === 'M' ? 1 : operandSize(code, size);
};

/** What a row says about its operands when r/m is a register, or memory. */
type Plan = {
  readonly form: string;
  readonly memory: boolean;
  /** Code of the operand that gives the size. */
  readonly sized: string | undefined;
  /** The first, second and third operand if they are registers. */
  readonly registers: readonly (Register | null)[];
  readonly one: boolean;
  readonly relative: boolean;
};

const isRegister = (kind: Kind): boolean => kind === 'r' || kind === 'x' || kind === 'p' || kind === 'f';

const makePlan = (row: Row, memory: boolean): Plan => {
  const { operands } = row;
  const kinds = operands.map((code) => kindOf(code, memory));
  return {
    form: kinds.join(''),
    memory: kinds.includes('m'),
    // The port in DX says nothing about the size of what goes through it.
    sized: operands.find((code, n) => (kinds[n] === 'r' && code !== 'DX') || kinds[n] === 'm' || /^[XY][bwdvqz]$/.test(code)),
    registers: operands.map((code, n) => (isRegister(kinds[n]) ? { code, kind: kinds[n] } : null)),
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

/** RSP and RBP as a base imply the stack segment. */
const usesStack = (i: Instruction): boolean => i.segment < 0 && (i.base === 4 || i.base === 5);

/** Fields of the memory operand. RIP-relative ones count from the page that the instruction starts in. */
export const setAddress = (o: Op, i: Instruction): void => {
  o.address = i.address;
  o.index = i.index === NO_REGISTER ? -1 : 2 * i.index;
  o.scale = i.scale;
  o.disp = i.displacement;
  o.dispHi = i.displacementHigh;
  o.base = i.base === NO_REGISTER ? ZERO : 2 * i.base;
  o.stack = usesStack(i);
  o.legacy = i.mode !== '64';
  if (o.legacy) {
    o.seg = i.segment >= 0 ? i.segment : o.stack ? SS_REG : DS;
    o.special = true;
    return;
  }
  o.segment = i.segment < 0 ? 0 : i.segment === FS ? FS_BASE : GS_BASE;
  o.special = o.segment !== 0 || o.address === 4;
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
  const [first, second, third] = plan.registers;
  if (first) op.a = placeOf(first, i);
  if (second) op.b = placeOf(second, i);
  if (third) op.v = placeOf(third, i);
  if (i.row.align !== undefined && plan.memory) {
    op.align = i.row.align;
    op.yields = yields(i.row.mnemonic, i.row.align);
    op.special = true;
  }
  if (plan.relative) [op.imm, op.immHi] = displace(i.immediate, i.immediateHigh, op.end);
  return { op, form: plan.form };
};
