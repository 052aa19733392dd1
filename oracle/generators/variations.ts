/**
 * Programs that begin from what somebody has written: conformance scripts, each of which leads to a rare place, put together and changed a little. What
 * a number may become are edges, its neighbours and the other numbers of the same scripts.
 */
import fc from 'fast-check';
import { LAYOUTS } from '#spec/abi/layouts.ts';
import type { Argument, Call, Program, Step, Value } from '#spec/program.ts';
import { Random } from './random.ts';

/** A step that ends the program would leave nothing to those behind it. */
const ends = ({ do: kind }: Step): boolean => kind === 'end';
/** What a program may hold (spec/program.ts), and what it should: long ones tell little more. */
const [MOST_STEPS, MOST_ID] = [400, 9999];
const MOST_CHANGES = 6;
/** A script among so many is left as it is: time and turns differ. */
const UNCHANGED = 4;

type Numbers = readonly (number | string)[];

/** Every number that stands in the scripts: an index, a size or a flag that means something to one call may mean something to another. */
const numbersIn = (value: unknown, found: Set<number | string> = new Set()): Set<number | string> => {
  if (typeof value === 'number' || (typeof value === 'string' && /^0x[0-9a-f]{1,16}$/.test(value))) found.add(value);
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) if (key !== 'id' && key !== 'step') numbersIn(inner, found);
  return found;
};

class Variation {
  private readonly r: Random;
  private readonly numbers: Numbers;

  constructor(r: Random, numbers: Numbers) {
    this.r = r;
    this.numbers = numbers;
  }

  private number(old: number | string): number | string {
    const { r } = this;
    switch (r.int(0, 5)) {
      case 0:
        return r.word();
      case 1:
        return near(old, BigInt(r.int(-2, 2)));
      case 2:
        return hexOf(BigInt.asUintN(64, BigInt(old) ^ (1n << BigInt(r.int(0, r.one(2) ? 63 : 15)))));
      default:
        return r.pick(this.numbers);
    }
  }

  private value(value: Value): Value {
    if (typeof value !== 'object') return this.number(value);
    if ('page' in value && this.r.one(2))
      return { ...value, page: this.r.one(4) ? this.r.pick(['l4', 'l3', 'l2', 'l1'] as const) : this.r.int(0, 15) };
    if ('page' in value && value.as === 'pte')
      return { ...value, flags: Number(BigInt.asUintN(12, BigInt(this.number(value.flags ?? 0)))) };
    if ('page' in value) return { ...value, plus: this.r.pick([1, 2, 4, 8, 0x10, 0xff8, 0xfff, 0x1000, -1, -8]) };
    return this.r.one(3) ? this.r.pick(this.numbers) : value;
  }

  argument(argument: Argument): Argument {
    const { r } = this;
    // An address that leads nowhere.
    if (typeof argument === 'object' && r.one(12)) return r.pick([0, '0xffff830000000000', '0x800000000000', '0x7fffffffffff', 0x1000]);
    if (typeof argument !== 'object') return this.number(argument);
    if ('struct' in argument) return this.struct(argument);
    if ('structs' in argument) return { ...argument, structs: this.list(argument.structs, (one) => this.struct(one)) };
    if ('calls' in argument) return { ...argument, calls: this.list(argument.calls, (one) => this.call(one)) };
    if ('array' in argument) return { ...argument, array: this.list(argument.array, (one) => this.value(one)) };
    if ('buffer' in argument) return { ...argument, buffer: Math.min(8192, Math.max(1, argument.buffer + r.int(-8, 8))) };
    if ('text' in argument) return { text: argument.text.slice(0, r.int(0, argument.text.length)) };
    return this.value(argument);
  }

  private struct<S extends Extract<Argument, { struct: unknown }>>(argument: S): S {
    const { r } = this;
    const known = Object.keys(LAYOUTS[argument.struct].fields);
    const given = Object.keys(argument.fields);
    const name = r.pick(given.length === 0 || r.one(8) ? known : given);
    return { ...argument, fields: { ...argument.fields, [name]: this.argument(argument.fields[name] ?? 0) } };
  }

  /** One changed, doubled or left out. */
  private list<T>(all: readonly T[], change: (one: T) => T): T[] {
    if (all.length === 0) return [];
    const at = this.r.int(0, all.length - 1);
    if (all.length > 1 && this.r.one(6)) return all.filter((_, i) => i !== at);
    if (all.length < 100 && this.r.one(6)) return [...all.slice(0, at), all[at]!, ...all.slice(at)];
    return all.map((one, i) => (i === at ? change(one) : one));
  }

  call<T extends Call>(call: T): T {
    if (call.args.length === 0) return call;
    const at = this.r.int(0, call.args.length - 1);
    return { ...call, args: call.args.map((argument, i) => (i === at ? this.argument(argument) : argument)) };
  }

