/**
 * Sub-operations as data: for each a call that Xen carries out, and for every argument what makes it wrong. Generators draw calls from it, and
 * programs that are wrong in two ways at once are its pairs.
 */
import type { HypercallName } from '#spec/abi/hypercall.ts';
import type { Field, FieldKind } from '#spec/abi/layout.ts';
import { LAYOUTS, type LayoutName } from '#spec/abi/layouts.ts';
import type { Argument, Call, Step, Value } from '#spec/program.ts';

export type Args = readonly Argument[];
type Fields = Readonly<Record<string, Argument>>;
type Struct = { readonly struct: LayoutName; readonly fields: Fields };

/** One way to be wrong: which argument, in which manner, and the arguments with that mistake in them. */
export type Fault = { readonly argument: string; readonly manner: string; readonly apply: (args: Args) => Args };

export type Operation = {
  /** Its row in the matrix. */
  readonly row: string;
  readonly call: HypercallName | number;
  /** Nothing is wrong with them. */
  readonly args: Args;
  /** Other arguments that are right too. */
  readonly variants: readonly Args[];
  readonly faults: readonly Fault[];
  /** What is right does not come back, or takes away what the runtime lives on: only wrong calls are made. */
  readonly onlyWrong: boolean;
  /** What cannot stand in a list of calls: the steps that make the call. */
  readonly asStep?: AsStep;
};

/** A step that has neither number nor domain yet. */
export type StepDraft = Step extends infer S ? (S extends Step ? Omit<S, 'id' | 'domain'> : never) : never;
/** `asked`: the step whose line answers, at its `index`-th result. */
export type AsStep = (call: Call) => { readonly before: readonly StepDraft[]; readonly asked: StepDraft; readonly index?: number };

/** Values by the manner in which they are wrong. */
export type Manners = Readonly<Record<string, Argument>>;

/** Addresses where guests have nothing, which are not canonical, and which are Xen's. */
export const POINTERS = { unmapped: '0x10000', noncanonical: '0x800000000000', xen: '0xffff830000000000' } as const satisfies Manners;
const DOMIDS: Manners = { absent: 0x7fe0, nobody: 0x7ff4, io: 0x7ff1, xen: 0x7ff2 };

/** What is wrong in a field of each kind, whatever the operation. */
const BY_KIND: Readonly<Partial<Record<FieldKind, Manners>>> = {
  domid: DOMIDS,
  port: { zero: 0, closed: 4000, beyond: 0x20000 },
  vcpu: { absent: 1, beyond: '0xffffffff' },
  virq: { beyond: 24, far: '0xffffffff' },
  gref: { unused: 7, beyond: '0xffffffff' },
  handle: { unused: 1000, beyond: '0xffffffff' },
  mfn: { beyond: '0xfffffffff', huge: '0xffffffffffffffff', table: { page: 'l4', as: 'mfn' } },
  vaddr: { noncanonical: '0x800000000000', xen: '0xffff830000000000' },
  pointer: POINTERS,
  padding: { set: 1 },
  flags: { all: '0xffffffff' },
};

const replaceAt = (args: Args, index: number, value: Argument): Args => args.map((a, i) => (i === index ? value : a));

/** The argument takes these values instead. */
export const wrong = (index: number, argument: string, manners: Manners): readonly Fault[] =>
  Object.entries(manners).map(([manner, value]) => ({ argument, manner, apply: (args) => replaceAt(args, index, value) }));

const editStruct = (argument: Argument | undefined, edit: (fields: Fields) => Fields): Argument | undefined => {
  if (typeof argument !== 'object') return argument;
  if ('struct' in argument) return { ...argument, fields: edit(argument.fields) };
  if ('structs' in argument)
    return { ...argument, structs: argument.structs.map((s, i) => (i === 0 ? { ...s, fields: edit(s.fields) } : s)) };
  return argument;
};

/** A field of the structure (or first structure) that the argument points to takes these values; nothing where the pointer is wrong already. */
export const wrongField = (index: number, field: string, manners: Manners): readonly Fault[] =>
  Object.entries(manners).map(([manner, value]) => ({
    argument: field,
    manner,
    apply: (args) => {
      const edited = editStruct(args[index], (fields) => ({ ...fields, [field]: value }));
      return edited === undefined ? args : replaceAt(args, index, edited);
    },
  }));

