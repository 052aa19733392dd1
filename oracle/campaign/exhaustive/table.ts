/**
 * Every state found so far, in order of finding, in memory that worker threads share: numbers of states in an open hash table, the queue of
 * them, and for each the place in the queue of the state it was found from.
 */

const EMPTY = 0;
const BUSY = 1;
const TAKEN = 2;

/** Places of counters. */
const FOUND = 0;
const CURSOR = 1;

export type TableMemory = {
  readonly capacity: number;
  readonly flags: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly states: SharedArrayBuffer;
  readonly parents: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
};

/** `most`: states that it must hold. */
export const tableMemory = (most: number): TableMemory => {
  let capacity = 1024;
  while (capacity < most * 1.5) capacity *= 2;
  const shared = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(bytes);
  return {
    capacity,
    ...{ flags: shared(capacity * 4), slots: shared(capacity * 8), states: shared((most + 1) * 8), parents: shared((most + 1) * 4) },
    counters: shared(8),
  };
};

export class StateTable {
  private readonly flags: Int32Array;
  private readonly slots: Float64Array;
  readonly states: Float64Array;
  readonly parents: Int32Array;
  private readonly counters: Int32Array;
  private readonly mask: number;
  readonly most: number;
  constructor(memory: TableMemory) {
    this.flags = new Int32Array(memory.flags);
    this.slots = new Float64Array(memory.slots);
    this.states = new Float64Array(memory.states);
    this.parents = new Int32Array(memory.parents);
    this.counters = new Int32Array(memory.counters);
    this.mask = memory.capacity - 1;
    this.most = this.states.length - 1;
  }
  /** States found so far. */
  get found(): number {
    return Math.min(Atomics.load(this.counters, FOUND), this.most);
  }
  get isFull(): boolean {
    return Atomics.load(this.counters, FOUND) >= this.most;
  }
  /** Add a state; false when it is there, or when there is no room for it. `parent`: place in the queue, -1 = none. */
  add(state: number, parent: number): boolean {
    for (let slot = this.hash(state); ; slot = (slot + 1) & this.mask) {
      const flag = Atomics.compareExchange(this.flags, slot, EMPTY, BUSY);
      if (flag === EMPTY) {
        this.slots[slot] = state;
        Atomics.store(this.flags, slot, TAKEN);
        return this.enqueue(state, parent);
      }
      while (Atomics.load(this.flags, slot) === BUSY);
      if (this.slots[slot] === state) return false;
    }
  }
  private enqueue(state: number, parent: number): boolean {
    if (this.isFull) return false;
    const at = Atomics.add(this.counters, FOUND, 1);
    if (at >= this.most) return false;
    this.states[at] = state;
    this.parents[at] = parent;
    return true;
  }
  private hash(state: number): number {
    let h = Math.imul(state | 0, 0x9e3779b1) ^ Math.imul(Math.floor(state / 0x100000000) | 0, 0x85ebca6b);
    h ^= h >>> 15;
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
