/**
 * Every state found so far, in order of finding, in memory that worker threads share: the states' words as they are (no digest stands for them),
 * an open hash table of their places, and for each the place of the state it was found from.
 */

const EMPTY = 0;
const BUSY = -1;

/** Places of counters. */
const FOUND = 0;
const CURSOR = 1;

export type TableMemory = {
  readonly words: number;
  readonly capacity: number;
  /** Place plus 1 of the state that hangs here. */
  readonly slots: SharedArrayBuffer;
  readonly states: SharedArrayBuffer;
  readonly parents: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
};

/** `most`: states that it must hold, of so many words each. */
export const tableMemory = (most: number, words: number): TableMemory => {
  let capacity = 1024;
  while (capacity < most * 1.5) capacity *= 2;
  const shared = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(bytes);
  return {
    ...{ words, capacity, slots: shared(capacity * 4), states: shared((most + 1) * words * 4), parents: shared((most + 1) * 4) },
    counters: shared(8),
  };
};

export class StateTable {
  private readonly slots: Int32Array;
  /** Words of the states, one state behind the other. */
  readonly states: Int32Array;
  readonly parents: Int32Array;
  private readonly counters: Int32Array;
  private readonly mask: number;
  readonly words: number;
  readonly most: number;
  constructor(memory: TableMemory) {
    this.slots = new Int32Array(memory.slots);
    this.states = new Int32Array(memory.states);
    this.parents = new Int32Array(memory.parents);
    this.counters = new Int32Array(memory.counters);
    this.mask = memory.capacity - 1;
    this.words = memory.words;
    this.most = this.parents.length - 1;
  }
  /** States found so far. */
  get found(): number {
    return Math.min(Atomics.load(this.counters, FOUND), this.most);
  }
  get isFull(): boolean {
    return Atomics.load(this.counters, FOUND) >= this.most;
  }
  /** Add the state whose words begin at `from`; false when it is there, or when there is no room for it. `parent`: a place, -1 = none. */
  add(state: Int32Array, from: number, parent: number): boolean {
    for (let slot = this.hash(state, from); ; slot = (slot + 1) & this.mask) {
      let place = Atomics.load(this.slots, slot);
      if (place === EMPTY) {
        place = Atomics.compareExchange(this.slots, slot, EMPTY, BUSY);
        if (place === EMPTY) return this.enqueue(slot, state, from, parent);
      }
      while (place === BUSY) place = Atomics.load(this.slots, slot);
      if (place === EMPTY) return false;
      if (this.isAt(place - 1, state, from)) return false;
    }
  }
  private isAt(place: number, state: Int32Array, from: number): boolean {
    const at = place * this.words;
    for (let w = 0; w < this.words; w++) if (this.states[at + w] !== state[from + w]) return false;
    return true;
  }
  private enqueue(slot: number, state: Int32Array, from: number, parent: number): boolean {
    const at = this.isFull ? this.most : Atomics.add(this.counters, FOUND, 1);
    if (at >= this.most) {
      Atomics.store(this.slots, slot, EMPTY);
      return false;
    }
    for (let w = 0; w < this.words; w++) this.states[at * this.words + w] = state[from + w]!;
    this.parents[at] = parent;
    Atomics.store(this.slots, slot, at + 1);
    return true;
  }
  private hash(state: Int32Array, from: number): number {
    let h = 0x2545f491;
    for (let w = 0; w < this.words; w++) {
      h = Math.imul(h ^ state[from + w]!, 0x9e3779b1);
      h ^= h >>> 15;
    }
    h = Math.imul(h, 0x2c1b3c6d);
    return (h ^ (h >>> 13)) & this.mask;
  }
  startAt(place: number): void {
    Atomics.store(this.counters, CURSOR, place);
  }
  /** The next `count` places of the queue for whoever asks. */
  take(count: number): number {
    return Atomics.add(this.counters, CURSOR, count);
  }
}
