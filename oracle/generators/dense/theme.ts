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
  readonly prepare: (g: Generation) => readonly Step[];
  /** One call of those to draw from; null when the caller's matrix has none like it. */
  readonly call: (g: Generation, caller: DomainKind) => Call | null;
};

/** A way to make a call, and the row that both engines must answer for it. */
export type Maker = { readonly weight: number; readonly row: string; readonly make: (g: Generation) => Call };

export const call = (name: HypercallName | number, ...args: readonly Argument[]): Call => ({ call: name, args });

/** One of those whose row is answered. */
export const oneOf =
  (makers: readonly Maker[]) =>
  (g: Generation, caller: DomainKind): Call | null => {
    const possible = makers.filter(({ row }) => isAnswered(row, caller));
    return possible.length === 0 ? null : g.r.weighted(possible).make(g);
  };
