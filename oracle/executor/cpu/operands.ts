/** From a decoded instruction to the places of its operands. */
import { type Instruction, NEXT_RIP, NO_REGISTER } from './instruction.ts';
import { FS } from './interface.ts';
import { FS_BASE, GS_BASE, PAGE, ZERO } from './layout.ts';
import { type Handler, Op } from './op.ts';

/** Bytes of an operand whose code ends in this letter, at operand size `size`. */
const LETTERS: Readonly<Record<string, (size: number) => number>> = {
  b: () => 1,
  w: () => 2,
  d: () => 4,
  q: () => 8,
  v: (size) => size,
  z: (size) => Math.min(size, 4),
  y: (size) => Math.max(size, 4),
};

const NAMED: Readonly<Record<string, string>> = { AL: 'b', CL: 'b', DX: 'w', rAX: 'v', eAX: 'z' };

/** Size in bytes of a register or memory operand by its code. */
export const operandSize = (code: string, size: number): number => {
  const letter = NAMED[code] ?? code.slice(1);
  return LETTERS[letter]?.(size) ?? size;
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
  if (code.startsWith('G')) return i.reg;
  if (code.startsWith('E') || code.startsWith('R')) return i.rm;
  if (code.startsWith('Z')) return (i.opcode & 7) | ((i.rex & 1) << 3);
  return code === 'CL' ? 1 : code === 'DX' ? 2 : 0;
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
  const { operands } = i.row;
  op.off = off;
  op.end = off + i.length;
  op.imm = i.immediate;
  op.immHi = i.immediateHigh;
  op.size = i.size;
  setAddress(op, i);
  const kinds = operands.map((code) => kindOf(code, i.memory));
  const sized = operands.find((code, n) => kinds[n] === 'r' || kinds[n] === 'm' || /^[XY]/.test(code));
  if (sized !== undefined) op.size = operandSize(sized, i.size);
  for (const [n, code] of operands.entries()) {
    if (kinds[n] === 'm') op.memory = true;
    if (kinds[n] !== 'r') continue;
    const at = place(registerOf(code, i), operandSize(code, i.size), i.rex);
    if (n === 0) op.a = at;
    else if (n === 1) op.b = at;
  }
  if (operands.includes('1')) op.imm = 1;
  if (operands.some((code) => code.startsWith('J'))) [op.imm, op.immHi] = displace(i.immediate, i.immediateHigh, op.end);
  return { op, form: kinds.join('') };
};
