/** Copying a vCPU's runstate to the area that the guest registered, in the vCPU's own address space. */
import { vcpu as layouts, XEN_RUNSTATE_UPDATE } from '#spec/abi/sched.ts';
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import { copyToGuest, guestToMachine, putGuest, SCRATCH, scratch } from './guest_access.ts';
import type { Machine } from './machine.ts';
import { highHalf } from './u64.ts';
import type { Vcpu } from './vcpu.ts';

const { runstate_info } = layouts;
/** The record of 32-bit domains has no gap behind the state. */
const GAP = 4;
/** Bytes of a domain's record. */
export const runstateBytes = (vcpu: Vcpu): number => (vcpu.domain.compat ? runstate_info.size - GAP : runstate_info.size);
/** The most significant byte of state_entry_time carries the update flag. */
const flagByte = (vcpu: Vcpu): number => runstate_info.fields.state_entry_time.at + 7 - (vcpu.domain.compat ? GAP : 0);
const UPDATE = Number(XEN_RUNSTATE_UPDATE >> 56n);

const store = (at: number, value: number): void => {
  scratch.setUint32(at, value >>> 0 === value ? value : value % 0x1_0000_0000, true);
  scratch.setInt32(at + 4, highHalf(value), true);
};

/** Lay the runstate out at the start of the scratch buffer; `extra` ns are added to the time of the present state. */
export const layRunstate = (vcpu: Vcpu, extra: number): void => {
  const { state, state_entry_time, time } = runstate_info.fields;
  scratch.setUint32(state.at, vcpu.runstate, true);
  scratch.setUint32(state.at + 4, 0, true);
  store(state_entry_time.at, vcpu.runstateEntry);
  for (let i = 0; i < 4; i++) store(time.at + 8 * i, vcpu.runstateTime[i] + (i === vcpu.runstate ? extra : 0));
  if (vcpu.domain.compat) SCRATCH.copyWithin(state_entry_time.at - GAP, state_entry_time.at, runstate_info.size);
};

/** Whether nothing of the area could be written. */
const unreachable = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): boolean => guestToMachine(machine, vcpu, lo, hi, true) < 0;

/**
 * Write the area, if there is one. When the vCPU is in user mode and nothing could be written, it is done at its next entry to
 * kernel mode.
 */
export const updateRunstateArea = (machine: Machine, vcpu: Vcpu): void => {
  const area = vcpu.runstateArea;
  if (area === null) return;
  const flagged = (vcpu.domain.vmAssist & (1 << VMASST_TYPE.runstate_update_flag)) !== 0;
  const place = flagByte(vcpu);
  const flagLow = (area.lo >>> 0) + place;
  const flagHi = flagLow > 0xffffffff ? (area.hi + 1) | 0 : area.hi;
  layRunstate(vcpu, 0);
  const entryTop = scratch.getUint8(place);
  if (flagged) {
    putGuest(machine, vcpu, flagLow | 0, flagHi, 1, entryTop | UPDATE);
    scratch.setUint8(place, entryTop | UPDATE);
  }
  const failed = unreachable(machine, vcpu, area.lo, area.hi);
  copyToGuest(machine, vcpu, area.lo, area.hi, runstateBytes(vcpu));
  if (flagged) putGuest(machine, vcpu, flagLow | 0, flagHi, 1, entryTop & ~UPDATE);
  vcpu.runstateUpdatePending = failed && !vcpu.kernelMode && !vcpu.domain.compat;
};
