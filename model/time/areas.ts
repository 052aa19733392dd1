/** Records of time and runstate that the guest asked Xen to keep at an address of its own. Chapter: spec/chapters/vcpu.md, "Areas". */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyToGuestUnchecked, type Stored } from '../guest_copy.ts';
import { cite } from '../journal.ts';
import { domainOf, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { bytesOf } from '../memory/guest.ts';
import { RUNSTATES, type Runstate, type Vcpu } from '../vcpu.ts';
import { addInt, fromNumber, or, word } from '../word/word.ts';

/** Bit 63 of state_entry_time: the record is being changed. */
const UPDATING = word(1 << 31, 0);

/** Bytes that the record's first field, the state, takes up with what pads it. */
type Width = 4 | 8;
const LONG = 8;

/** compat/runstate-layout: nothing pads the state for a 32-bit domain. */
export const widthOf = (machine: Machine, { domid }: VcpuRef): Width => (domainOf(machine, domid).pv32 ? 4 : LONG);

/** struct vcpu_runstate_info: state, time of entry, time spent in each state. */
export const runstateBytes = (width: Width, { state, since, times }: Runstate, updating = false): Uint8Array => {
  const bytes = bytesOf([
    fromNumber(RUNSTATES.indexOf(state)),
    updating ? or(fromNumber(since), UPDATING) : fromNumber(since),
    ...times.map((t) => fromNumber(t)),
  ]);
  if (width === LONG) return bytes;
  bytes.copyWithin(width, LONG);
  return bytes.subarray(0, bytes.length - (LONG - width));
};

/**
 * vcpu/area-runstate: write the record through the page tables that are in use. With the assist runstate_update_flag the top bit
 * of the entry time is set first and cleared last.
 */
export const updateRunstateArea = (machine: Machine, at: VcpuRef): Machine => {
  if (vcpuOf(machine, at).runstateArea === null) return machine;
  const { ok, machine: m } = writeRunstate(cite(machine, 'vcpu/area-runstate'), at);
  return ok || vcpuOf(m, at).mode === 'kernel' ? m : setLate(m, at, { runstate: true });
};

const writeRunstate = (machine: Machine, at: VcpuRef): Stored => {
  const { runstateArea: area, runstate } = vcpuOf(machine, at);
  if (area === null) return { ok: true, machine };
  const flagged = (domainOf(machine, at.domid).vmAssist & (1n << BigInt(VMASST_TYPE.runstate_update_flag))) !== 0n;
  const width = widthOf(machine, at);
  const last = width + LONG - 1;
  const top = (m: Machine, updating: boolean): Machine =>
    flagged
      ? copyToGuestUnchecked(m, at, addInt(area, last), runstateBytes(width, runstate, updating).subarray(last, last + 1)).machine
      : m;
  const stored = copyToGuestUnchecked(top(machine, true), at, area, runstateBytes(width, runstate, flagged));
  return { ok: stored.ok, machine: top(stored.machine, false) };
};

const setLate = (machine: Machine, at: VcpuRef, change: Partial<Vcpu['areasLate']>): Machine =>
  updateVcpu(machine, at, { areasLate: { ...vcpuOf(machine, at).areasLate, ...change } });

/**
 * vcpu/area-time: a copy of the time record in vcpu_info, its version odd while it changes. `through`: the vCPU whose page tables
 * are in use, the caller of a hypercall that is about another.
 */
export const updateTimeArea = (machine: Machine, at: VcpuRef, record: Uint8Array, through = at): Machine => {
  if (vcpuOf(machine, at).timeArea === null) return machine;
  const { ok, machine: m } = writeTime(cite(machine, 'vcpu/area-time'), at, record, through);
  return ok || vcpuOf(m, at).mode === 'kernel' ? m : setLate(m, at, { time: record });
};

const writeTime = (machine: Machine, at: VcpuRef, record: Uint8Array, through: VcpuRef): Stored => {
  const { timeArea: area } = vcpuOf(machine, at);
  if (area === null) return { ok: true, machine };
  const during = record.slice();
  const view = new DataView(during.buffer);
  view.setUint32(0, view.getUint32(0, true) - 1, true);
  const first = copyToGuestUnchecked(machine, through, area, during.subarray(0, 4));
  if (!first.ok) return first;
  const body = copyToGuestUnchecked(first.machine, through, area, during);
  return { ok: true, machine: copyToGuestUnchecked(body.machine, through, area, record.subarray(0, 4)).machine };
};

/** vcpu/area-late: what could not be written through the user's page tables is tried each time that the kernel's come back. */
export const retryAreas = (machine: Machine, at: VcpuRef): Machine => {
  const { runstate, time } = vcpuOf(machine, at).areasLate;
  if (!runstate && time === null) return machine;
  const told = cite(machine, 'vcpu/area-late');
  const first = runstate ? writeRunstate(told, at) : { ok: true, machine: told };
  const second = time === null ? { ok: true, machine: first.machine } : writeTime(first.machine, at, time, at);
  return setLate(second.machine, at, { runstate: !first.ok, time: second.ok ? null : time });
};
