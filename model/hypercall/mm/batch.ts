/** Working through the array of mmu_update or mmuext_op. Chapter: spec/chapters/memory.md, "Batches". */
import { ERRNO } from '#spec/abi/errno.ts';
import { type HypercallName, suboperation } from '#spec/abi/hypercall.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest, copyToGuest } from '../../guest_copy.ts';
import { cite, emit } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { oldTableOf, putOldGuestTable } from '../../page_type/old_table.ts';
import type { Verdict } from '../../page_type/verdict.ts';
import { dirtyPcpus, flush } from '../../tlb.ts';
import { add, fromNumber, isZero, type Word, ZERO } from '../../word/word.ts';
import { nameOperation, spend } from '../../work.ts';
import { bytesOfNumber, fieldOf } from '../guest_struct.ts';
import { type Answer, preemptCheck } from '../preempt.ts';
import type { HypercallResult } from '../result.ts';

/** Bit 31 of the count: the call goes on after an interruption. */
export const PREEMPTED = 0x80000000;

/** Arguments of a batched call: the array, its length without the mark, where to count, and the foreign domain. */
export type Batch = {
  readonly array: Word;
  readonly count: number;
  readonly resumed: boolean;
  readonly pdone: Word;
  readonly foreigndom: number;
};

export const batchOf = ([array, count, pdone, foreigndom]: readonly Word[]): Batch => ({
  array,
  count: (count.lo & ~PREEMPTED) >>> 0,
  resumed: (count.lo & PREEMPTED) !== 0,
  pdone,
  foreigndom: foreigndom.lo,
});

/**
 * Before anything else a call gives back what an earlier one put off. That may be interrupted, then the call comes again as it is;
 * and it may be all that the call is for.
 */
export const settle = (machine: Machine, caller: VcpuRef, args: readonly Word[]): HypercallResult | { readonly machine: Machine } => {
  const { machine: settled, errno } = putOldGuestTable(machine, caller);
  if (!errno) return deferredAnswer(settled, batchOf(args)) ?? { machine: settled };
  const [array, count, pdone, foreigndom] = args;
  return {
    kind: 'preempted',
    machine: cite(settled, 'mmu/batch-interrupted'),
    args: [array, fromNumber(count.lo >>> 0), pdone, fromNumber(foreigndom.lo >>> 0)],
  };
};

/** A call with nothing but its answer left to give (`mmu/batch-deferred`); null when it is another one. */
const deferredAnswer = (machine: Machine, { array, count, resumed, foreigndom }: Batch): HypercallResult | null =>
  resumed && count === 0 && isZero(array)
    ? { kind: 'reply', machine: cite(machine, 'mmu/batch-deferred'), value: fromNumber(foreigndom) }
    : null;

/** How one element is carried out; `command` selects the sub-operation, for the event that tells of it. */
export type Elements = {
  readonly call: HypercallName;
  readonly size: number;
  readonly command: (bytes: Uint8Array) => number;
  readonly perform: (machine: Machine, bytes: Uint8Array) => Verdict;
  /** Whose page tables the elements change. */
  readonly tables: number;
};

/** What was counted before an interruption; 0 when it cannot be read. */
export const doneBefore = (
  machine: Machine,
  caller: VcpuRef,
  { resumed, pdone }: Batch,
): { readonly machine: Machine; readonly before: number } => {
  if (!resumed || isZero(pdone)) return { machine, before: 0 };
  const read = copyFromGuest(machine, caller, pdone, 4);
  return { machine: read.machine, before: read.ok ? fieldOf(read.bytes, COUNTER) : 0 };
};

const COUNTER = { at: 0, size: 4, kind: 'number', dir: 'inout' } as const;

/** Write the number of elements done, if the caller wants to know. That it cannot be written changes nothing. */
export const countDone = (machine: Machine, caller: VcpuRef, { pdone }: Batch, total: number): Machine => {
  if (isZero(pdone)) return machine;
  return copyToGuest(machine, caller, pdone, bytesOfNumber(total, COUNTER.size)).machine;
};

/** Carry out the elements until one fails, an upcall waits, or none is left; then count and answer. */
export const runBatch = (machine: Machine, caller: VcpuRef, batch: Batch, before: number, elements: Elements): HypercallResult => {
  let m = machine;
  let rc = 0;
  let i = 0;
  let tableChanged = false;
  // tlb/table-entry: once, whatever the call ends with.
  const flushed = (at: Machine): Machine => (tableChanged ? flush(cite(at, 'tlb/table-entry'), dirtyPcpus(at, elements.tables)) : at);
  for (; i < batch.count; i++) {
    const at = add(batch.array, fromNumber(i * elements.size));
    const { machine: asked, stop } = asksBefore(m, caller, i);
    if (stop) return interrupted(flushed(countDone(asked, caller, batch, before + i)), batch, at, i);
    m = asked;
    spend(m, 'entry');
    const read = copyFromGuest(m, caller, at, elements.size);
    if (!read.ok) {
      m = cite(read.machine, 'mmu/batch-element');
      rc = -ERRNO.EFAULT;
      break;
    }
    nameOperation(read.machine, elements.call, elements.command(read.bytes));
    const performed = elements.perform(read.machine, read.bytes);
    const { machine: after, errno } = performed;
    tableChanged ||= performed.tableChanged === true;
    // The element itself was interrupted: it is told when it is done.
    if (errno === 'ERESTART') return interrupted(flushed(countDone(after, caller, batch, before + i)), batch, at, i);
    m = tell(after, caller, elements, read.bytes, errno ? -ERRNO[errno] : 0);
    if (errno) {
      m = cite(m, 'mmu/batch-stopped');
      rc = -ERRNO[errno];
      break;
    }
  }
  const counted = flushed(countDone(cite(m, 'mmu/batch-done'), caller, batch, before + i));
  return oldTableOf(counted, caller) ? onlyAnswerLeft(counted, rc) : { kind: 'reply', machine: counted, value: fromNumber(rc) };
};

/** Does something have to be done before element `i`? A table that waits to be given back stops the call without a question. */
const asksBefore = (machine: Machine, caller: VcpuRef, i: number): Answer => {
  if (oldTableOf(machine, caller)) return { machine, stop: true };
  return i > 0 ? preemptCheck(machine, caller) : { machine, stop: false };
};

/** All is done but giving back a page table: the guest comes back with nothing but the answer (`mmu/batch-deferred`). */
const onlyAnswerLeft = (machine: Machine, rc: number): HypercallResult => ({
  kind: 'preempted',
  machine: cite(machine, 'mmu/batch-interrupted'),
  args: [ZERO, fromNumber(PREEMPTED), ZERO, fromNumber(rc >>> 0)],
});

const interrupted = (machine: Machine, batch: Batch, rest: Word, done: number): HypercallResult => ({
  kind: 'preempted',
  machine: cite(machine, 'mmu/batch-interrupted'),
  args: [rest, fromNumber(batch.count - done + PREEMPTED), batch.pdone, fromNumber(batch.foreigndom >>> 0)],
});

const tell = (machine: Machine, caller: VcpuRef, { call, command }: Elements, bytes: Uint8Array, result: number): Machine => {
  const cmd = command(bytes);
  return emit(machine, { kind: 'operation', at: caller, name: `${call}/${suboperation(call, cmd) ?? cmd}`, result });
};
