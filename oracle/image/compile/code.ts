/** Blocks of instructions, in kernel or user mode. */
import { FLAT, VGCF } from '#spec/abi/xen.ts';
import type { Instruction, StepOf, Value } from '#spec/program.ts';
import { AssemblyError, addressOf, at, imm, memory, type Operand, reg, registerNamed } from '../asm/operand.ts';
import { STACK_TOP, USER_STACK_TOP, VAR } from '../layout.ts';
import { FIELD_KIND, FIELD_ROW, type FieldKindName } from '../runtime/fields.ts';
import { type Context, R } from './context.ts';
import { planFlags } from './flags.ts';
import { constantOf, literal, loadLabel, loadValue } from './values.ts';

const GENERAL = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const;
type General = (typeof GENERAL)[number];
const PLAIN_FLAGS = 0x202;
/** Vectors by which the runtime learns that user mode came back. */
const BACK = { syscall: 257, int: 0x80 } as const;

/** What stands in a register that the program does not set. */
const resting = (n: number): bigint => BigInt(0x11 * n);

type Arg = Extract<Instruction, { op: string }>['args'][number];

const operand = (c: Context, arg: Arg, targets: ReadonlyMap<number, string>): Operand => {
  if (typeof arg === 'number') return imm(arg);
  if (typeof arg === 'string') {
    if (/^\d/.test(arg)) return imm(literal(arg));
    const register = registerNamed(arg);
    if (!register) throw new AssemblyError(`no such register: ${arg}`);
    return register;
  }
  if ('to' in arg) return addressOf(targets.get(arg.to) as string);
  const page = arg.page === undefined ? 0n : (constantOf(c, { page: arg.page, as: 'va' }) ?? 0n);
  return memory({
    size: arg.size,
    base: arg.base === undefined ? null : reg(arg.base).n,
    index: arg.index === undefined ? null : reg(arg.index).n,
    scale: arg.scale ?? 1,
    disp: Number(page) + (arg.disp ?? 0),
  });
};

/** The instructions themselves; undefined flags are set before they are read. */
const emitBlock = (c: Context, code: readonly Instruction[], repairs: ReadonlySet<number>): void => {
  const targets = new Map<number, string>();
  for (const i of code) {
    if (!('op' in i)) continue;
    for (const arg of i.args) if (typeof arg === 'object' && 'to' in arg && !targets.has(arg.to)) targets.set(arg.to, c.label());
  }
  code.forEach((i, n) => {
    const label = targets.get(n);
    if (label) c.a.label(label);
    if (repairs.has(n)) c.a.op('cmp', R.esp, R.esp);
    if ('bytes' in i) c.a.data(Uint8Array.from(i.bytes.match(/../g) as string[], (b) => Number.parseInt(b, 16)));
    else c.a.op(i.op, ...i.args.map((arg) => operand(c, arg, targets)));
  });
  for (const [n, label] of targets) if (n >= code.length) c.a.label(label);
};

export type Excursion = {
  readonly mode: 'kernel' | 'user';
  readonly back: 'syscall' | 'int';
  /** How user mode is entered. */
  readonly entry?: 'iret' | 'sysret';
  readonly registers: Partial<Record<General, Value>>;
  readonly flags: number;
  /** Writes the instructions. */
  readonly body: () => void;
};

