/** What dense programs draw their calls from. */
import type { HypercallName } from '#spec/abi/hypercall.ts';
import type { Argument, Call, Step } from '#spec/program.ts';
import { type DomainKind, isAnswered } from '../operations/index.ts';
import type { Generation } from '../state.ts';

/** A theme: steps that prepare the domain, and calls that mean something to one another. */
export type Theme = {
  readonly name: string;
  readonly weight: number;
  /** Rows of the matrix without which it says nothing. */
  readonly needs: readonly string[];
  /** Whose calls they are, when no other domain makes them. */
  readonly only?: DomainKind;
  readonly prepare: (g: Generation) => readonly Step[];
  /** One call of those to draw from; null when the caller's matrix has none like it. */
  readonly call: (g: Generation, caller: DomainKind) => Call | null;
};

/** A way to make a call, and the row that both engines must answer for it. */
export type Maker = { readonly weight: number; readonly row: string; readonly make: (g: Generation) => Call };

export const call = (name: HypercallName | number, ...args: readonly Argument[]): Call => ({ call: name, args });

/** Pages that the calls of one table are about: few, so that among the calls there is what brings a page back from where another call took it. */
const focus = new WeakMap<Generation, readonly number[]>();
const FOCUSED = 3;
export const focusOn = (g: Generation, pages: readonly number[]): void => {
  focus.set(
    g,
    Array.from({ length: FOCUSED }, () => g.r.pick(pages)),
  );
};
/** One of these pages, and most of the time one of the few. */
export const focused = (g: Generation, pages: readonly number[]): number => g.r.pick(g.r.one(5) ? pages : (focus.get(g) ?? pages));

/** One of those whose row is answered. */
export const oneOf =
  (makers: readonly Maker[]) =>
  (g: Generation, caller: DomainKind): Call | null => {
    const possible = makers.filter(({ row }) => isAnswered(row, caller));
    return possible.length === 0 ? null : g.r.weighted(possible).make(g);
  };
