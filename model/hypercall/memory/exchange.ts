/** XENMEM_exchange: what is asked, checked before any frame is touched. Chapter: spec/chapters/memory_op.md, "exchange". */
import type { Errno } from '#spec/abi/errno.ts';
import { memory, XENMEMF } from '#spec/abi/memory.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { addressOk } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { fromBigInt, type Word } from '../../word/word.ts';
import { spend } from '../../work.ts';
import { mayTarget } from '../domids.ts';
import { bytesOfNumber } from '../guest_struct.ts';
import { preemptCheck } from '../preempt.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { limitOf, nodeOf, type Where } from './allocate.ts';
import { type Argument, continued, type MemoryCall, type MemoryRule, readArgument, writeBack } from './command.ts';
import { exchangeChunk } from './exchange_chunk.ts';
import { largestOrder } from './reservation.ts';
import { anyDomain } from './subject.ts';

/** One side of an exchange: extents by the list that names them. */
export type Side = { readonly list: bigint; readonly count: bigint; readonly order: number };
/** `inChunk`, `outChunk`: order of the number of extents of each side in a chunk. */
export type Exchange = {
  readonly caller: VcpuRef;
  readonly domid: number;
  readonly ins: Side;
  readonly outs: Side;
  readonly inChunk: number;
  readonly outChunk: number;
  readonly where: Where;
};

type Exchanging = Argument<typeof memory.exchange>;
type Refusal = { readonly errno: Errno; readonly clause: ClauseId };
const no = (errno: Errno, clause: ClauseId): Refusal => ({ errno, clause });

export const exchange: MemoryRule = (machine, caller, call) => {
  const { machine: m, argument } = readArgument(machine, caller, call.arg, memory.exchange);
  if (!argument) return fail(m, 'EFAULT', 'memory/argument');
  const exchanged = argument.big('nr_exchanged');
  const refused = (refusal: Refusal): HypercallResult => counted(fail(m, refusal.errno, refusal.clause), caller, call, exchanged);

  const early = mismatch(m, argument, caller);
  if (early) return refused(early);
  if (exchanged === argument.big('in_nr_extents')) return done(m, 'memory/exchange-nothing');
  const asked = exchangeOf(m, caller, argument, exchanged);
  return 'errno' in asked ? refused(asked) : chunks(m, call, asked, exchanged);
};

/** Orders, then numbers that do not fit together. */
const mismatch = (machine: Machine, argument: Exchanging, caller: VcpuRef): Refusal | null => {
  const [inOrder, outOrder] = [argument.number('in_extent_order'), argument.number('out_extent_order')];
  if (Math.max(inOrder, outOrder) > largestOrder(machine, caller)) return no('EPERM', 'memory/exchange-order');
  const [ins, outs] = [argument.big('in_nr_extents'), argument.big('out_nr_extents')];
  const [inPages, outPages] = [ins << BigInt(inOrder), outs << BigInt(outOrder)];
  const fits = inPages < 1n << 64n && outPages < 1n << 64n;
  const sound =
    argument.big('nr_exchanged') <= ins && argument.number('in_domid') === argument.number('out_domid') && fits && inPages === outPages;
  return sound ? null : no('EINVAL', 'memory/exchange-arguments');
};

const exchangeOf = (machine: Machine, caller: VcpuRef, argument: Exchanging, exchanged: bigint): Exchange | Refusal => {
  const ins: Side = {
    list: argument.big('in_extent_start'),
    count: argument.big('in_nr_extents'),
    order: argument.number('in_extent_order'),
  };
  const outs: Side = {
    list: argument.big('out_extent_start'),
    count: argument.big('out_nr_extents'),
    order: argument.number('out_extent_order'),
  };
  const inChunk = Math.max(0, outs.order - ins.order);
  const outChunk = Math.max(0, ins.order - outs.order);
  const firstOut = (exchanged >> BigInt(inChunk)) << BigInt(outChunk);
  if (!listOk(ins, exchanged) || !listOk(outs, firstOut)) return no('EFAULT', 'memory/exchange-lists');

  const flags = argument.number('out_mem_flags');
  const node = nodeOf(caller, flags);
  if (!node.allowed) return no('EINVAL', 'memory/exchange-node');
  const domain = anyDomain(machine, caller, argument.number('in_domid'));
  if (!domain) return no('ESRCH', 'memory/domain');
  if (!mayTarget(caller, domain.domid)) return no('EPERM', 'memory/permission');
  const where = { limit: limitOf(flags & XENMEMF.address_bits_mask), nowhere: node.nowhere };
  return { caller, domid: domain.domid, ins, outs, inChunk, outChunk, where };
};

/** The address of an element. */
export const elementOf = ({ list }: Side, i: bigint): Word => fromBigInt(list + 8n * i);

const MOST_ELEMENTS = ((1n << 64n) - 1n) / 8n;
const listOk = (side: Side, first: bigint): boolean =>
  BigInt.asUintN(64, side.count - first) < MOST_ELEMENTS && addressOk(elementOf(side, first));

/** The answer, with the number of extents exchanged written back (`memory/exchange-counted`). */
const counted = (result: HypercallResult, caller: VcpuRef, { arg }: MemoryCall, exchanged: bigint): HypercallResult => {
  const written = writeBack(result.machine, caller, arg, memory.exchange.fields.nr_exchanged.at, bytesOfNumber(exchanged, 8));
  const told = cite(written.machine, 'memory/exchange-counted');
  return written.ok ? { ...result, machine: told } : fail(told, 'EFAULT', 'memory/exchange-counted');
};

const chunks = (machine: Machine, call: MemoryCall, exchange: Exchange, exchanged: bigint): HypercallResult => {
  const { caller, inChunk, ins } = exchange;
  const first = exchanged >> BigInt(inChunk);
  let m = machine;
  for (let i = first; i < ins.count >> BigInt(inChunk); i++) {
    if (i !== first) {
      const asked = preemptCheck(m, caller);
      m = asked.machine;
      if (asked.stop) return counted(continued(cite(m, 'memory/exchange-preempted'), call, 0), caller, call, i << BigInt(inChunk));
    }
    spend(m, 'entry');
    spend(m, 'page', 2 * 2 ** Math.max(ins.order, exchange.outs.order));
    const chunk = exchangeChunk(m, exchange, i);
    m = chunk.machine;
    if (chunk.errno) return counted(fail(m, chunk.errno, 'memory/exchange-undone'), caller, call, i << BigInt(inChunk));
  }
  return counted(done(m, 'memory/exchange-done'), caller, call, ins.count);
};
