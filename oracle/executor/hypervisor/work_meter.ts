/** Counts work between two questions whether to stop. Chapter: spec/chapters/invariants.md, "Work". */
import { HYPERCALL, HYPERCALL_NAME, type HypercallName } from '#spec/abi/hypercall.ts';
import { callName, elementName, OUTSIDE, SHORT, type Stretch, WORK_KINDS } from '#spec/work.ts';

const NOTHING: readonly Stretch[] = [];
const KINDS = WORK_KINDS.length;

/** What a stretch belongs to, as one number: the call's own number, whether what selects the operation came from a list, and what that is. */
const NUMBERS = 128;
const COMMANDS = 4096;
const NO_CALL = 127;
const LISTED = 64;

const keyOf = (domid: number, number: number, command: number): number =>
  ((domid + 1) * COMMANDS + (command & (COMMANDS - 1))) * NUMBERS + number;

export class WorkMeter {
  /** By kind, since the last question; one bit for each kind that has some. */
  private readonly units = new Int32Array(KINDS);
  private used = 0;
  private domid = -1;
  private key = keyOf(-1, NO_CALL, 0);
  /** By key and kind. Few inputs have any that is worth telling. */
  private readonly longest = new Map<number, number>();

  /** `kind`: of WORK. */
  spend(kind: number, units = 1): void {
    this.units[kind]! += units;
    this.used |= 1 << kind;
  }

  /** A question is asked: what follows is a stretch of its own. */
  ask(): void {
    if (this.used !== 0) this.close();
  }

  private close(): void {
    for (let kind = 0; kind < KINDS; kind++) {
      const spent = this.units[kind]!;
      this.units[kind] = 0;
      const place = this.key * KINDS + kind;
      if (spent > SHORT && spent > (this.longest.get(place) ?? 0)) this.longest.set(place, spent);
    }
    this.used = 0;
  }

  /** A hypercall begins. */
  call(domid: number, number: number, first: number): void {
    this.ask();
    this.entry(domid, number, first);
  }

  /** An entry of a multicall begins, in a stretch that goes on. */
  entry(domid: number, number: number, first: number): void {
    this.domid = domid;
    this.key = keyOf(domid, number & (LISTED - 1), first);
  }

  /** Which operation of a call it is, as its list or structure says. */
  operation(call: HypercallName, command: number): void {
    this.key = keyOf(this.domid, HYPERCALL[call] + LISTED, command);
  }

  /** What follows is no hypercall's. */
  outside(domid: number): void {
    this.ask();
    this.key = keyOf(domid, NO_CALL, 0);
  }

  /** Of each call and kind the longest stretch since this was asked last. */
  take(): readonly Stretch[] {
    this.ask();
    this.key = keyOf(-1, NO_CALL, 0);
    if (this.longest.size === 0) return NOTHING;
    const told = new Map<string, Stretch>();
    for (const [place, units] of this.longest) {
      const stretch = stretchAt(place, units);
      const id = `${stretch.domid} ${stretch.call} ${stretch.kind}`;
      if (units > (told.get(id)?.units ?? 0)) told.set(id, stretch);
    }
    this.longest.clear();
    return [...told.values()];
  }
}

const stretchAt = (place: number, units: number): Stretch => {
  const kind = WORK_KINDS[place % KINDS]!;
  const key = Math.floor(place / KINDS);
  const number = key % NUMBERS;
  const rest = Math.floor(key / NUMBERS);
  return { call: nameOf(number, rest % COMMANDS), domid: Math.floor(rest / COMMANDS) - 1, kind, units };
};

const nameOf = (number: number, command: number): string => {
  const name = number === NO_CALL ? undefined : HYPERCALL_NAME.get(number % LISTED);
  if (name === undefined) return OUTSIDE;
  return number >= LISTED ? elementName(name, command) : callName(name, command);
};
