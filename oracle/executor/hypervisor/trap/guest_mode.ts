/** Switching a vCPU between guest kernel and guest user: page tables and GS base change places. */
import type { Machine } from '../machine.ts';
import { updateRunstateArea } from '../runstate_area.ts';
import { updateTimeArea } from '../system_time.ts';
import type { Vcpu } from '../vcpu.ts';

/** Use the tables that belong to the mode. */
export const loadTables = (vcpu: Vcpu): void => {
  vcpu.cpu.root = vcpu.kernelMode ? vcpu.kernelTable : vcpu.userTable;
};

export const toggleGuestMode = (machine: Machine, vcpu: Vcpu): void => {
  const { cpu, gsBaseOther } = vcpu;
  const active = cpu.gsBase;
  cpu.gsBase = (BigInt(gsBaseOther.hi >>> 0) << 32n) | BigInt(gsBaseOther.lo >>> 0);
  gsBaseOther.set(Number(active & 0xffffffffn), Number(active >> 32n));
  vcpu.kernelMode = !vcpu.kernelMode;
  loadTables(vcpu);
  if (!vcpu.kernelMode) return;
  if (vcpu.runstateUpdatePending) updateRunstateArea(machine, vcpu);
  if (vcpu.lateTime !== null) updateTimeArea(machine, vcpu, vcpu.lateTime);
};
