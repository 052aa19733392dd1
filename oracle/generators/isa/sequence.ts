/** Long programs of instructions of all rows, for two engines that are compared at the level of the processor alone. */
import { CODE, DATA, DATA_END, DATA_READ_ONLY, PAGE, STACK } from '#oracle/image/instruction/window.ts';
import { OPCODES, type Row } from '#spec/isa/x86/opcodes.ts';
import { registerForm } from './addressing.ts';
import { Draft } from './draft.ts';
import { encode } from './encode.ts';
import { familyOf } from './families/index.ts';
import { chooseImmediates, hasModrm, memoryAllowed } from './operands.ts';
import { choosePrefixes } from './prefixes.ts';
import { rowsIn } from './rows.ts';
import { Stream } from './stream.ts';
import { registerValue } from './values.ts';

/** Code from CODE on, what it is taken for, and where its instructions begin. */
export type Sequence = { readonly code: Uint8Array; readonly mode: SequenceMode; readonly starts: readonly number[] };

/** 64-bit code, or 32-bit code in compatibility mode. */
export type SequenceMode = '64' | '32';
/** Every third program has 32-bit code. */
const modeOf = (seed: number): SequenceMode => (seed % 3 === 0 ? '32' : '64');

/** What the processor goes on with after it was interrupted: an instruction, and registers by number. */
export type Resumption = { readonly rip: number; readonly regs: ReadonlyMap<number, bigint> };

/** The code ends a little before its second page does: what follows is NOPs and a jump back. */
const MOST_BYTES = 2 * PAGE - 64;

/** Registers that mostly point to something, and what to. */
const [RCX, RBX, RSP, RBP, RSI, RDI, R12] = [1, 3, 4, 5, 6, 7, 12];
const POINTERS: readonly number[] = [RBX, RSP, RBP, RSI, RDI, R12];
const POINTERS32: readonly number[] = [RBX, RSP, RBP, RSI, RDI];

/** Seldom: they fault or leave in any case, or mostly, because few values fit. */
const SELDOM =
  /^(int|int3|syscall|iret|.*_far|mov_to_seg|mov_from_seg|pop_seg|ud[012]|invalid|popf|enter|leave|ret|i?div|cmpxchg8b|cpuid|rdtscp?|f?n?stcw|fldcw|ldmxcsr|f(x|n)?rstor|fldenv|xgetbv|xsave.*|xrstor.*|(rd|wr)[fg]sbase|rdrand|rdseed|l[sfg]s|maskmov.*)$/;
const SELDOM_FORM = /^((call|jmp) Ev|bt[src]? Ev,Gv)$/;
const isSeldom = ({ privileged, mnemonic, operands }: Row): boolean =>
  privileged === true || SELDOM.test(mnemonic) || SELDOM_FORM.test(`${mnemonic} ${operands}`);
/** In 32-bit programs not at all: they load or use descriptors, which such programs have no tables of, or leave the mode. */
const BY_DESCRIPTORS = /^(mov_to_seg|pop_seg|l[defgs]s|.*_far|iret|int|int1|syscall|sysenter|sysexit|sysret)$/;
/** What a guest of Xen sees of Xen's own tables, and its XSAVE area: not modelled. */
const OF_XEN = /^(s[gil]dt|str|smsw|lar|lsl|ver[rw]|xgetbv|xsave.*|xrstor.*)$/;
const ROWS: Readonly<Record<SequenceMode, readonly number[]>> = {
  '64': rowsIn('64').filter((row) => !OF_XEN.test(OPCODES[row].mnemonic)),
  '32': rowsIn('32').filter((row) => !BY_DESCRIPTORS.test(OPCODES[row].mnemonic)),
};
const often = (rows: readonly number[]): readonly number[] => rows.filter((row) => !isSeldom(OPCODES[row]));
const OFTEN: Readonly<Record<SequenceMode, readonly number[]>> = { '64': often(ROWS['64']), '32': often(ROWS['32']) };

type Piece = { readonly bytes: Uint8Array; readonly branch: 1 | 2 | 4 | null };

const [LOCK, OPERAND, ADDRESS] = [0xf0, 0x66, 0x67];

