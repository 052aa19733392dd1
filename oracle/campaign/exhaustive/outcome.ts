/** What transitions come to, worked out by the model once for each part of a state that they look at. */
import { ModelBug } from '#spec/failure.ts';
import type { Action, Core } from './core.ts';
import { Memo } from './memo.ts';
import { type Packing, packingOf, type Values } from './slots.ts';

/** It cannot happen here; it changes nothing; it leads beyond the scope; it leads to a state. */
export const [NEVER, SAME, CUT, CHANGE] = [0, 1, 2, 3] as const;

export type Outcome = {
  readonly kind: 0 | 1 | 2 | 3;
  /** What does not hold of the transition, or the model's error. */
  readonly wrong: string | null;
  /** Of the first word, for the state and then for its other names, then of the next word: the bits that change, and what they become. */
  readonly masks: Int32Array;
  readonly bits: Int32Array;
};

/** The line of an error: a model that throws breaks the rule that it never does. */
export const lineOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));

/** One in so many remembered outcomes is worked out again, and must be the same. */
const RECHECK = 1 << 15;

export class Outcomes {
  readonly core: Core;
  readonly packing: Packing;
  /** Clauses cited so far. */
  readonly cited = new Set<string>();
  private readonly memos: readonly Memo<Outcome>[];
  private readonly after: Values;
  private looked = 0;
  constructor(core: Core) {
    this.core = core;
    this.packing = packingOf(core.slots);
    const sizes = core.slots.map(({ size }) => size);
    this.memos = core.actions.map(() => new Memo<Outcome>(sizes));
    this.after = new Int32Array(core.slots.length);
  }

  /** How often the model was asked. */
  get worked(): number {
    return this.memos.reduce((sum, { count }) => sum + count, 0);
  }

  /** Of action number `a`. */
  of(values: Values, a: number): Outcome {
    const known = this.memos[a]!.look(values);
    if (known === null) return this.learn(values, a);
    if (++this.looked % RECHECK === 0) this.recheck(values, a, known);
    return known;
  }

  private learn(values: Values, a: number): Outcome {
    const action = this.core.actions[a]!;
    const { asked, error } = this.asked(values, action);
    const outcome = this.workOut(values, action);
    if (error !== null && error !== outcome.wrong) throw new ModelBug(`${action.name}, when it was watched: ${error}`);
    this.memos[a]!.learn(values, asked, outcome);
    return outcome;
  }

  private recheck(values: Values, a: number, known: Outcome): void {
    const action = this.core.actions[a]!;
    const anew = this.workOut(values, action);
    const isSame = (left: Int32Array, right: Int32Array): boolean => left.every((word, w) => word === right[w]);
    // Bits that were the same before are not among those that change.
    const names = this.core.symmetries.length + 1;
    const becomes = (outcome: Outcome): Int32Array => {
      const words = new Int32Array(this.packing.words);
      this.packing.pack(values, words);
      return words.map((word, w) => (word & ~outcome.masks[w * names]!) | outcome.bits[w * names]!);
    };
    if (anew.kind !== known.kind || anew.wrong !== known.wrong || (known.kind === CHANGE && !isSame(becomes(anew), becomes(known))))
      throw new ModelBug(`${action.name} looked at something that it was not seen to look at`);
  }

  /** The slots that the action looks at in this state, in order. */
  private asked(values: Values, action: Action): { asked: readonly number[]; error: string | null } {
    const asked: number[] = [];
    const seen = new Uint8Array(values.length);
    const onTouch = (slot: number): void => {
      if (seen[slot] === 1) return;
      seen[slot] = 1;
      asked.push(slot);
    };
    const { machine, settle } = this.core.watch(values, onTouch);
    try {
      const after = action.apply(machine);
      if (after !== null && after !== machine) settle(after);
    } catch (error) {
      return { asked, error: lineOf(error) };
    }
    return { asked, error: null };
  }

  private workOut(values: Values, { apply, oversteps }: Action): Outcome {
    const nothing = { wrong: null, masks: NOTHING, bits: NOTHING } as const;
    try {
      const machine = this.core.decode(values);
      const after = apply(machine);
      if (after === null) return { kind: NEVER, ...nothing };
      for (const clause of (after.journal.clauses ?? []) as readonly string[]) this.cited.add(clause);
      if (after === machine) return { kind: SAME, ...nothing };
      if (!this.core.encode(after, this.after)) return { kind: CUT, ...nothing };
      const wrong = oversteps?.(machine, after) ?? null;
      return { kind: CHANGE, wrong, ...this.changes(values) };
    } catch (error) {
      return { kind: CHANGE, wrong: lineOf(error), masks: NOTHING, bits: NOTHING };
    }
  }

  /** From `values` to `this.after`. */
  private changes(values: Values): { masks: Int32Array; bits: Int32Array } {
    const { symmetries } = this.core;
    const { words, word, shift, mask } = this.packing;
    const names = symmetries.length + 1;
    const masks = new Int32Array(words * names);
    const bits = new Int32Array(masks.length);
    const change = (name: number, slot: number, value: number): void => {
      const at = word[slot]! * names + name;
      masks[at] = masks[at]! | mask[slot]!;
      bits[at] = bits[at]! | (value << shift[slot]!);
    };
    for (let s = 0; s < values.length; s++) {
      const value = this.after[s]!;
      if (value === values[s]) continue;
      if (value < 0 || value >= this.core.slots[s]!.size) throw new ModelBug(`${this.core.slots[s]!.name} has no value ${value}`);
      change(0, s, value);
      for (const [n, { slots, to }] of symmetries.entries()) change(n + 1, slots[s]!, to[s]![value]!);
    }
    return { masks, bits };
  }
}

const NOTHING = new Int32Array(0);
