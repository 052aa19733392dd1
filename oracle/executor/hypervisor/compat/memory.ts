/** memory_op of 32-bit guests. Lists of frames have four bytes an entry. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { MEMOP_CMD_MASK, MEMOP_MOST_EXTENTS, memory } from '#spec/abi/memory.ts';
import { copyFromGuest, copyToGuest, putGuest, scratch } from '../guest_access.ts';
import { CALL_STATE, continueCall, shouldPreempt } from '../hypercall/continuation.ts';
import type { Handler } from '../hypercall/dispatch.ts';
import type { Machine } from '../machine.ts';
import { memory_op } from '../memory/memory_op.ts';
import { COMPAT_M2P_END } from '../mm/compat_slots.ts';
import { minus, WIDE } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';
import { compatGetVnumainfo } from './control.ts';
import { compatExchange } from './exchange.ts';
import { compatAcquireResource, compatAddToPhysmapBatch, compatReservedDeviceMemoryMap } from './memory_lists.ts';
import { isBelowXen, scratchCopy, translated } from './structure.ts';
import { narrow, pointed, withXlat, XLAT_BYTES, XLAT_HI } from './xlat.ts';

const OP = SUBOPERATIONS.memory_op;
const EXTENT_SHIFT = 6;
const TWO32 = 0x1_0000_0000;

/** memory_reservation: list, number of extents, order, flags of a word each, then the domain. */
const RESERVATION_BYTES = 20;
const NATIVE = memory.reservation;
const MOST_AT_ONCE = (XLAT_BYTES - NATIVE.size) / 8;

type Step = { readonly answer: number; readonly split: number; readonly start: number };

const reservation: Handler = (machine, vcpu, args) => {
  const op = args[0] & MEMOP_CMD_MASK;
  let start = (args[0] >>> 0) >>> EXTENT_SHIFT;
  for (;;) {
    if (!copyFromGuest(machine, vcpu, args[2], 0, RESERVATION_BYTES)) return start;
    const given = scratchCopy(RESERVATION_BYTES);
    const count = given.getUint32(4, true);
    if (count > MEMOP_MOST_EXTENTS) return start;
    if (given.getUint32(0, true) !== 0 && !isBelowXen(vcpu, given.getUint32(0, true), 4 * count)) return start;
    const step = chunk(machine, vcpu, op, args[2], start, given);
    if (CALL_STATE.preempted || step.split <= 0) return step.answer;
    start = step.start;
    if (shouldPreempt(machine, vcpu)) return continueCall((start << EXTENT_SHIFT) | op, 0, args[2], 0);
  }
};

/** As many extents as fit into the area. `split` > 0: more are to follow. */
const chunk = (machine: Machine, vcpu: Vcpu, op: number, argument: number, start: number, given: DataView): Step => {
  const list = given.getUint32(0, true);
  const count = given.getUint32(4, true);
  const { fields, size } = NATIVE;
  let end = Math.min(start + MOST_AT_ONCE, count);
  let split = 0;
  let answer = 0;
  let next = start;
  withXlat(machine, (xlat) => {
    xlat.put(fields.extent_order.at, 4, given.getInt32(8, true));
    xlat.put(fields.mem_flags.at, 4, given.getInt32(12, true));
    xlat.put(fields.domid.at, 2, given.getUint16(16, true));
    if (list === 0) end = count;
    else {
      const base = size - 8 * start;
      xlat.put(fields.extent_start.at, 8, base, base < 0 ? XLAT_HI - 1 : XLAT_HI);
      for (let i = start; op !== OP.increase_reservation && i < end; i++) {
        if (!readWord(machine, vcpu, list + 4 * i)) {
          end = i;
          split = -1;
          break;
        }
        xlat.put(size + 8 * (i - start), 8, scratch.getInt32(0, true));
      }
    }
    xlat.put(fields.nr_extents.at, 8, end < count ? end : count);
    if (end < count) split++;
    const asked = end < count ? end : count;
    answer = memory_op(machine, vcpu, pointed(1, (start << EXTENT_SHIFT) | op, 0));
    // The extent that the call began with, when nothing of it is done.
    if (answer === WIDE) answer = CALL_STATE.wideLo >>> 0;
    let done = answer;
    if (CALL_STATE.preempted) {
      split = -1;
      done = CALL_STATE.continuation[0] >>> EXTENT_SHIFT;
      CALL_STATE.continuation[2] = argument;
      CALL_STATE.continuation[3] = 0;
    }
    next = done;
    if (op !== OP.decrease_reservation && list !== 0) {
      for (let i = start; i < done; i++) {
        if (putGuest(machine, vcpu, (list + 4 * i) | 0, list + 4 * i >= TWO32 ? 1 : 0, 4, xlat.word(size + 8 * (i - start)))) continue;
        if (split >= 0) {
          answer = i;
          split = 0;
        }
        next = i;
        break;
      }
    }
    if (split >= 0 && done !== asked) split = 0;
    return 0;
  });
  return { answer, split, start: next };
};

const readWord = (machine: Machine, vcpu: Vcpu, at: number): boolean => copyFromGuest(machine, vcpu, at | 0, at >= TWO32 ? 1 : 0, 4);