/** A word of the array that the argument points to takes these values. */
export const wrongWord = (index: number, word: number, name: string, manners: Readonly<Record<string, Value>>): readonly Fault[] =>
  Object.entries(manners).map(([manner, value]) => ({
    argument: name,
    manner,
    apply: (args) => {
      const before = args[index];
      if (typeof before !== 'object' || !('array' in before)) return args;
      return replaceAt(args, index, { ...before, array: before.array.map((w, i) => (i === word ? value : w)) });
    },
  }));

const firstStruct = (argument: Argument): Struct | null =>
  typeof argument !== 'object' ? null : 'struct' in argument ? argument : 'structs' in argument ? (argument.structs[0] ?? null) : null;

/** What the kinds of a structure's fields say: every pointer, domain, port … may be wrong. `spared` fields are left alone. */
const automatic = (args: Args, spared: readonly string[]): readonly Fault[] =>
  args.flatMap((argument, index) => {
    if (typeof argument === 'object' && !('page' in argument) && !('handler' in argument)) {
      const pointer = wrong(index, `argument ${index}`, POINTERS);
      const struct = firstStruct(argument);
      if (!struct) return 'now' in argument ? [] : pointer;
      const fields = Object.entries(LAYOUTS[struct.struct].fields) as [string, Field][];
      return [
        ...pointer,
        ...fields.flatMap(([name, { kind, dir, size }]) =>
          dir === 'out' || size > 8 || spared.includes(name) ? [] : wrongField(index, name, BY_KIND[kind] ?? {}),
        ),
      ];
    }
    return [];
  });

type More = {
  readonly faults?: readonly (readonly Fault[])[];
  readonly variants?: readonly Args[];
  /** Fields whose kind says nothing here. */
  readonly spared?: readonly string[];
  readonly onlyWrong?: true;
};

/** An operation; what its fields' kinds make wrong is added to `faults`. */
export const operation = (row: string, args: Args, { faults = [], variants = [], spared = [], onlyWrong }: More = {}): Operation => ({
  row,
  call: row.split('/')[0] as HypercallName,
  args,
  variants,
  faults: [...faults.flat(), ...automatic(args, spared)],
  onlyWrong: onlyWrong ?? false,
});

export const struct = (name: LayoutName, fields: Fields = {}): Struct => ({ struct: name, fields });
export const callOf = ({ call }: Operation, args: Args): Call => ({ call, args });
export const va = (page: number, plus = 0): Value => ({ page, as: 'va', ...(plus === 0 ? {} : { plus }) });
export const mfn = (page: number): Value => ({ page, as: 'mfn' });

export type Mistaken = { readonly faults: readonly Fault[]; readonly call: Call };
const mistaken = (operation: Operation, faults: readonly Fault[]): Mistaken => ({
  faults,
  call: callOf(
    operation,
    faults.reduce((args, fault) => fault.apply(args), operation.args),
  ),
});
/** The operation with each of its faults alone. */
export const singles = (operation: Operation): readonly Mistaken[] => operation.faults.map((fault) => mistaken(operation, [fault]));
/** The operation with each two faults that do not hide one another. */
export const pairs = (operation: Operation): readonly Mistaken[] =>
  operation.faults.flatMap((first, i) =>
    operation.faults.slice(i + 1).flatMap((second) => {
      if (first.argument === second.argument) return [];
      // Where a pointer is wrong, a field behind it is not there to be wrong.
      const both = mistaken(operation, [first, second]);
      const reversed = mistaken(operation, [second, first]);
      return JSON.stringify(both.call) === JSON.stringify(reversed.call) && both.call.args.length > 0 && !hides(operation, first, second)
        ? [both]
        : [];
    }),
  );
const hides = (operation: Operation, first: Fault, second: Fault): boolean => {
  const both = JSON.stringify(second.apply(first.apply(operation.args)));
  return both === JSON.stringify(first.apply(operation.args)) || both === JSON.stringify(second.apply(operation.args));
};
