/** Switching between guest kernel and guest user mode. Chapter: spec/chapters/trap.md. */
import type { VcpuRef } from '#spec/event.ts';
import { ModelBug } from '#spec/failure.ts';
import { cite } from '../journal.ts';
import { setVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { retryAreas } from '../time/areas.ts';

/** The other mode's page tables and GS base come into use. All else stays as it is. */
export const toggleMode = (machine: Machine, at: VcpuRef): Machine => {
  const vcpu = vcpuOf(machine, at);
  const mode = vcpu.mode === 'kernel' ? 'user' : 'kernel';
  const root = mode === 'kernel' ? vcpu.kernelTable : vcpu.userTable;
  if (root === 0) throw new ModelBug('mode switch without page tables');
  const { segments } = vcpu.cpu;
  const cpu = { ...vcpu.cpu, segments: { ...segments, root, gsBase: vcpu.gsBaseOther } };
  const toggled = setVcpu(cite(machine, 'trap/mode-switch'), { ...vcpu, mode, cpu, gsBaseOther: segments.gsBase });
  return mode === 'kernel' ? retryAreas(toggled, at) : toggled;
};
