/**
 * How an instruction leaves its rule early. Rules throw one of these; the loop over instructions (step.ts) turns it into an
 * outcome. Since a rule never changes its argument, the state before the instruction is still there:
 * x86/step-fault_precise.
 */
import type { ClauseId } from '#spec/clauses.ts';
import type { Memory } from '../../memory/memory.ts';
import type { Word } from '../../word/word.ts';
import { type Fault, type SoftwareInterrupt, VECTOR } from './outcome.ts';
import type { Wanted } from './outside.ts';
import type { Running } from './running.ts';

/** Why the loop must stop here. `after` is the state in which Xen finds the processor; null for a fault: the state before. */
export class Exit {
  readonly kind: 'fault' | 'trap' | 'int';
  readonly after: Running | null;
  readonly fault: Fault;
  readonly clause: ClauseId | null;
  /** What a fault leaves in memory, when that is not what was there before the instruction. */
  readonly left: Memory | null;
  /** The instruction that made an `int`. */
  readonly by: SoftwareInterrupt;
  constructor(
    kind: Exit['kind'],
    after: Running | null,
    fault: Fault,
    clause: ClauseId | null,
    left: Memory | null = null,
    by: SoftwareInterrupt = 'int',
  ) {
    this.by = by;
    this.left = left;
    this.kind = kind;
    this.after = after;
    this.fault = fault;
    this.clause = clause;
  }
}

/** The instruction needs an answer from outside: nothing of it has happened yet. */
export class Asks {
  readonly wanted: Wanted;
  constructor(wanted: Wanted) {
    this.wanted = wanted;
  }
}

/** A descriptor is needed from a page of a PV guest's local table that Xen has not mapped: `offset` bytes into the table. */
export class TableMissing {
  readonly offset: number;
  constructor(offset: number) {
    this.offset = offset;
  }
}

/** A PV guest wants the state of x87, MMX or SSE that Xen has put aside (cpu/lazy_fpu): the instruction starts again with it. */
export class FpuWanted {}

/** A walk set accessed or dirty bits: the instruction starts again on this memory. */
export class Marked {
  readonly memory: Memory;
  constructor(memory: Memory) {
    this.memory = memory;
  }
}

const fault = (vector: number, error: number | null, clause: ClauseId, address: Word | null = null): Exit =>
  new Exit('fault', null, { vector, error, address }, clause);

export const divideError = (): Exit => fault(VECTOR.DE, null, 'x86/divide-error');
export const boundRange = (): Exit => fault(VECTOR.BR, null, 'x86/bound-range');
export const undefinedOpcode = (clause: ClauseId): Exit => fault(VECTOR.UD, null, clause);
export const generalProtection = (error: number, clause: ClauseId): Exit => fault(VECTOR.GP, error, clause);
export const stackFault = (clause: ClauseId, error = 0): Exit => fault(VECTOR.SS, error, clause);
export const notPresent = (error: number, clause: ClauseId): Exit => fault(VECTOR.NP, error, clause);
export const invalidTaskState = (error: number, clause: ClauseId): Exit => fault(VECTOR.TS, error, clause);
export const alignmentCheck = (): Exit => fault(VECTOR.AC, 0, 'x86/alignment-check');
export const deviceNotAvailable = (): Exit => fault(VECTOR.NM, null, 'x86/state-disabled');
export const floatingPointError = (clause: ClauseId): Exit => fault(VECTOR.MF, null, clause);
export const simdError = (clause: ClauseId): Exit => fault(VECTOR.XM, null, clause);
export const pageFault = (error: number, address: Word, clause: ClauseId): Exit => fault(VECTOR.PF, error, clause, address);

const event = (vector: number): Fault => ({ vector, error: null, address: null });

/** The same fault, of an instruction that leaves what it has written before. */
export const leaving = ({ kind, after, fault: raised, clause }: Exit, memory: Memory): Exit =>
  new Exit(kind, after, raised, clause, memory);

/** The same fault, of an instruction that leaves registers which it has loaded before. */
export const leavingAs = ({ kind, fault: raised, clause }: Exit, reached: Running): Exit => new Exit(kind, reached, raised, clause);

/** A trap: the instruction is done, and `after` shows it. */
export const trap = (after: Running, vector: number, clause: ClauseId | null): Exit => new Exit('trap', after, event(vector), clause);
/** INT n and its kin, as something else than the processor delivers them. */
export const softwareInterrupt = (after: Running, vector: number, clause: ClauseId | null, by: SoftwareInterrupt = 'int'): Exit =>
  new Exit('int', after, event(vector), clause, null, by);
