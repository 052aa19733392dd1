/** Operations of memory_op whose lists a 32-bit guest has in words: acquire_resource, add_to_physmap_batch, reserved_device_memory_map. */

import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { MEMOP_CMD_MASK, memory, XENMEM_RDM_ALL } from '#spec/abi/memory.ts';
import { NotModelled } from '#spec/failure.ts';
import { copyFromGuest, copyToGuest, putGuest } from '../guest_access.ts';
import { CALL_STATE, continueCall, shouldPreempt } from '../hypercall/continuation.ts';
import type { Handler } from '../hypercall/dispatch.ts';
import type { Machine } from '../machine.ts';
import { memory_op } from '../memory/memory_op.ts';
import { minus } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';
import { isBelowXen, layOut, type Structure, scratchCopy, translated } from './structure.ts';
import { pointed, withXlat, XLAT_BYTES, type Xlat } from './xlat.ts';

const OP = SUBOPERATIONS.memory_op;
const EXTENT_SHIFT = 6;
const hiOf = (at: number): number => (at > 0xffffffff ? 1 : 0);

const resource = memory.acquire_resource;
const RESOURCE: Structure = {
  size: 28,
  rows: [
    [0, 2, resource.fields.domid.at, 2],
    [2, 2, resource.fields.type.at, 2],
    [4, 4, resource.fields.id.at, 4],
    [8, 4, resource.fields.nr_frames.at, 4],
    [12, 4, resource.fields.pad.at, 4],
    [16, 8, resource.fields.frame.at, 8],
  ],
};
const NR_FRAMES = 8;
const FRAME_LIST = 24;
const MOST_FRAMES = Math.floor((XLAT_BYTES - resource.size) / 8);

/** As many frames as the area has room for, from `start` on: how many were told, or a negative answer. */
const acquireSome = (machine: Machine, vcpu: Vcpu, xlat: Xlat, start: number, wanted: number, list: number): number => {
  const { nr_frames, frame, frame_list } = resource.fields;
  const asked = Math.min(wanted - start, MOST_FRAMES);
  const first = BigInt.asUintN(64, (BigInt(xlat.word(frame.at + 4) >>> 0) << 32n) + BigInt(xlat.word(frame.at) >>> 0) + BigInt(start));
  xlat.put(nr_frames.at, 4, asked);
  xlat.put(frame.at, 8, Number(BigInt.asIntN(32, first)), Number(BigInt.asIntN(32, first >> 32n)));
  xlat.putOwn(frame_list.at, resource.size);
  const answer = memory_op(machine, vcpu, pointed(1, OP.acquire_resource, 0));
  if (answer < 0) return answer;
  const done = CALL_STATE.preempted ? CALL_STATE.continuation[0] >>> EXTENT_SHIFT : asked;
  for (let i = 0; i < done; i++) {
    const to = list + 4 * (start + i);
    if (putGuest(machine, vcpu, to | 0, hiOf(to), 4, xlat.word(resource.size + 8 * i))) continue;
    // A call that is to be made again cannot fail any more.
    if (CALL_STATE.preempted) throw new NotModelled('compat/memory_op/acquire_resource');
    return minus('EFAULT');
  }
  return done;
};

/** Without a list: how many frames there are. */
export const compatAcquireResource: Handler = (machine, vcpu, args) => {
  let start = (args[0] >>> 0) >>> EXTENT_SHIFT;
  for (;;) {
    if (!copyFromGuest(machine, vcpu, args[2], 0, RESOURCE.size)) return minus('EFAULT');
    const given = scratchCopy(RESOURCE.size);
    const [list, wanted] = [given.getUint32(FRAME_LIST, true), given.getUint32(NR_FRAMES, true)];
    const isCounted = list === 0 || wanted === 0;
    const done = withXlat(machine, (xlat) => {
      layOut(xlat, RESOURCE);
      if (!isCounted) return start >= wanted ? minus('EINVAL') : acquireSome(machine, vcpu, xlat, start, wanted, list);
      if (list !== 0) xlat.putOwn(resource.fields.frame_list.at, resource.size);
      const answer = memory_op(machine, vcpu, pointed(1, args[0], 0));
      if (answer < 0 || putGuest(machine, vcpu, (args[2] + NR_FRAMES) | 0, 0, 4, xlat.word(resource.fields.nr_frames.at))) return answer;
      return minus('EFAULT');
    });
    if (done < 0 || isCounted) return done;
    start += done;
    if (start === wanted) return 0;
    if (CALL_STATE.preempted || shouldPreempt(machine, vcpu))
      return continueCall(((start << EXTENT_SHIFT) | OP.acquire_resource) >>> 0, 0, args[2], 0);
  }
};

const batch = memory.add_to_physmap_batch;
const BATCH: Structure = {
  size: 20,
  rows: [
    [0, 2, batch.fields.domid.at, 2],
    [2, 2, batch.fields.space.at, 2],
    [4, 2, batch.fields.size.at, 2],
  ],
};
const MOST_IN_BATCH = Math.floor((XLAT_BYTES - batch.size) / 16);

/** A PV domain is refused whatever its lists say, but they are read first. */
export const compatAddToPhysmapBatch: Handler = (machine, vcpu, args) => {
  if (!copyFromGuest(machine, vcpu, args[2], 0, BATCH.size)) return minus('EFAULT');
  const given = scratchCopy(BATCH.size);
  const size = given.getUint16(4, true);
  const [indices, frames, errors] = [8, 12, 16].map((at) => given.getUint32(at, true)) as [number, number, number];
  if (![indices, frames, errors].every((list) => isBelowXen(vcpu, list, 4 * size))) return minus('EFAULT');
  const start = (args[0] >>> 0) >>> EXTENT_SHIFT;
  const end = Math.min(start + MOST_IN_BATCH, size);
  for (let i = start; i < end; i++)
    for (const at of [indices + 4 * i, frames + 4 * i]) if (!copyFromGuest(machine, vcpu, at | 0, hiOf(at), 4)) return minus('EFAULT');
  return translated(BATCH, 1, memory_op)(machine, vcpu, args);
};

const RESERVED_BYTES = 16;
/** Nothing is reserved, as there is no IOMMU. */
export const compatReservedDeviceMemoryMap: Handler = (machine, vcpu, args) => {
  if ((args[0] & ~MEMOP_CMD_MASK) !== 0) return minus('EINVAL');
  if (!copyFromGuest(machine, vcpu, args[2], 0, RESERVED_BYTES)) return minus('EFAULT');
  const given = scratchCopy(RESERVED_BYTES);
  if (!isBelowXen(vcpu, given.getUint32(8, true), 8 * given.getUint32(4, true))) return minus('EFAULT');
  if ((given.getUint32(0, true) & ~XENMEM_RDM_ALL) !== 0) return minus('EINVAL');
  given.setUint32(4, 0, true);
  return copyToGuest(machine, vcpu, args[2], 0, RESERVED_BYTES, new Uint8Array(given.buffer)) ? 0 : minus('EFAULT');
};
