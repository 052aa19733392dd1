/** Smaller programs of the same kind. Names of results whose step is gone become literals when the program is compiled. */
import type { Argument, Instruction, Program, Step, Value } from '#spec/program.ts';
import { LEAST_PIECES } from '../image/compile/drawn.ts';
import { unrolled } from '../image/compile/unrolled.ts';
import { withLowerPorts } from './shrink_ports.ts';

type CodeStep = Extract<Step, { do: 'code' }>;

/** The program without the steps at [from, from + count). */
const without = (program: Program, from: number, count: number): Program => ({
  ...program,
  steps: program.steps.filter((_, i) => i < from || i >= from + count),
});

const replace = (program: Program, index: number, step: Step): Program => ({
  ...program,
  steps: program.steps.map((s, i) => (i === index ? step : s)),
});

/** The block without one instruction; branches behind it move along. */
const withoutInstructions = (code: readonly Instruction[], from: number, count: number): Instruction[] =>
  code
    .filter((_, i) => i < from || i >= from + count)
    .map((i) => {
      if (!('op' in i)) return i;
      return {
        op: i.op,
        args: i.args.map((arg) => (typeof arg === 'object' && 'to' in arg && arg.to > from ? { to: Math.max(from, arg.to - count) } : arg)),
      };
    });

/** Without a branch that would go back for ever: a loop needs its counter. */
const terminates = (code: readonly Instruction[]): boolean =>
  code.every(
    (i, n) =>
      !('op' in i) ||
      i.args.every((arg) => typeof arg !== 'object' || !('to' in arg) || arg.to > n || (arg.to > 0 && countsDown(code, n, arg.to))),
  );
const countsDown = (code: readonly Instruction[], n: number, to: number): boolean => {
  const before = code[to - 1];
  const branch = code[n];
  return 'op' in branch && branch.op.startsWith('loop') && 'op' in before && before.op === 'mov' && before.args[0] === 'ecx';
};

function* simplerCode(step: CodeStep): IterableIterator<Step> {
  for (let size = step.code.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from < step.code.length; from += size) {
      const code = withoutInstructions(step.code, from, Math.min(size, step.code.length - from));
      if (terminates(code)) yield { ...step, code };
    }
  }
  for (const name of Object.keys(step.regs ?? {}) as (keyof NonNullable<CodeStep['regs']>)[]) {
    const { [name]: _, ...regs } = step.regs ?? {};
    yield { ...step, regs };
  }
  if (step.flags) yield { ...step, flags: 0 };
  if (step.mode === 'user') {
    const { mode: _mode, back: _back, ...kernel } = step;
    yield kernel;
  }
}

/** Arguments with fewer elements, or 0 for a number. */
function* simplerArgument(argument: Argument): IterableIterator<Argument> {
  if (typeof argument !== 'object') {
    if (BigInt(argument) !== 0n) yield 0;
  } else if ('structs' in argument) {
    if (argument.structs.length > 1)
      for (let i = 0; i < argument.structs.length; i++) yield { ...argument, structs: argument.structs.filter((_, n) => n !== i) };
  } else if ('calls' in argument) {
    if (argument.calls.length > 1)
      for (let i = 0; i < argument.calls.length; i++) yield { calls: argument.calls.filter((_, n) => n !== i) };
  } else if ('array' in argument) {
    if (argument.array.length > 1) yield { ...argument, array: argument.array.slice(0, -1) };
  }
}

const lengthOf = (argument: Argument | undefined): number | undefined =>
  typeof argument !== 'object'
    ? undefined
    : 'structs' in argument
      ? argument.structs.length
      : 'calls' in argument
        ? argument.calls.length
        : undefined;

function* simplerCall(step: Extract<Step, { do: 'hypercall' }>): IterableIterator<Step> {
  for (let i = 0; i < step.args.length; i++) {
    for (const smaller of simplerArgument(step.args[i])) {
      // The count that goes with an array follows it.
      const before = lengthOf(step.args[i]);
      const after = lengthOf(smaller);
      const args = step.args.map(
        (a, n): Argument => (n === i ? smaller : before !== undefined && after !== undefined && a === before ? after : a),
      );
      yield { ...step, args };
    }
  }
  if (step.via === 'page') {
    const { via: _, ...plain } = step;
    yield plain;
  }
  if (step.vcpu) {
    const { vcpu: _, ...plain } = step;
    yield plain;
  }
}

/** Draws that are told one by one: so many in a step, and in so many steps at most. */
const MOST_UNROLLED = 200;
const MOST_CHUNKS = 20;

