/** Exceptions and interrupts from the moment they are known: one after another, to a double fault, to the end. */

import type { Cpu } from '../cpu/cpu.ts';
import { DB, DE, DF, GP, NP, PF, SS, TS } from '../cpu/exit.ts';
import { CR2 } from '../cpu/layout.ts';
import { FAULT } from '../cpu/registers.ts';
import { instructionPointer } from '../cpu/system/code.ts';
import { endGeneralDetect } from '../cpu/system/debug.ts';
import { deliver, pushedFlags } from '../cpu/system/deliver.ts';
import { type Fault, processorOf } from '../cpu/system/processor.ts';
import { hexOf } from '../hex.ts';

/** Faults of which two make a double fault. */
const CONTRIBUTORY: readonly number[] = [DE, TS, NP, SS, GP];

const makesDouble = (first: number, second: number): boolean => {
  if (first === PF || first === DF) return second === PF || CONTRIBUTORY.includes(second);
  return CONTRIBUTORY.includes(first) && CONTRIBUTORY.includes(second);
};

/** Exceptions that are no faults: their handler finds RF as it was. */
const KEEPS_RESUME: readonly number[] = [DB, DF];

/** The delivery's fault, or null when it worked. */
const attempt = (c: Cpu, vector: number, error: number | null, resume: boolean): Fault | null => {
  const processor = processorOf(c);
  const back = instructionPointer(c);
  try {
    deliver(c, { vector, error, software: false, external: true, back, flags: pushedFlags(c, resume) });
  } catch (thrown) {
    if (thrown !== FAULT) throw thrown;
    c.dropWrite();
    return { vector: c.faultVector, error: c.faultError, address: c.faultAddress };
  }
  c.shadow = 'none';
  processor.halted = false;
  const { late } = processor;
  processor.late = null;
  return late;
};

/** Raise an exception. Returns false when the processor shuts down. */
export const raise = (c: Cpu, exception: Fault): boolean => {
  let next = exception;
  for (;;) {
    if (next.vector === PF && next.address !== null) c.setPair(CR2, next.address);
    const failed = attempt(c, next.vector, next.error, !KEEPS_RESUME.includes(next.vector));
    if (failed === null) {
      delivered(c, next);
      return true;
    }
    if (failed.vector === PF && failed.address !== null) c.setPair(CR2, failed.address);
    if (next.vector === DF && makesDouble(DF, failed.vector)) return false;
    next = makesDouble(next.vector, failed.vector) ? { vector: DF, error: 0, address: null } : failed;
  }
};

const delivered = (c: Cpu, { vector, error, address }: Fault): void => {
  if (vector === DB) endGeneralDetect(c);
  processorOf(c).tell({
    kind: 'exception',
    vector,
    error,
    address: vector === PF && address !== null ? hexOf(address) : null,
    software: false,
  });
};

/** Deliver an interrupt from outside. Returns false when the processor shuts down. */
export const interrupt = (c: Cpu, vector: number, nmi: boolean): boolean => {
  const failed = attempt(c, vector, null, false);
  if (failed !== null) return raise(c, failed);
  if (nmi) processorOf(c).nmiBlocked = true;
  processorOf(c).tell({ kind: 'interrupt', vector });
  return true;
};
