/** A decoded instruction, ready to run. */
import type { Cpu } from './cpu.ts';
import { ZERO } from './layout.ts';

/** Carries one step out and returns what comes next; STOP ends the burst. Faults are thrown, before anything was changed. */
export type Handler = (cpu: Cpu, op: Op) => Op;

export class Op {
  run: Handler;
  /** What follows in sequence, and where a taken branch leads within this page (null: elsewhere). */
  next!: Op;
  taken: Op | null = null;
  /** Offsets in the page of the first byte and of the byte after the last (beyond 4096 when it reaches into the next page). */
  off = 0;
  end = 0;
  /** Places of register operands in the view that fits their size: `a` destination, `b` source. */
  a = 0;
  b = 0;
  /** Immediate or branch target; upper half in `immHi`. */
  imm = 0;
  immHi = 0;
  /** Memory operand. `index` -1: none. `base` and `index` are places in the register file. */
  base = ZERO;
  index = -1;
  scale = 0;
  disp = 0;
  dispHi = 0;
  /** Place of the segment base, 0 for none. */
  segment = 0;
  address32 = false;
  /** Bytes of the memory operand, less one. */
  reach = 0;
  /** A bad address of this operand is a stack fault. */
  stack = false;
  /** Operand size in bytes. */
  size = 0;
  /** Whether the r/m operand is memory. */
  memory = false;
  /** An instruction of two pages: the handler behind the check, and the frame of its second page (-1: not valid any more). */
  body: Handler;
  second = -1;

  constructor(run: Handler) {
    this.run = run;
    this.body = run;
  }
}

/** The end of a burst: never run. */
export const STOP: Op = new Op(() => STOP);
STOP.next = STOP;
