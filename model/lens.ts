/** Reading and replacing parts of a machine. All lookups of what must exist throw ModelBug. */
import type { VcpuRef } from '#spec/event.ts';
import { ModelBug } from '#spec/failure.ts';
import type { CpuState } from './cpu/x86/state.ts';
import type { Domain } from './domain.ts';
import { closedTable, type Frame, frameAt, openTable, withFrame } from './frame_table.ts';
import type { Machine } from './machine.ts';
import type { Memory } from './memory/memory.ts';
import type { Vcpu } from './vcpu.ts';
import type { Word } from './word/word.ts';

/** The domain, or `undefined` when there is none with this domid. */
export const findDomain = (machine: Machine, domid: number): Domain | undefined => {
  for (const domain of machine.domains) if (domain.domid === domid) return domain;
  return undefined;
};

/** The domain, which must exist. */
export const domainOf = (machine: Machine, domid: number): Domain => {
  const domain = findDomain(machine, domid);
  if (!domain) throw new ModelBug(`no domain ${domid}`);
  return domain;
};

/** The vCPU, which must exist. */
export const vcpuOf = (machine: Machine, at: VcpuRef): Vcpu => {
  const vcpu = domainOf(machine, at.domid).vcpus[at.vcpu];
  if (!vcpu) throw new ModelBug(`no vCPU ${at.vcpu} in domain ${at.domid}`);
  return vcpu;
};

/** Replace a domain by its domid. */
export const setDomain = (machine: Machine, domain: Domain): Machine => {
  const domains = machine.domains.slice();
  for (let i = 0; i < domains.length; i++) if (domains[i].domid === domain.domid) domains[i] = domain;
  return { ...machine, domains };
};

/** Change some fields of a domain. */
export const updateDomain = (machine: Machine, domid: number, change: Partial<Domain>): Machine =>
  setDomain(machine, { ...domainOf(machine, domid), ...change });

/** Replace a vCPU by its domid and number. */
export const setVcpu = (machine: Machine, vcpu: Vcpu): Machine => ({ ...machine, domains: withVcpu(machine.domains, vcpu) });

/** The domains with a vCPU replaced by its domid and number. */
const withVcpu = (domains: readonly Domain[], vcpu: Vcpu): readonly Domain[] => {
  const all = domains.slice();
  for (let i = 0; i < all.length; i++) {
    if (all[i].domid !== vcpu.domid) continue;
    const vcpus = all[i].vcpus.slice();
    vcpus[vcpu.id] = vcpu;
    all[i] = { ...all[i], vcpus };
  }
  return all;
};

/** Change some fields of a vCPU. */
export const updateVcpu = (machine: Machine, at: VcpuRef, change: Partial<Vcpu>): Machine =>
  setVcpu(machine, { ...vcpuOf(machine, at), ...change });

/** Replace a vCPU's processor state. */
export const setCpu = (machine: Machine, at: VcpuRef, cpu: CpuState): Machine => setVcpu(machine, { ...vcpuOf(machine, at), cpu });

/** The vCPU that the transition has made for its run of instructions: no machine from before the transition has it. */
let owned: Vcpu | null = null;

/** A transition begins or is over: whatever it has made belongs to everybody. */
export const disown = (): void => {
  owned = null;
};

/**
 * Replace the processor state of a vCPU that runs, by the one who made `machine` and needs it no more: a vCPU that the transition made
 * itself is written over, since the machines that know it are gone too.
 */
export const replaceCpu = (machine: Machine, at: VcpuRef, cpu: CpuState): Machine => {
  const vcpu = vcpuOf(machine, at);
  if (vcpu !== owned) return setCpu(machine, at, cpu);
  (vcpu as { -readonly [K in keyof Vcpu]: Vcpu[K] }).cpu = cpu;
  return machine;
};

/** The registers of a vCPU that runs, to be written over: its own where `replaceCpu` would write over the vCPU, else a copy. */
export const takeRegisters = (machine: Machine, at: VcpuRef): Word[] => {
  const vcpu = vcpuOf(machine, at);
  return vcpu === owned ? (vcpu.cpu.regs as Word[]) : vcpu.cpu.regs.slice();
};

/** What a run came to: the processor state of its vCPU, the memory that it works on, and the count of steps retired. */
export const setRun = (machine: Machine, at: VcpuRef, cpu: CpuState, memory: Memory, retired: number): Machine => {
  if (vcpuOf(machine, at) === owned) return { ...replaceCpu(machine, at, cpu), memory, retired };
  owned = { ...vcpuOf(machine, at), cpu };
  return { ...machine, domains: withVcpu(machine.domains, owned), memory, retired };
};

export const setMemory = (machine: Machine, memory: Memory): Machine => (memory === machine.memory ? machine : { ...machine, memory });

/** State of a frame; `undefined` when the machine has no such frame. */
export const frame = (machine: Machine, mfn: number): Frame | undefined => frameAt(machine.frames, mfn);

export const setFrame = (machine: Machine, mfn: number, state: Frame): Machine => {
  const frames = withFrame(machine.frames, mfn, state);
  return frames === machine.frames ? machine : { ...machine, frames };
};

/**
 * Work that changes many frames, one after another: `work` looks at no machine but the newest (frame_table.ts, `openTable`). Inside other
 * such work it is a part of that.
 */
export const changingFrames = (machine: Machine, work: (machine: Machine) => Machine): Machine => {
  if (machine.frames.open !== null) return work(machine);
  const after = work({ ...machine, frames: openTable(machine.frames) });
  return { ...after, frames: closedTable(after.frames) };
};

/** Change some fields of a frame, which must exist. */
export const updateFrame = (machine: Machine, mfn: number, change: Partial<Frame>): Machine => {
  const old = frameAt(machine.frames, mfn);
  if (!old) throw new ModelBug(`no frame ${mfn.toString(16)}`);
  return setFrame(machine, mfn, { ...old, ...change });
};

export const refOf = (vcpu: Vcpu): VcpuRef => ({ domid: vcpu.domid, vcpu: vcpu.id });

/** pCPU that holds this vCPU, -1 when none does. */
export const pcpuOf = ({ cpus }: Machine, at: VcpuRef): number => {
  for (let cpu = 0; cpu < cpus.length; cpu++) {
    const { current } = cpus[cpu];
    if (current !== null && current.domid === at.domid && current.vcpu === at.vcpu) return cpu;
  }
  return -1;
};