/** From `step_begin` to the label where the report begins: registers are loaded, the body runs, and what it left is kept. */
export const excursion = (c: Context, { mode, back, entry, registers, flags, body }: Excursion): { readonly report: string } => {
  const { a } = c;
  const report = c.label();
  const code = c.label();
  const end = c.label();
  loadLabel(c, 'esi', report);
  loadLabel(c, 'edx', code);
  c.call('step_begin');
  if (mode === 'user') c.call('user_setup');

  const content = GENERAL.map((name, n): bigint | null => {
    const value = registers[name];
    if (value === undefined) return resting(n);
    const constant = constantOf(c, value);
    if (constant !== null) return constant;
    loadValue(c, value);
    c.storeRax(VAR.scratch + 8 * n);
    return null;
  });
  const fetch = (n: number, into = reg(GENERAL[n])): void => {
    const value = content[n];
    if (value === null) a.op('mov', into, at(64, VAR.scratch + 8 * n));
    else if (value <= 0xffffffffn) a.op('mov32', LOW[into.n], imm(value));
    else a.op('mov', into, imm(value));
  };

  if (mode === 'user') {
    a.op('push', imm(FLAT.RING3_SS64));
    a.op('push', imm(USER_STACK_TOP));
    a.op('push', imm(flags | PLAIN_FLAGS));
    a.op('push', imm(FLAT.RING3_CS64));
    a.op('mov', R.rax, addressOf(code));
    a.op('push', R.rax);
    a.op('push', imm(entry === 'sysret' ? VGCF.in_syscall : 0));
    for (const n of [1, 11, 0]) {
      fetch(n, R.rax);
      a.op('push', R.rax);
    }
    for (const n of [2, 3, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15]) fetch(n);
    a.op('mov32', R.eax, imm(23));
    a.op('syscall');
    a.label(code);
    body();
    if (back === 'syscall') a.op('syscall');
    else a.op('int', imm(0x80));
    a.label(end);
    a.label(report);
    const other = c.label();
    a.op('cmp', at(64, VAR.trap_rip), addressOf(end));
    a.op('jne', addressOf(other));
    a.op('cmp', at(32, VAR.vector), imm(BACK[back]));
    a.op('jne', addressOf(other));
    a.op('mov', at(32, VAR.trapped), imm(0));
    a.label(other);
    return { report };
  }
  for (let n = 0; n < 16; n++) if (n !== 4) fetch(n);
  a.op('push', imm(flags | PLAIN_FLAGS));
  a.op('popfq');
  a.label(code);
  body();
  a.op('mov', at(64, VAR.registers + 32), R.rsp);
  a.op('mov32', R.esp, imm(STACK_TOP));
  c.call('keep_registers');
  a.op('push', imm(PLAIN_FLAGS));
  a.op('popfq');
  a.label(report);
  return { report };
};

const LOW = Array.from({ length: 16 }, (_, n) => reg(n < 8 ? ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'][n] : `r${n}d`));

/** A table of fields that lie outside the data. */
export const fieldTable = (
  c: Context,
  rows: readonly {
    readonly name: string;
    readonly address: number;
    readonly size: number;
    readonly kind: FieldKindName;
    readonly slot?: number;
  }[],
): number => {
  const start = c.data.reserve(FIELD_ROW * (rows.length + 1));
  rows.forEach((row, i) => {
    const place = start + FIELD_ROW * i;
    c.data.put(place, 4, c.data.text(` ${row.name}=`));
    c.data.put(place + 4, 4, row.address);
    c.data.put(place + 8, 2, row.size);
    c.data.put(place + 10, 1, FIELD_KIND[row.kind]);
    c.data.put(place + 12, 4, row.slot ?? 0);
  });
  return start;
};

/** Print the table's fields. */
export const printFields = (c: Context, table: number): void => {
  if (table === 0) return;
  c.a.op('mov32', R.ebx, imm(table));
  c.call('put_fields');
};

/** Print the registers that the step asks for, or a hash of them all, and the defined flags unless a trap came. */
export const codeStep = (c: Context, step: StepOf<'code'>, title: string): void => {
  const { repairs, defined } = planFlags(step.code);
  const mode = step.mode ?? 'kernel';
  const back = step.back ?? 'syscall';
  excursion(c, {
    mode,
    back,
    entry: step.entry ?? 'iret',
    registers: step.regs ?? {},
    flags: step.flags ?? 0,
    body: () => emitBlock(c, step.code, repairs),
  });
  const show = step.show ?? 'hash';
  c.say(title, 'report_begin');
  if (Array.isArray(show)) {
    const rows = show.map((name) => ({
      name,
      address: VAR.registers + 8 * GENERAL.indexOf(name),
      size: 8,
      kind: 'hex' as const,
      slot: c.slotFor(step, name),
    }));
    printFields(c, fieldTable(c, rows));
  } else if (show === 'hash') {
    // Coming back by SYSCALL, RCX and R11 hold the way back.
    const kept = 0xffff & ~0x10 & ~(mode === 'user' && back === 'syscall' ? 0x802 : 0);
    c.a.op('mov32', R.ebx, imm(kept));
    c.call('hash_registers');
    c.storeRax(VAR.rc);
    printFields(c, fieldTable(c, [{ name: 'regs', address: VAR.rc, size: 8, kind: 'hex' }]));
  }
  if (show !== 'nothing') {
    const skip = c.label();
    c.a.op('cmp', at(32, VAR.trapped), imm(0));
    c.a.op('jne', addressOf(skip));
    c.a.op('mov', R.eax, at(32, VAR.flags));
    c.a.op('and', R.eax, imm(defined));
    c.storeRax(VAR.rc);
    printFields(c, fieldTable(c, [{ name: 'flags', address: VAR.rc, size: 8, kind: 'hex' }]));
    c.a.label(skip);
  }
  c.call('report_end');
};
