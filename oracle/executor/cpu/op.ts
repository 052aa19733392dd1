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
  /** Places of the first, second and third operand if they are registers, in the view that fits their size; x87: the number. */
  a = 0;
  b = 0;
  /** Immediate or branch target; upper half in `immHi`. */
  imm = 0;
  immHi = 0;
  /** Offsets in the page of the first byte and of the byte after the last (beyond 4096 when it reaches into the next page). */
  off = 0;
  end = 0;
  v = 0;
  /** Memory operand. `index` -1: none. `base` and `index` are places in the register file. */
  base = ZERO;
  index = -1;
  scale = 0;
  disp = 0;
  dispHi = 0;
  /** 64-bit mode: place of the segment base, 0 for none. */
  segment = 0;
  /** Number of the segment register that the memory operand goes through (DS for string sources); 64-bit mode looks at FS and GS alone. */
  seg = 3;
  /** Address size in bytes: 2, 4, 8. */
  address = 8;
  /** What `linear` computes needs more than the sum: a segment, a cut, an alignment (address.ts). */
  special = false;
  /** Decoded for 16 or 32-bit code: addresses go through segments. */
  legacy = false;
  /** Code that only executes may be read (CLFLUSH). */
  lenient = false;
  /** The memory operand must begin at a multiple of this; 1: anywhere. */
  align = 1;
  /** MXCSR.MM frees it from its alignment (alignment.ts). */
  yields = false;
  /** Alignment checks see no more than eight bytes of its memory operand at a time. */
  halves = false;
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
  /** Behind the checks of state that come first (state.ts). */
  inner: Handler;

  constructor(run: Handler) {
    this.run = run;
    this.body = run;
    this.inner = run;
  }
}

/** The end of a burst: never run. */
export const STOP: Op = new Op(() => STOP);
STOP.next = STOP;
