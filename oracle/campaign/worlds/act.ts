/** What a guest does: one act is what it puts into memory and the hypercall that it makes then. */
import type { HypercallName } from '#spec/abi/hypercall.ts';
import type { Layout } from '#spec/abi/layout.ts';
import { type Code, enter, keep, load, store, storePart, type Word } from './code.ts';
import { VA } from './layout.ts';

export type Store = readonly [address: number, value: Word, keeps?: bigint];
export type Act = {
  /** What it is, for people. */
  readonly name: string;
  readonly call: HypercallName;
  readonly args: readonly Word[];
  /** Code before anything else. */
  readonly before?: Code;
  /** Words that are stored then; of some the bits of `keeps` stay as they are. */
  readonly stores: readonly Store[];
  /** Code behind that. */
  readonly code?: Code;
  /** Code between the loads of its arguments and the call. */
  readonly last?: Code;
  /** The other domains that it names, by place; absent: it may have to do with all, by what they share. */
  readonly names?: readonly number[];
};

const ALL = 0xffff_ffff_ffff_ffffn;
/** The words of a structure. What is not the caller's to say, padding and answers, stays as it is. */
export const struct = (layout: Layout, fields: Readonly<Record<string, Word>>, address: number = VA.data): readonly Store[] => {
  const words = Array.from({ length: Math.ceil(layout.size / 8) }, () => ({ value: 0n, keeps: ALL }));
  for (const [name, { at, size, dir }] of Object.entries(layout.fields)) {
    const word = words[at >> 3]!;
    const [bits, shift] = [8 * Math.min(size, 8), BigInt(8 * (at & 7))];
    if (dir !== 'out') word.keeps &= ~(BigInt.asUintN(bits, ALL) << shift);
    word.value |= BigInt.asUintN(bits, BigInt(fields[name] ?? 0)) << shift;
  }
  return words.flatMap(({ value, keeps }, i): Store[] =>
    keeps === ALL ? [] : [[address + 8 * i, BigInt.asUintN(64, value), keeps & ALL]],
  );
};

/** Where the answer of act `index` is kept. */
const resultOf = (index: number): number => VA.results + 8 * (index % 512);

/** As many instructions as the act, but its call asks for Xen's version. */
export const placebo = (act: Act): Act => ({ ...act, name: `${act.name}, left out`, call: 'xen_version', args: act.args.map(() => 0) });

export const storing = (stores: readonly Store[]): Code =>
  stores.flatMap(([address, value, keeps = 0n]) => (keeps === 0n ? store(address, value) : storePart(address, value, keeps)));

export const codeOf = ({ call: name, args, before = [], stores, code = [], last = [] }: Act, index: number): Code => [
  ...before,
  ...storing(stores),
  ...code,
  ...load(args),
  ...last,
  ...enter(name),
  ...keep(resultOf(index)),
];
