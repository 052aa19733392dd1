/**
 * Hypercalls drawn from a table, with as few instructions in between as can be. Each call is a piece of straight code that ends by a jump to the next one,
 * and so is each multicall of a batch of them; a run is a list of pieces. Which pieces stand in a run is drawn here, which run comes next by the guest.
 *
 * A call that was stopped inside a multicall leaves its continuation in the guest's entry, and RDI moved on: then the arguments of entries that may have
 * been stopped are put back.
 */
import { HYPERCALL, HYPERCALL_ARGS, HYPERCALL_NAME } from '#spec/abi/hypercall.ts';
import { multicall_entry } from '#spec/abi/xen.ts';
import type { Call, StepOf } from '#spec/program.ts';
import { addressOf, at, imm, memory, type Operand, reg, via } from '../asm/operand.ts';
import { Arguments, callNumber } from './arguments.ts';
import { type Context, R } from './context.ts';
import { Draw } from './draw.ts';
import { loadValue } from './values.ts';

/** Runs of a step: the upper bits of the state choose one. */
export const RUN_BITS = 6;
/** Pieces of a run: so many at least, or one of the numbers that follow. */
export const LEAST_PIECES = 3;
export const PIECE_COUNTS = 8;
/** One run in so many begins with a multicall, where there are any. */
export const WITH_BATCH = 3;
/** Entries of a multicall, in the same way. */
export const LEAST_ENTRIES = 16;
export const ENTRY_COUNTS = 49;

/** The guest's state: x → MULTIPLIER · x + INCREMENT modulo 2^32. */
export const MULTIPLIER = 1664525;
export const INCREMENT = 1013904223;

/** Stands first in every multicall: whatever stops behind it has moved RDI on. */
const HEAD: Call = { call: 'xen_version', args: [0] };

const REGISTERS = ['rdi', 'rsi', 'rdx', 'r10', 'r8'] as const;
const [EBP, ECX] = [reg('ebp'), reg('ecx')];

/** Calls that Xen never stops to have them made again with other arguments. */
const NEVER_STOPPED: readonly number[] = (
  [
    'xen_version',
    'sched_op',
    'set_timer_op',
    'set_callbacks',
    'callback_op',
    'nmi_op',
    'stack_switch',
    'fpu_taskswitch',
    'set_debugreg',
    'get_debugreg',
    'set_segment_base',
    'vm_assist',
    'update_descriptor',
    'update_va_mapping',
    'set_gdt',
  ] as const
).map((name) => HYPERCALL[name]);

/** An argument: known now, or worked out once into a word of the data. */
type Word = { readonly constant: bigint } | { readonly address: number };
type Ready = { readonly number: number; readonly words: readonly Word[] };
/** Entries of a multicall, where they stand once more as they were, and the places in the list of those that can be stopped. */
type Batch = { readonly entries: number; readonly pristine: number; readonly count: number; readonly stoppable: readonly number[] };
/** Code to jump to, and how many hypercalls it makes. */
type Piece = { readonly label: string; readonly hypercalls: number };

const wordsOf = (c: Context, placement: Arguments, { call, args }: Call): Ready => ({
  number: callNumber(call),
  words: args.map((argument) => {
    const placed = placement.place(argument, '');
    if ('constant' in placed) return placed;
    const address = c.data.reserve(8);
    loadValue(c, placed.value);
    c.storeRax(address);
    return { address };
  }),
});

/** Lays entries out twice; arguments that are not known yet are copied by code. */
const batchOf = (c: Context, calls: readonly Ready[]): Batch => {
  const { fields, size } = multicall_entry;
  const [entries, pristine] = [c.data.reserve(size * calls.length), c.data.reserve(size * calls.length)];
  calls.forEach(({ number, words }, i) => {
    c.data.put(entries + size * i + fields.op.at, 8, number);
    words.forEach((word, n) => {
      const places = [entries, pristine].map((list) => list + size * i + fields.args.at + 8 * n);
      if ('address' in word) c.a.op('mov', R.rax, at(64, word.address));
      for (const place of places) {
        if ('constant' in word) c.data.put(place, 8, word.constant);
        else c.storeRax(place);
      }
    });
  });
  const stoppable = calls.flatMap(({ number }, i) => (NEVER_STOPPED.includes(number) ? [] : [i]));
  return { entries, pristine, count: calls.length, stoppable };
};

/** RBX takes a result up: nine times the sum, so that no single difference is ever lost. */
const mix = ({ a }: Context, result: Operand): void => {
  a.op('add', R.rbx, result);
  a.op('lea', R.rbx, memory({ size: 64, base: R.rbx.n, index: R.rbx.n, scale: 8 }));
};

/** The next piece: RBP points to its address. */
const onward = ({ a }: Context): void => {
  a.op('add', EBP, imm(8));
  a.op('jmp', via(64, 'rbp'));
};

