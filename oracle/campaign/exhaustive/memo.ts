/**
 * What a transition comes to, remembered by the part of the state that it looked at: a tree of questions. Each asks for the value of a slot, in
 * the order in which the transition asks, and since the transition is a pure function, equal answers lead to the same question or to the end.
 */
import { ModelBug } from '#spec/failure.ts';
import type { Values } from './slots.ts';

class Question<T> {
  /** −1: nothing is asked, `outcome` is the end. */
  readonly slot: number;
  readonly next: (Question<T> | null)[];
  readonly outcome: T | null;
  constructor(slot: number, size: number, outcome: T | null) {
    this.slot = slot;
    this.next = new Array<Question<T> | null>(size).fill(null);
    this.outcome = outcome;
  }
}

export class Memo<T> {
  private root: Question<T> | null = null;
  private readonly sizes: readonly number[];
  /** How many ends it knows. */
  count = 0;
  constructor(sizes: readonly number[]) {
    this.sizes = sizes;
  }

  /** Null: no state with these answers was seen yet. */
  look(values: Values): T | null {
    let at = this.root;
    while (at !== null) {
      if (at.slot < 0) return at.outcome;
      at = at.next[values[at.slot]!]!;
    }
    return null;
  }

  /** `asked`: the slots that were looked at, in order, each once. */
  learn(values: Values, asked: readonly number[], outcome: T): void {
    this.count++;
    const place = (n: number): Question<T> =>
      n === asked.length ? new Question<T>(-1, 0, outcome) : new Question<T>(asked[n]!, this.sizes[asked[n]!]!, null);
    this.root ??= place(0);
    let at = this.root;
    for (let n = 0; n < asked.length; n++) {
      if (at.slot !== asked[n]) throw new ModelBug(`a transition asked for slot ${asked[n]} where it asked for ${at.slot} before`);
      at = at.next[values[at.slot]!] ??= place(n + 1);
    }
    if (at.slot >= 0) throw new ModelBug('a transition asked for less than before');
  }
}