/** Where the kernel sees the table of frames. */
const machphysMapping: Handler = (machine, vcpu, args) => {
  const { hypervisorStart } = vcpu.domain;
  scratch.setUint32(0, hypervisorStart, true);
  scratch.setUint32(4, COMPAT_M2P_END, true);
  scratch.setUint32(8, (COMPAT_M2P_END - hypervisorStart) / 4 - 1, true);
  return copyToGuest(machine, vcpu, args[2], 0, 12) ? 0 : minus('EFAULT');
};

const LARGE_PAGE = 0x200000;
const FRAMES_IN_LARGE_PAGE = 512;

/** The first frame of each 2 MiB of it. */
const machphysMfnList: Handler = (machine, vcpu, args) => {
  if (!copyFromGuest(machine, vcpu, args[2], 0, 12)) return minus('EFAULT');
  const given = scratchCopy(12);
  const count = Math.min(given.getUint32(0, true), Math.ceil((machine.config.frames * 4) / LARGE_PAGE));
  const list = given.getUint32(4, true);
  for (let i = 0; i < count; i++) {
    const at = list + 4 * i;
    scratch.setUint32(0, machine.compatM2p + FRAMES_IN_LARGE_PAGE * i, true);
    if (!copyToGuest(machine, vcpu, at | 0, at >= TWO32 ? 1 : 0, 4)) return minus('EFAULT');
  }
  given.setUint32(8, count, true);
  return copyToGuest(machine, vcpu, args[2], 0, 12, new Uint8Array(given.buffer)) ? 0 : minus('EFAULT');
};

const { memory_map, foreign_memory_map, add_to_physmap, remove_from_physmap, access_op, pod_target } = memory;
const HANDLERS: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [OP.increase_reservation, reservation],
  [OP.decrease_reservation, reservation],
  [OP.populate_physmap, reservation],
  [OP.exchange, compatExchange],
  [OP.acquire_resource, compatAcquireResource],
  [OP.add_to_physmap_batch, compatAddToPhysmapBatch],
  [OP.reserved_device_memory_map, compatReservedDeviceMemoryMap],
  [OP.access_op, translated({ size: 24, rows: [[2, 2, access_op.fields.domid.at, 2]] }, 1, memory_op)],
  [OP.get_vnumainfo, compatGetVnumainfo],
  [OP.current_reservation, memory_op],
  [OP.maximum_reservation, memory_op],
  [OP.maximum_gpfn, memory_op],
  [OP.maximum_ram_page, memory_op],
  [
    OP.add_to_physmap,
    translated(
      {
        size: 16,
        rows: [
          [0, 2, add_to_physmap.fields.domid.at, 2],
          [2, 2, add_to_physmap.fields.size.at, 2],
          [4, 4, add_to_physmap.fields.space.at, 4],
          [8, 4, add_to_physmap.fields.idx.at, 8],
          [12, 4, add_to_physmap.fields.gpfn.at, 8],
        ],
      },
      1,
      memory_op,
    ),
  ],
  [
    OP.remove_from_physmap,
    translated(
      {
        size: 8,
        rows: [
          [0, 2, remove_from_physmap.fields.domid.at, 2],
          [4, 4, remove_from_physmap.fields.gpfn.at, 8],
        ],
      },
      1,
      memory_op,
    ),
  ],
]);

const MAP_ROWS = {
  size: 8,
  rows: [
    [0, 4, memory_map.fields.nr_entries.at, 4, true],
    [4, 4, memory_map.fields.buffer.at, 8],
  ],
} as const;
const { target_pages, tot_pages, pod_cache_pages, pod_entries } = pod_target.fields;
const POD_TARGET = {
  size: 36,
  rows: [
    [0, 8, target_pages.at, 8],
    [8, 8, tot_pages.at, 8, true],
    [16, 8, pod_cache_pages.at, 8, true],
    [24, 8, pod_entries.at, 8, true],
    [32, 2, pod_target.fields.domid.at, 2],
  ],
} as const;
/** These Xen's x86 part knows by the whole command, which with an extent is none. */
const OF_X86: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [OP.machphys_mapping, machphysMapping],
  [OP.machphys_mfn_list, machphysMfnList],
  [OP.machphys_compat_mfn_list, machphysMfnList],
  [OP.memory_map, translated(MAP_ROWS, 1, memory_op)],
  [OP.machine_memory_map, translated(MAP_ROWS, 1, memory_op)],
  [
    OP.set_memory_map,
    translated(
      {
        size: 12,
        rows: [
          [0, 2, foreign_memory_map.fields.domid.at, 2],
          [4, 4, foreign_memory_map.fields.nr_entries.at, 4],
          [8, 4, foreign_memory_map.fields.buffer.at, 8],
        ],
      },
      1,
      memory_op,
    ),
  ],
  [OP.set_pod_target, translated(POD_TARGET, 1, memory_op)],
  [OP.get_pod_target, translated(POD_TARGET, 1, memory_op)],
  [OP.paging_op, memory_op],
  [OP.get_sharing_freed_pages, () => 0],
  [OP.get_sharing_shared_pages, () => 0],
]);

/** What the x86 part does not know (claim_pages among it) no 32-bit guest has. */
export const compat_memory_op: Handler = (machine, vcpu, args) => {
  const cmd = args[0] >>> 0;
  const handler = HANDLERS.get(cmd & MEMOP_CMD_MASK) ?? OF_X86.get(cmd);
  if (handler) return handler(machine, vcpu, narrow(args[0], args[2]));
  return minus('ENOSYS');
};
