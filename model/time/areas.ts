/** Records of time and runstate that the guest asked Xen to keep at an address of its own. Chapter: spec/chapters/vcpu.md, "Areas". */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyToGuestUnchecked } from '../guest_copy.ts';
import { cite } from '../journal.ts';
import { domainOf, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { bytesOf } from '../memory/guest.ts';
import { RUNSTATES, type Runstate } from '../vcpu.ts';
import { addInt, fromNumber, or, word } from '../word/word.ts';

/** Bit 63 of state_entry_time: the record is being changed. */
const UPDATING = word(1 << 31, 0);

/** struct vcpu_runstate_info: state, time of entry, time spent in each state. */
export const runstateBytes = ({ state, since, times }: Runstate, updating = false): Uint8Array =>
  bytesOf([
    fromNumber(RUNSTATES.indexOf(state)),
    updating ? or(fromNumber(since), UPDATING) : fromNumber(since),
    ...times.map((t) => fromNumber(t)),
  ]);

/**
 * vcpu/area-runstate: write the record through the page tables that are in use. With the assist runstate_update_flag the top bit
 * of the entry time is set first and cleared last.
 */
export const updateRunstateArea = (machine: Machine, at: VcpuRef): Machine => {
  const { runstateArea: area, runstate, mode } = vcpuOf(machine, at);
  if (area === null) return machine;
  let m = cite(machine, 'vcpu/area-runstate');
  const flagged = (domainOf(m, at.domid).vmAssist & (1n << BigInt(VMASST_TYPE.runstate_update_flag))) !== 0n;
  const topByte = addInt(area, 15);
  if (flagged) m = copyToGuestUnchecked(m, at, topByte, runstateBytes(runstate, true).subarray(15, 16)).machine;
  const stored = copyToGuestUnchecked(m, at, area, runstateBytes(runstate, flagged));
  m = stored.machine;
  if (flagged) m = copyToGuestUnchecked(m, at, topByte, runstateBytes(runstate).subarray(15, 16)).machine;
  return stored.ok || mode === 'kernel' ? m : updateVcpu(m, at, { areasLate: { ...vcpuOf(m, at).areasLate, runstate: true } });
};

/**
 * vcpu/area-time: a copy of the time record in vcpu_info, its version odd while it changes. `through`: the vCPU whose page tables
 * are in use, the caller of a hypercall that is about another.
 */
export const updateTimeArea = (machine: Machine, at: VcpuRef, record: Uint8Array, through = at): Machine => {
  const { timeArea: area, mode } = vcpuOf(machine, at);
  if (area === null) return machine;
  const during = record.slice();
  const view = new DataView(during.buffer);
  const version = view.getUint32(0, true);
  view.setUint32(0, version - 1, true);
  const first = copyToGuestUnchecked(cite(machine, 'vcpu/area-time'), through, area, during.subarray(0, 4));
  if (!first.ok) {
    const late = mode === 'user' ? record : null;
    return updateVcpu(first.machine, at, { areasLate: { ...vcpuOf(first.machine, at).areasLate, time: late } });
  }
  const body = copyToGuestUnchecked(first.machine, through, area, during);
  return copyToGuestUnchecked(body.machine, through, area, record.subarray(0, 4)).machine;
};

/** vcpu/area-late: what could not be written through the user's page tables is written when the kernel's are back. */
export const retryAreas = (machine: Machine, at: VcpuRef): Machine => {
  const { runstate, time } = vcpuOf(machine, at).areasLate;
  if (!runstate && time === null) return machine;
  const m = updateVcpu(cite(machine, 'vcpu/area-late'), at, { areasLate: { runstate: false, time: null } });
  const done = runstate ? updateRunstateArea(m, at) : m;
  return time === null ? done : updateTimeArea(done, at, time);
};