  step(step: Step): Step {
    const { r } = this;
    switch (step.do) {
      case 'hypercall':
        return r.one(10) ? { ...step, via: step.via === 'page' ? 'syscall' : 'page' } : this.call(step);
      case 'calls':
        return { ...step, calls: this.list(step.calls, (one) => this.call(one)) };
      case 'initialise':
        return step.words?.length
          ? { ...step, words: this.list(step.words, (one) => ({ ...one, value: this.value(one.value) })).slice(0, 8) }
          : step;
      case 'access':
        if (step.value !== undefined && r.one(2)) return { ...step, value: this.value(step.value) };
        return r.one(3) ? { ...step, size: r.pick([1, 2, 4, 8] as const) } : { ...step, at: this.value(step.at) };
      case 'code': {
        const names = Object.keys(step.regs ?? {}) as (keyof NonNullable<typeof step.regs>)[];
        if (names.length === 0) return { ...step, flags: r.int(0, 0xfff) & ~0x300 };
        const name = r.pick(names);
        return { ...step, regs: { ...step.regs, [name]: this.value(step.regs![name]!) } };
      }
      case 'grant_entry':
        return r.one(2) ? { ...step, flags: r.int(0, 0xffff) } : { ...step, frame: this.value(step.frame) };
      case 'port':
        return { ...step, mask: r.one(2), pending: r.one(2) };
      default:
        return step;
    }
  }

  steps(steps: readonly Step[]): Step[] {
    const { r } = this;
    const at = r.int(0, steps.length - 1);
    const [one, all] = [steps[at]!, [...steps]];
    switch (r.int(0, 9)) {
      case 0:
        all.splice(at, 1);
        break;
      case 1:
        all.splice(r.int(0, all.length - 1), 0, one);
        break;
      case 2:
        all.splice(at, 1);
        all.splice(r.int(0, all.length), 0, one);
        break;
      default:
        all[at] = this.step(one);
    }
    return all.length === 0 ? [...steps] : all;
  }
}

const hexOf = (value: bigint): string => `0x${value.toString(16)}`;
const near = (old: number | string, by: bigint): string => hexOf(BigInt.asUintN(64, BigInt(old) + by));

/** Steps whose numbers begin at `from`; what names a step names it still. */
const renumbered = (steps: readonly Step[], from: number): readonly Step[] => {
  const names = new Map(steps.map(({ id }, i) => [id, from + i]));
  const renamed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(renamed);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, key === 'step' ? (names.get(inner as number) ?? MOST_ID) : renamed(inner)]),
    );
  };
  return steps.map((step, i) => ({ ...(renamed(step) as Step), id: from + i }));
};

/** Doubled steps get numbers of their own; the first of them keeps its own, which others name. */
const numbered = (steps: readonly Step[]): readonly Step[] => {
  const taken = new Set<number>();
  let next = steps.reduce((most, { id }) => Math.max(most, id), 0);
  return steps.map((step) => {
    const id = taken.has(step.id) ? ++next : step.id;
    taken.add(id);
    return { ...step, id };
  });
};

const vary = (r: Random, scripts: readonly Program[]): Program => {
  const first = r.pick(scripts);
  const joined = r.one(3) ? [first, r.pick(scripts)] : [first];
  const parts = joined.map(({ steps }, i) =>
    renumbered(i < joined.length - 1 ? steps.filter((step) => !ends(step)) : steps, i * MOST_STEPS),
  );
  let steps: readonly Step[] = parts.flat().slice(0, MOST_STEPS);
  const variation = new Variation(r, [...numbersIn(joined)]);
  if (steps.length > 0 && !r.one(UNCHANGED)) for (let n = r.int(1, MOST_CHANGES); n > 0; n--) steps = numbered(variation.steps(steps));
  return { steps: [...steps], ...(joined.some(({ vcpus }) => vcpus === 2) ? { vcpus: 2 as const } : {}) };
};

class Variations extends fc.Arbitrary<Program> {
  private readonly scripts: readonly Program[];
  constructor(scripts: readonly Program[]) {
    super();
    this.scripts = scripts;
  }
  override generate(source: fc.Random): fc.Value<Program> {
    return new fc.Value(vary(new Random(source), this.scripts), undefined);
  }
  override canShrinkWithoutContext(_: unknown): _ is Program {
    return false;
  }
  /** Programs are made smaller by shrinkProgram. */
  override shrink(): fc.Stream<fc.Value<Program>> {
    return fc.Stream.nil();
  }
}

/** The variation of a seed. `scripts`: at least one. */
export const variedProgram = (seed: number, scripts: readonly Program[]): Program => {
  const [program] = fc.sample(new Variations(scripts), { seed, numRuns: 1 });
  return program as Program;
};
