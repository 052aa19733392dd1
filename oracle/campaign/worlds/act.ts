/** What a guest does: one act is what it puts into memory and the hypercall that it makes then. */
import type { HypercallName } from '#spec/abi/hypercall.ts';
import type { Layout } from '#spec/abi/layout.ts';
import { type Code, enter, keep, load, store, type Word } from './code.ts';
import { VA } from './layout.ts';

export type Act = {
  /** What it is, for people. */
  readonly name: string;
  readonly call: HypercallName;
  readonly args: readonly Word[];
  /** Words that are stored first. */
  readonly stores: readonly (readonly [address: number, value: Word])[];
  /** Code before the call. */
  readonly code?: Code;
  /** Code between the loads of its arguments and the call. */
  readonly last?: Code;
  /** The other domains that it names, by place; absent: it may have to do with all, by what they share. */
  readonly names?: readonly number[];
};

/** The words of a structure, padding and all. */
export const struct = (layout: Layout, fields: Readonly<Record<string, Word>>, address: number = VA.data): Act['stores'] => {
  const words = Array.from({ length: Math.ceil(layout.size / 8) }, () => 0n);
  for (const [name, value] of Object.entries(fields)) {
    const field = layout.fields[name];
    if (field === undefined) throw new RangeError(`no field ${name}`);
    const bits = BigInt.asUintN(8 * Math.min(field.size, 8), BigInt(value));
    words[field.at >> 3]! |= bits << BigInt(8 * (field.at & 7));
  }
  return words.map((word, i) => [address + 8 * i, BigInt.asUintN(64, word)] as const);
};

/** Where the answer of act `index` is kept. */
const resultOf = (index: number): number => VA.results + 8 * (index % 512);

/** As many instructions as the act, but its call asks for Xen's version. */
export const placebo = (act: Act): Act => ({ ...act, name: `${act.name}, left out`, call: 'xen_version', args: act.args.map(() => 0) });

export const codeOf = ({ call: name, args, stores, code = [], last = [] }: Act, index: number): Code => [
  ...stores.flatMap(([address, value]) => store(address, value)),
  ...code,
  ...load(args),
  ...last,
  ...enter(name),
  ...keep(resultOf(index)),
];