const single = (c: Context, { number, words }: Ready): Piece => {
  const label = c.label();
  c.a.label(label);
  const name = HYPERCALL_NAME.get(number);
  const looked = Math.max(words.length, (name && HYPERCALL_ARGS[name]) ?? REGISTERS.length);
  REGISTERS.slice(0, looked).forEach((register, i) => {
    const word = words[i] ?? { constant: 0n };
    if ('constant' in word) c.load(register, word.constant);
    else c.a.op('mov', R[register], at(64, word.address));
  });
  c.load('rax', number);
  c.a.op('syscall');
  mix(c, R.rax);
  onward(c);
  return { label, hypercalls: 1 };
};

/** The arguments of these entries as they were. */
const putBack = ({ a }: Context, { entries, pristine, stoppable }: Batch): void => {
  const { fields, size } = multicall_entry;
  for (const i of stoppable) {
    const at = size * i + fields.args.at;
    a.op('mov32', R.edi, imm(entries + at));
    a.op('mov32', R.esi, imm(pristine + at));
    a.op('mov32', ECX, imm(REGISTERS.length));
    a.op('rep movsq');
  }
};

const multicall = (c: Context, batch: Batch): Piece => {
  const { a } = c;
  const { entries, count } = batch;
  const { fields, size } = multicall_entry;
  const [label, stopped] = [c.label(), c.label()];
  a.label(label);
  c.load('rdi', entries);
  c.load('rsi', count);
  c.load('rax', HYPERCALL.multicall);
  a.op('syscall');
  mix(c, R.rax);
  for (let i = 0; i < count; i++) mix(c, at(64, entries + size * i + fields.result.at));
  if (batch.stoppable.length > 0) {
    a.op('cmp', R.edi, imm(entries));
    a.op('jne', addressOf(stopped));
  }
  onward(c);
  if (batch.stoppable.length > 0) {
    a.label(stopped);
    putBack(c, batch);
    onward(c);
  }
  return { label, hypercalls: 1 + count };
};

/** Lists of pieces, each ended by `end`, and a table of where they are and how many hypercalls they make. */
const layRuns = (c: Context, draw: Draw, singles: readonly Piece[], batches: readonly Piece[], end: string, table: number): void => {
  const next = draw.rounds(singles);
  for (let run = 0; run < 1 << RUN_BITS; run++) {
    const pieces = Array.from({ length: LEAST_PIECES + draw.below(PIECE_COUNTS) }, () => next.next().value);
    if (batches.length > 0 && draw.below(WITH_BATCH) === 0) pieces.unshift(draw.pick(batches));
    const list = c.data.reserve(8 * (pieces.length + 1));
    [...pieces.map(({ label }) => label), end].forEach((label, i) => {
      c.data.put(list + 8 * i, 8, c.a.addressOf(label));
    });
    c.data.put(table + 8 * run, 4, list);
    c.data.put(
      table + 8 * run + 4,
      4,
      pieces.reduce((sum, { hypercalls }) => sum + hypercalls, 0),
    );
  }
};

/** Code that makes the step's draws, and the rest of the last run. R14 counts those down that are left; the mix of the results is left in RBX. */
export const drawnCalls = (c: Context, { calls, draws = 0, seed = 0, batches = 0 }: StepOf<'calls'>): void => {
  const { a } = c;
  const draw = new Draw(seed);
  const placement = new Arguments(c);
  const ready = calls.map((call) => wordsOf(c, placement, call));
  // The hypercall that ends a multicall and loads registers is made alone.
  const inside = ready.filter(({ number }) => number !== HYPERCALL.iret && number !== HYPERCALL.multicall);
  const head = wordsOf(c, placement, HEAD);
  const laid = Array.from({ length: inside.length === 0 ? 0 : batches }, () =>
    batchOf(c, [head, ...Array.from({ length: LEAST_ENTRIES - 1 + draw.below(ENTRY_COUNTS) }, () => draw.pick(inside))]),
  );
  const table = c.data.reserve(8 << RUN_BITS);
  const [next, end, done] = [c.label(), c.label(), c.label()];

  c.load('rbx', 0);
  a.op('mov32', R.r14d, imm(draws));
  a.op('mov32', R.r15d, imm(seed));
  a.label(next);
  a.op('imul', R.r15d, R.r15d, imm(MULTIPLIER));
  a.op('add', R.r15d, imm(INCREMENT));
  a.op('mov', R.eax, R.r15d);
  a.op('shr', R.eax, imm(32 - RUN_BITS));
  a.op('mov', EBP, memory({ size: 32, index: 0, scale: 8, disp: table }));
  a.op('mov', R.r13d, memory({ size: 32, index: 0, scale: 8, disp: table + 4 }));
  a.op('jmp', via(64, 'rbp'));
  a.label(end);
  a.op('sub', R.r14d, R.r13d);
  a.op('jg', addressOf(next));
  a.op('jmp', addressOf(done));
  const singles = ready.map((call) => single(c, call));
  const multicalls = laid.map((batch) => multicall(c, batch));
  layRuns(c, draw, singles, multicalls, end, table);
  a.label(done);
};
