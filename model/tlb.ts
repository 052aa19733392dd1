/**
 * When Xen makes processors forget translations. Time is counted in whole flushes; a pCPU whose own last one is later than the end of a
 * frame's last use needs none for that frame's sake. Chapter: spec/chapters/tlb.md.
 */
import type { VcpuRef } from '#spec/event.ts';
import { cite, emit } from './journal.ts';
import { frame, pcpuOf } from './lens.ts';
import type { Machine } from './machine.ts';
import { toHex, type Word } from './word/word.ts';

export type Tlb = {
  /** Whole flushes since boot. */
  readonly time: number;
  /** For each pCPU the time of its last one. */
  readonly flushed: readonly number[];
  /** How often each pCPU has forgotten everything: nothing here depends on it, the properties do. */
  readonly flushes: readonly number[];
};

export const freshTlb = (pcpus: number): Tlb => ({
  time: 1,
  flushed: new Array<number>(pcpus).fill(1),
  flushes: new Array<number>(pcpus).fill(0),
});

/** tlb/dirty: pCPUs that hold the state of some vCPU of the domain, ascending. */
export const dirtyPcpus = ({ cpus }: Machine, domid: number): readonly number[] =>
  cpus.flatMap(({ loaded }, cpu) => (loaded?.domid === domid ? [cpu] : []));

/** tlb/dirty: pCPUs that hold the state of one of these vCPUs of the domain, ascending. */
export const pcpusHolding = ({ cpus }: Machine, domid: number, vcpus: ReadonlySet<number>): readonly number[] =>
  cpus.flatMap(({ loaded }, cpu) => (loaded?.domid === domid && vcpus.has(loaded.vcpu) ? [cpu] : []));

/** The pCPUs forget everything, without anybody being told. */
export const forget = (machine: Machine, cpus: readonly number[]): Machine => {
  const time = machine.tlb.time + 1;
  const { flushed, flushes } = machine.tlb;
  const tlb: Tlb = {
    time,
    flushed: flushed.map((last, cpu) => (cpus.includes(cpu) ? time : last)),
    flushes: flushes.map((count, cpu) => (cpus.includes(cpu) ? count + 1 : count)),
  };
  return { ...machine, tlb };
};

/** The pCPUs forget everything. */
export const flush = (machine: Machine, cpus: readonly number[]): Machine =>
  cpus.length === 0 ? machine : emit(forget(machine, cpus), { kind: 'tlb_flush', cpus: [...cpus], address: null });

/** The pCPUs forget one address: nothing that the clock knows of. */
export const flushOne = (machine: Machine, cpus: readonly number[], address: Word): Machine =>
  cpus.length === 0 ? machine : emit(machine, { kind: 'tlb_flush', cpus: [...cpus], address: toHex(address) });

/** The pCPU that runs the caller forgets everything. */
export const flushLocal = (machine: Machine, caller: VcpuRef): Machine => flush(machine, [pcpuOf(machine, caller)]);

const since = ({ tlb }: Machine, cpus: readonly number[], time: number): readonly number[] =>
  cpus.filter((cpu) => tlb.flushed[cpu]! <= time);

/** tlb/type-change: a frame of the domain gets a first use that is another than its last one. */
export const flushForType = (machine: Machine, mfn: number): Machine => {
  const { owner, usedUntil } = frame(machine, mfn)!;
  if (usedUntil === 0 || owner === null) return machine;
  const stale = since(machine, dirtyPcpus(machine, owner), usedUntil);
  return stale.length === 0 ? machine : flush(cite(machine, 'tlb/type-change'), stale);
};

/** tlb/allocated: before the frames of a run get a new owner. */
export const flushForOwner = (machine: Machine, first: number, count: number): Machine => {
  let latest = 0;
  for (let mfn = first; mfn < first + count; mfn++) latest = Math.max(latest, frame(machine, mfn)!.usedUntil);
  const stale = since(machine, [...machine.cpus.keys()], latest);
  return stale.length === 0 ? machine : flush(cite(machine, 'tlb/allocated'), stale);
};
