/** mmuext_op of a 32-bit domain: as many operations at a time as the area has room for. Chapter: spec/chapters/compat.md. */
import { COMPAT } from '#spec/abi/compat.ts';
import type { Errno } from '#spec/abi/errno.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { mmuext_op as OPERATION } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { addInt, fromNumber, isZero, type Word } from '../../word/word.ts';
import { fieldOf } from '../guest_struct.ts';
import { PREEMPTED } from '../mm/batch.ts';
import { mmuext_op as wideMmuextOp } from '../mm/mmuext_op.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';
import { areaAt, laidOut, putAway, roomFor, widen } from './translation.ts';

const { size: SIZE, fields } = COMPAT.mmuext_op;

export const mmuext_op: Perform = (machine, caller, args) => {
  const [array, number, pdone, foreigndom] = args;
  let mark = number.lo & PREEMPTED;
  let count = (number.lo & ~PREEMPTED) >>> 0;
  if (mark && count === 0 && isZero(array)) return wideMmuextOp(machine, caller, args);
  let m = cite(machine, 'compat/mmuext_op-element');
  for (let at = array; count > 0; mark = PREEMPTED) {
    const read = readOperations(m, caller, at, Math.min(count, roomFor(0, OPERATION.size)));
    const here = read.operations.length;
    const { result } = putAway(
      wideMmuextOp(laidOut(read.machine, ...read.operations), caller, [areaAt(0), fromNumber((here | mark) >>> 0), pdone, foreigndom]),
    );
    if (result.kind === 'preempted') return resumed(result, at, here, count);
    if (result.kind === 'no_reply' || !isZero(result.value)) return result;
    m = result.machine;
    if (read.refusal) return fail(m, read.refusal, 'compat/mmuext_op-ahead');
    at = addInt(at, here * SIZE);
    count -= here;
  }
  return done(m, 'mmu/batch-done');
};

type Read = { readonly machine: Machine; readonly operations: readonly Uint8Array[]; readonly refusal: Errno | null };

/** compat/mmuext_op-ahead: up to the first operation that cannot be read, or that a 32-bit domain has not. */
const readOperations = (machine: Machine, caller: VcpuRef, array: Word, count: number): Read => {
  const operations: Uint8Array[] = [];
  let m = machine;
  for (let i = 0; i < count; i++) {
    const read = copyFromGuest(m, caller, addInt(array, i * SIZE), SIZE);
    m = read.machine;
    if (!read.ok) return { machine: m, operations, refusal: 'EFAULT' };
    if (fieldOf(read.bytes, fields.cmd) === SUBOPERATIONS.mmuext_op.new_user_baseptr) return { machine: m, operations, refusal: 'EINVAL' };
    operations.push(widen(read.bytes, COMPAT.mmuext_op, OPERATION));
  }
  return { machine: m, operations, refusal: null };
};

/** The call goes on behind the operations that are through; or nothing is left of it but its answer. */
const resumed = (result: Extract<HypercallResult, { kind: 'preempted' }>, at: Word, here: number, count: number): HypercallResult => {
  const [array, number, pdone, foreigndom] = result.args;
  if (isZero(array!)) return result;
  const left = (number!.lo & ~PREEMPTED) >>> 0;
  return { ...result, args: [addInt(at, (here - left) * SIZE), fromNumber((number!.lo >>> 0) + count - here), pdone!, foreigndom!] };
};
