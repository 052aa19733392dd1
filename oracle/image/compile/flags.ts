/** Which arithmetic flags are defined where in a block of instructions, so that reports never show one that is not. */
import { FLAGS, RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Instruction } from '#spec/program.ts';
import { registerNamed } from '../asm/operand.ts';

const BITS: Readonly<Record<string, number>> = { O: RFLAGS.OF, S: RFLAGS.SF, Z: RFLAGS.ZF, A: RFLAGS.AF, P: RFLAGS.PF, C: RFLAGS.CF };
const ALL = RFLAGS.OF | RFLAGS.SF | RFLAGS.ZF | RFLAGS.AF | RFLAGS.PF | RFLAGS.CF;
const mask = (letters = ''): number => [...letters].reduce((sum, letter) => sum | BITS[letter], 0);

const CONDITION_READS: Readonly<Record<string, string>> = {
  o: 'O',
  no: 'O',
  b: 'C',
  c: 'C',
  ae: 'C',
  nc: 'C',
  e: 'Z',
  z: 'Z',
  ne: 'Z',
  nz: 'Z',
  be: 'CZ',
  a: 'CZ',
  s: 'S',
  ns: 'S',
  p: 'P',
  np: 'P',
  l: 'SO',
  ge: 'SO',
  le: 'ZSO',
  g: 'ZSO',
};
const READS: Readonly<Record<string, string>> = { lahf: 'SZAPC', pushfq: 'OSZAPC', loope: 'Z', loopne: 'Z', syscall: 'OSZAPC' };
const SHIFTS = new Set(['shl', 'shr', 'sar', 'rol', 'ror', 'rcl', 'rcr', 'shld', 'shrd']);

/** Mnemonic as the table has it: no prefix, no width. */
const base = (op: string): string => {
  const word = op.split(' ').at(-1) as string;
  if (/^(cmps|scas)[bwdq]$/.test(word)) return word.slice(0, 4);
  return word === 'cmpxchg16b' ? 'cmpxchg8b' : word;
};

/** Flags that the instruction's result or way depends on. */
const reads = (op: string): number => {
  const word = base(op);
  const condition = /^(?:j|set|cmov)(\w+?)8?$/.exec(word);
  if (condition && CONDITION_READS[condition[1]] !== undefined) return mask(CONDITION_READS[condition[1]]);
  return mask(READS[word] ?? FLAGS[word]?.reads);
};

type Arg = Extract<Instruction, { op: string }>['args'][number];
const widthOf = (arg: Arg | undefined): number => {
  if (typeof arg === 'object' && 'size' in arg) return arg.size;
  const register = typeof arg === 'string' ? registerNamed(arg) : undefined;
  return register?.t === 'reg' ? register.size : 64;
};

/** Undefined flags behind an instruction, given those before it. */
const after = (i: Instruction, before: number): number => {
  if ('bytes' in i) return ALL;
  const word = base(i.op);
  const row = FLAGS[word];
  if (word === 'popfq') return 0;
  if (!row) return before;
  const through = (before & ~mask(row.defined) & ~mask(row.cleared)) | mask(row.undefined);
  if (SHIFTS.has(word)) return shifted(word, i.args, before, through);
  // A repeated comparison that repeats no time leaves the flags alone.
  return i.op.startsWith('rep') ? before | through : through;
};

const shifted = (word: string, args: readonly Arg[], before: number, through: number): number => {
  const size = widthOf(args[0]);
  const last = args.at(-1);
  const narrowCarry = size < 32 && !word.startsWith('r') ? RFLAGS.CF : 0;
  if (last === 'cl' || last === undefined) return before | mask(FLAGS[word].undefined) | narrowCarry;
  const count = Number(BigInt(last as number | string) & (size === 64 ? 63n : 31n));
  if (count === 0) return before;
  if (count === 1) return through & ~RFLAGS.OF;
  return count >= size ? through | narrowCarry : through;
};

export type Plan = {
  /** Indices before which flags must be set, because the instruction would read an undefined one. */
  readonly repairs: ReadonlySet<number>;
  /** Flags that are defined at the end. */
  readonly defined: number;
};

/** Follow the block along all its branches. */
export const planFlags = (code: readonly Instruction[]): Plan => {
  const undefinedAt = new Array<number>(code.length + 1).fill(0);
  const repairs = new Set<number>();
  for (let changed = true; changed; ) {
    changed = false;
    const flow = (to: number, value: number) => {
      const target = Math.min(to, code.length);
      if ((undefinedAt[target] | value) === undefinedAt[target]) return;
      undefinedAt[target] |= value;
      changed = true;
    };
    code.forEach((i, n) => {
      let before = undefinedAt[n];
      if ('op' in i && (reads(i.op) & before) !== 0) {
        if (!repairs.has(n)) changed = true;
        repairs.add(n);
      }
      if (repairs.has(n)) before = 0;
      const out = after(i, before);
      for (const arg of 'op' in i ? i.args : []) if (typeof arg === 'object' && 'to' in arg) flow(arg.to, out);
      flow(n + 1, out);
    });
  }
  return { repairs, defined: ALL & ~undefinedAt[code.length] };
};