const isPointer = (register: number): boolean => POINTERS.includes(register);

/** Operands that must be aligned mostly are: pointers are, too. */
const aligned = ({ row, s }: Draft, place: number): number => (row.align === undefined || s.one(20) ? place : place & -row.align);

/** A memory operand off a pointer, with an index now and then; or at a fixed place. */
const memoryOperand = (d: Draft, reg: number): void => {
  const { s } = d;
  const dword = (n: number): number[] => [0, 8, 16, 24].map((shift) => (n >> shift) & 0xff);
  if (s.one(6)) {
    const place = aligned(d, s.pick([DATA, DATA, DATA + PAGE, DATA + PAGE, DATA_END]) + s.below(PAGE));
    if (d.mode !== '64') d.modrm = { bytes: [(reg << 3) | 5, ...dword(place)], ripRelative: null };
    else if (s.one(2))
      d.modrm = { bytes: [(reg << 3) | 5, 0, 0, 0, 0], ripRelative: BigInt(s.one(100) ? CODE + s.below(2 * PAGE) : place) };
    else d.modrm = { bytes: [(reg << 3) | 4, 0x25, ...dword(place)], ripRelative: null };
    return;
  }
  const base = s.one(100) ? s.below(d.mode === '64' ? 16 : 8) : s.pick(d.mode === '64' ? POINTERS : POINTERS32);
  d.rex = base >= 8 ? (d.rex ?? 0) | 1 : d.rex === null ? null : d.rex & ~1;
  const offset = aligned(d, s.int(-128, 127));
  if ((base & 7) === 4 || s.one(4)) {
    if (d.rex !== null) d.rex &= ~2;
    const index = s.one(d.row.align === undefined ? 12 : 60) ? RCX : 4;
    d.modrm = { bytes: [0x44 | (reg << 3), (s.below(4) << 6) | (index << 3) | (base & 7), offset & 0xff], ripRelative: null };
  } else d.modrm = { bytes: [0x40 | (reg << 3) | base, offset & 0xff], ripRelative: null };
};

const EXCHANGES = /^(xchg|xadd|cmpxchg)$/;

/** REX and modrm such that pointers seldom get lost. */
const chooseOperands = (d: Draft): void => {
  const { row, s } = d;
  if (!hasModrm(row)) return;
  if (row.modrm !== undefined) {
    d.modrm = { bytes: [row.modrm], ripRelative: null };
    return;
  }
  for (let tries = 0; tries < 8; tries++) {
    d.modrmReg = row.ext ?? s.below(8);
    const allowed = memoryAllowed(row);
    if (allowed === 'must' || (allowed === 'may' && s.one(2))) memoryOperand(d, d.modrmReg);
    else registerForm(d, d.modrmReg);
    const rm = (d.modrm?.bytes[0] ?? 0) >= 0xc0 ? d.rm : -1;
    const written = EXCHANGES.test(row.mnemonic) ? [d.reg, rm] : [row.operands[0]?.startsWith('G') ? d.reg : rm];
    if (!written.some(isPointer)) return;
  }
};

const branchBytes = ({ row, size }: Draft): Piece['branch'] => {
  const code = row.operands[0] ?? '';
  if (code === 'Jb') return 1;
  return code === 'Jz' ? (size === 2 ? 2 : 4) : null;
};

/** A register operand in the opcode that would lose a pointer. */
const losesPointer = (d: Draft): boolean =>
  (d.row.operands[0]?.startsWith('Z') ?? false) && isPointer((d.row.opcode & 7) | (((d.rex ?? 0) & 1) << 3)) && !d.s.one(8);

/** Without a prefix that changes the size of operands or addresses. */
const plainSize = (d: Draft, prefix: number): void => {
  d.dropPrefix(prefix);
  if (prefix === OPERAND) d.size66 = false;
  else d.size67 = false;
};