/** A step of more draws than one step tells, as steps of listed calls: then those in the midst can go as well. */
function* inChunks(program: Program): IterableIterator<Program> {
  for (const [i, step] of program.steps.entries()) {
    const { draws = 0 } = step.do === 'calls' ? step : {};
    if (step.do !== 'calls' || draws <= MOST_UNROLLED || draws > MOST_UNROLLED * MOST_CHUNKS) continue;
    const { draws: _draws, seed: _seed, batches: _batches, ...listed } = step;
    const calls = unrolled(step);
    const next = Math.max(...program.steps.map(({ id }) => id)) + 1;
    const chunks = Array.from(
      { length: Math.ceil(calls.length / MOST_UNROLLED) },
      (_, n): Step => ({ ...listed, id: next + n, calls: calls.slice(n * MOST_UNROLLED, (n + 1) * MOST_UNROLLED) }),
    );
    if (next + chunks.length <= 9999) yield { ...program, steps: program.steps.flatMap((s, n) => (n === i ? chunks : [s])) };
  }
}

/** As often as it takes for a call to find in its arguments what Xen left there the time before. */
const AGAIN = LEAST_PIECES;

/** Fewer draws, then fewer calls to draw from; drawn calls may become listed ones. */
function* simplerCalls(step: Extract<Step, { do: 'calls' }>): IterableIterator<Step> {
  const { calls, draws } = step;
  if (draws !== undefined) {
    const { draws: _, seed: _seed, batches, ...listed } = step;
    yield listed;
    if (batches) yield { ...listed, draws, ...(_seed === undefined ? {} : { seed: _seed }) };
    for (let less = draws >> 1; less >= 1; less >>= 1) yield { ...step, draws: draws - less };
    // A drawn call cannot go without others taking its place; a listed one can.
    if (draws <= MOST_UNROLLED) yield { ...listed, calls: [...unrolled(step)] };
    // Listed calls have arguments of their own each time; a drawn one has those that Xen wrote to.
    if (draws > AGAIN) for (const call of calls) yield { ...listed, calls: [call], draws: AGAIN, seed: _seed };
  }
  for (let size = calls.length >> 1; size >= 1; size >>= 1)
    for (let from = 0; from < calls.length; from += size) {
      const rest = calls.filter((_, i) => i < from || i >= from + size);
      if (rest.length > 0) yield { ...step, calls: rest };
    }
  for (const [i, call] of calls.entries())
    for (const [n, argument] of call.args.entries())
      for (const simpler of simplerArgument(argument)) {
        const args = call.args.map((a, k) => (k === n ? simpler : a));
        yield { ...step, calls: calls.map((c, k) => (k === i ? { ...c, args } : c)) };
      }
}

function* simplerStep(step: Step): IterableIterator<Step> {
  if (step.do === 'code') yield* simplerCode(step);
  else if (step.do === 'hypercall') yield* simplerCall(step);
  else if (step.do === 'calls') yield* simplerCalls(step);
  else if (step.do === 'initialise' && step.words) {
    for (let i = 0; i < step.words.length; i++) yield { ...step, words: step.words.filter((_, n) => n !== i) };
  } else if (step.do === 'access' && step.mode === 'user') {
    const { mode: _, ...kernel } = step;
    yield kernel;
  } else if (step.do === 'wait' && (step.ports?.length ?? 0) > 0) yield { ...step, ports: step.ports?.slice(1) ?? ([] as Value[]) };
}

/** Programs that are a little smaller, the boldest first: without a part of the steps, without one, with one made simpler. */
export function* simplifications(program: Program): IterableIterator<Program> {
  const { length } = program.steps;
  for (let size = length >> 1; size >= 1; size >>= 1) {
    for (let from = length - size; from >= 0; from -= size) yield without(program, from, size);
    if (length % size !== 0) yield without(program, 0, length % size);
  }
  yield* withLowerPorts(program);
  for (let i = 0; i < length; i++) for (const step of simplerStep(program.steps[i])) yield replace(program, i, step);
  yield* inChunks(program);
}

/** What two programs are told apart by. */
const text = (program: Program): string => JSON.stringify(program);

/**
 * Make a failing program as small as can be: take the first simplification that still fails, until none does. `stillFails` is
 * asked at most `budget` times.
 */
export const shrinkProgram = (program: Program, stillFails: (candidate: Program) => boolean, budget = 2000): Program => {
  let smallest = program;
  const tried = new Set<string>();
  for (let spent = 0; spent < budget; ) {
    let better: Program | undefined;
    for (const candidate of simplifications(smallest)) {
      const key = text(candidate);
      if (tried.has(key)) continue;
      tried.add(key);
      if (++spent > budget) break;
      if (stillFails(candidate)) {
        better = candidate;
        break;
      }
    }
    if (!better) break;
    smallest = better;
  }
  return smallest;
};
