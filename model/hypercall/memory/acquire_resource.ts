/** XENMEM_acquire_resource: frame numbers of another domain's grant table. */
import {
  ACQUIRE_STRIDE,
  MEMOP_MOST_EXTENTS,
  memory,
  XENMEM_resource as RESOURCE,
  XENMEM_resource_grant_table_id as TABLE,
} from '#spec/abi/memory.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { ACQUIRE_ONCE_MOST } from '#spec/releases/memory.ts';
import { copyToGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { bytesOf } from '../../memory/guest.ts';
import { addInt, fromNumber, isZero, toBigInt, toNumber, type Word } from '../../word/word.ts';
import { spend } from '../../work.ts';
import { isControlDomain } from '../domids.ts';
import { grantsOf } from '../grant_table/handles.ts';
import { growTable } from '../grant_table/setup_table.ts';
import { bytesOfNumber } from '../guest_struct.ts';
import { preemptCheck } from '../preempt.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { type Argument, continued, type MemoryCall, type MemoryRule, readArgument, writeBack } from './command.ts';

/** What is asked for; `frames` from `first` on. */
type Resource = { readonly domid: number; readonly type: number; readonly id: number; readonly first: number; readonly frames: number };

export const acquireResource: MemoryRule = (machine, caller, call) => {
  const { machine: m, argument } = readArgument(machine, caller, call.arg, memory.acquire_resource);
  if (!argument) return fail(m, 'EFAULT', 'memory/argument');
  if (waysOf(m.config.release)['acquire_resource-sizes'] === 'most 32') return acquireOnce(m, caller, call, argument);
  const first = argument.big('frame');
  const frames = argument.number('nr_frames');
  if (argument.number('pad') !== 0 || first >= 1n << 32n || first + BigInt(frames) >= 1n << 32n)
    return fail(m, 'EINVAL', 'memory/acquire_resource-arguments');
  const domid = argument.number('domid');
  if (!findDomain(m, domid)) return fail(m, 'ESRCH', 'memory/acquire_resource-domain');
  if (domid === caller.domid || !isControlDomain(caller)) return fail(m, 'EPERM', 'memory/acquire_resource-domain');

  const resource: Resource = { domid, type: argument.number('type'), id: argument.number('id'), first: Number(first), frames };
  const size = sizeOf(m, resource);
  if (size === 0) return fail(m, 'EINVAL', 'memory/acquire_resource-size');
  const list = argument.word('frame_list');
  return isZero(list) ? askedSize(m, caller, call, frames, size) : acquire(m, caller, call, resource, list);
};

/** As releases do in which no resource has a size. */
const acquireOnce = (
  machine: Machine,
  caller: VcpuRef,
  { arg }: MemoryCall,
  argument: Argument<typeof memory.acquire_resource>,
): HypercallResult => {
  const frames = argument.number('nr_frames');
  const list = argument.word('frame_list');
  if (argument.number('pad') !== 0) return fail(machine, 'EINVAL', 'memory/acquire_resource-arguments');
  if (isZero(list)) {
    if (frames !== 0) return fail(machine, 'EINVAL', 'memory/acquire_resource-asked');
    const told = writeBack(machine, caller, arg, memory.acquire_resource.fields.nr_frames.at, bytesOfNumber(ACQUIRE_ONCE_MOST, 4));
    return told.ok ? done(told.machine, 'memory/acquire_resource-asked') : fail(told.machine, 'EFAULT', 'memory/acquire_resource-asked');
  }
  if (frames > ACQUIRE_ONCE_MOST) return fail(machine, 'E2BIG', 'memory/acquire_resource-size');
  const domid = argument.number('domid');
  if (!findDomain(machine, domid)) return fail(machine, 'ESRCH', 'memory/acquire_resource-domain');
  if (domid === caller.domid || !isControlDomain(caller)) return fail(machine, 'EPERM', 'memory/acquire_resource-domain');
  const found = framesOnce(machine, domid, argument.number('type'), argument.number('id'), argument.big('frame'), frames);
  if ('kind' in found) return found;
  const told = copyToGuest(found.machine, caller, list, bytesOf(found.frames.map(fromNumber)));
  return told.ok ? done(told.machine, 'memory/acquire_resource-done') : fail(told.machine, 'EFAULT', 'memory/acquire_resource-done');
};

/** From the last to the first, so that the table grows at once to the size that it needs. */
const framesOnce = (machine: Machine, domid: number, type: number, id: number, first: bigint, count: number): Found | HypercallResult => {
  if (type === RESOURCE.ioreq_server) return fail(machine, 'EINVAL', 'memory/acquire_resource-size');
  if (type !== RESOURCE.grant_table) return fail(machine, 'EOPNOTSUPP', 'memory/acquire_resource-type');
  if (count === 0) return { machine, frames: [] };
  const end = BigInt.asUintN(64, first + BigInt(count));
  const fits = end >= BigInt(count) && end <= BigInt(machine.config.xen.max_grant_frames);
  const grown = id === TABLE.shared && fits ? growTable(machine, domid, Number(end)) : null;
  if (!grown) return fail(machine, 'EINVAL', 'memory/acquire_resource-frames');
  return { machine: grown, frames: grantsOf(grown, domid).frames.slice(Number(first), Number(end)) };
};

/** Grant entries of version 2, and status entries, in a frame. */
const V2_PER_FRAME = 256;
const STATUS_PER_FRAME = 2048;
/** -EOPNOTSUPP, which Xen takes for a number of frames. */
const UNKNOWN_TYPE = 2 ** 32 - 95;

const sizeOf = ({ config }: Machine, { type, id }: Resource): number => {
  const unknownIsNone = waysOf(config.release)['acquire_resource-unknown_type'] === 'EINVAL';
  const grantFrames = config.xen.max_grant_frames;
  switch (type) {
    case RESOURCE.grant_table:
      if (id === TABLE.shared) return grantFrames;
      return id === TABLE.status ? Math.ceil((grantFrames * V2_PER_FRAME) / STATUS_PER_FRAME) : 0;
    case RESOURCE.ioreq_server:
    case RESOURCE.vmtrace_buf:
      return 0;
    default:
      return unknownIsNone ? 0 : UNKNOWN_TYPE;
  }
};

const askedSize = (machine: Machine, caller: VcpuRef, { extent, arg }: MemoryCall, frames: number, size: number): HypercallResult => {
  if (frames !== 0 || !isZero(extent)) return fail(machine, 'EINVAL', 'memory/acquire_resource-asked');
  const told = writeBack(machine, caller, arg, memory.acquire_resource.fields.nr_frames.at, bytesOfNumber(size, 4));
  return told.ok ? done(told.machine, 'memory/acquire_resource-asked') : fail(told.machine, 'EFAULT', 'memory/acquire_resource-asked');
};

const acquire = (machine: Machine, caller: VcpuRef, call: MemoryCall, resource: Resource, list: Word): HypercallResult => {
  const { frames } = resource;
  if (toBigInt(call.extent) >= BigInt(frames) || frames > MEMOP_MOST_EXTENTS)
    return fail(machine, 'EINVAL', 'memory/acquire_resource-extent');
  let m = machine;
  for (let from = toNumber(call.extent); from < frames; from += ACQUIRE_STRIDE) {
    const count = Math.min(ACQUIRE_STRIDE, frames - from);
    spend(m, 'entry', count);
    const found = framesOf(m, resource, resource.first + from, count);
    if ('kind' in found) return found;
    const told = copyToGuest(found.machine, caller, addInt(list, 8 * from), bytesOf(found.frames.map(fromNumber)));
    m = told.machine;
    if (!told.ok) return fail(m, 'EFAULT', 'memory/acquire_resource-done');
    if (from + count >= frames) break;
    const asked = preemptCheck(m, caller);
    m = asked.machine;
    if (asked.stop) return continued(cite(m, 'memory/acquire_resource-preempted'), call, from + count);
  }
  return done(m, 'memory/acquire_resource-done');
};

type Found = { readonly machine: Machine; readonly frames: readonly number[] };

const framesOf = (machine: Machine, { domid, type, id }: Resource, first: number, count: number): Found | HypercallResult => {
  if (type !== RESOURCE.grant_table) return fail(machine, 'EOPNOTSUPP', 'memory/acquire_resource-type');
  const end = first + count;
  const grown = id === TABLE.shared && end <= machine.config.xen.max_grant_frames ? growTable(machine, domid, end) : null;
  if (!grown) return fail(machine, 'EINVAL', 'memory/acquire_resource-frames');
  return { machine: grown, frames: grantsOf(grown, domid).frames.slice(first, end) };
};
