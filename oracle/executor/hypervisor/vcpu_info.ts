/** Reaching a vCPU's vcpu_info and its domain's shared info in machine memory. */
import { vcpu_info } from '#spec/abi/xen.ts';
import type { Machine } from './machine.ts';
import type { Vcpu } from './vcpu.ts';

const { evtchn_upcall_pending, evtchn_upcall_mask } = vcpu_info.fields;

/** Machine address of the structure. */
export const infoAddress = (vcpu: Vcpu): number => vcpu.infoMfn * 4096 + vcpu.infoOffset;

export const upcallPending = (machine: Machine, vcpu: Vcpu): number => machine.memory.bytes[infoAddress(vcpu) + evtchn_upcall_pending.at];
export const upcallMask = (machine: Machine, vcpu: Vcpu): number => machine.memory.bytes[infoAddress(vcpu) + evtchn_upcall_mask.at];

/** An upcall is pending and not masked. */
export const wantsUpcall = (machine: Machine, vcpu: Vcpu): boolean => {
  const { bytes } = machine.memory;
  const at = infoAddress(vcpu);
  return bytes[at + evtchn_upcall_pending.at] !== 0 && bytes[at + evtchn_upcall_mask.at] === 0;
};

export const setUpcallPending = (machine: Machine, vcpu: Vcpu, value: number): void => {
  machine.memory.write8(infoAddress(vcpu) + evtchn_upcall_pending.at, value);
};
export const setUpcallMask = (machine: Machine, vcpu: Vcpu, value: number): void => {
  machine.memory.write8(infoAddress(vcpu) + evtchn_upcall_mask.at, value);
};

/** Machine address of a field of the domain's shared info page. */
export const sharedInfoAddress = (vcpu: Vcpu, offset: number): number => vcpu.domain.sharedInfoMfn * 4096 + offset;