const piece = (s: Stream, at: number, mode: SequenceMode): Piece => {
  const d = new Draft(s.one(60) ? s.pick(ROWS[mode]) : s.pick(OFTEN[mode]), s, mode);
  choosePrefixes(d);
  if (mode === '32') {
    // Addresses of 16 bits reach nothing here, and branches of 16 bits leave the code.
    if (d.size67 && !s.one(20)) plainSize(d, ADDRESS);
    if (branchBytes(d) !== null && d.size === 2 && !s.one(100)) plainSize(d, OPERAND);
    if (losesPointer(d)) return piece(s, at, mode);
    return finished(d, at);
  }
  // A short branch leaves the code for the bottom of the address space.
  const branch = branchBytes(d);
  if (branch !== null && d.size === 2 && !s.one(100)) d.rex = 8;
  if (losesPointer(d)) d.rex = 1;
  return finished(d, at);
};

/** With operands, at its place. */
const finished = (d: Draft, at: number): Piece => {
  const { s } = d;
  chooseOperands(d);
  // LOCK is #UD but for some instructions, and for these with a register.
  if ((!d.row.lock || (d.modrm?.bytes[0] ?? 0xc0) >= 0xc0) && !s.one(20)) d.dropPrefix(LOCK);
  const family = familyOf(d.row);
  if (family.immediates) family.immediates(d);
  else chooseImmediates(d);
  d.rip = CODE + at;
  return { bytes: encode(d).slice(0, 15), branch: branchBytes(d) };
};

/** Let the branch that ends at `end` lead to one of the starts within its reach, mostly forward, or loops would take all the time. */
const aim = (s: Stream, code: Uint8Array, end: number, bytes: 1 | 2 | 4, starts: readonly number[]): void => {
  const reach = bytes === 1 ? 127 : 600;
  const backward = s.one(6);
  const near = starts.filter((start) => (backward ? end - start < reach && start < end : start - end < reach && start >= end));
  const distance = s.one(40) || near.length === 0 ? s.int(-reach, reach) : s.pick(near) - end;
  for (let i = 0; i < bytes; i++) code[end - bytes + i] = (distance >> (8 * i)) & 0xff;
};

/** Program number `seed`. */
export const sequence = (seed: number): Sequence => {
  const s = new Stream(seed, 0x20000);
  const mode = modeOf(seed);
  const code = new Uint8Array(2 * PAGE).fill(0x90);
  const starts: number[] = [];
  const branches: { readonly end: number; readonly bytes: 1 | 2 | 4 }[] = [];
  let at = 0;
  while (at < MOST_BYTES) {
    const { bytes, branch } = piece(s, at, mode);
    starts.push(at);
    code.set(bytes, at);
    at += bytes.length;
    if (branch !== null) branches.push({ end: at, bytes: branch });
  }
  for (const { end, bytes } of branches) aim(s, code, end, bytes, starts);
  // Behind the last instruction: JMP to the first.
  const back = -(2 * PAGE);
  code.set([0xe9, ...[0, 8, 16, 24].map((shift) => (back >> shift) & 0xff)], 2 * PAGE - 5);
  return { code, mode, starts };
};

const pointerValue = (s: Stream, register: number): bigint => {
  if (register === RSP) return BigInt(STACK + 0x200 + 8 * s.below(0x380));
  const page = s.one(16) ? s.pick([DATA_READ_ONLY, DATA_END]) : s.pick([DATA, DATA + PAGE, STACK]);
  const offset = s.one(6) ? s.pick([0, PAGE]) + s.int(-160, 160) : 0x100 + s.below(PAGE - 0x200);
  return BigInt(page + (s.one(4) ? offset : offset & -64));
};

/** How the processor goes on after interruption number `n`: pointers that point, a counter that is small, one register of any value. */
export const resumption = (seed: number, n: number, { starts, mode }: Sequence): Resumption => {
  const s = new Stream(seed, 0x30000 + n);
  const pointers = mode === '64' ? POINTERS : POINTERS32;
  const regs = new Map<number, bigint>(pointers.map((register) => [register, pointerValue(s, register)]));
  regs.set(RCX, BigInt(s.below(40)));
  const any = s.below(mode === '64' ? 16 : 8);
  if (!isPointer(any) && any !== RCX) regs.set(any, BigInt.asUintN(Number(mode), registerValue(s)));
  return { rip: CODE + s.pick(starts), regs };
};
