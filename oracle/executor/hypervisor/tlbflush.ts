/**
 * When processors have to flush their TLB for safety, by Xen's clock: it ticks with each flush; a CPU keeps the time of its own last one, a
 * frame the time of its last use. Translations are never stale here; each flush that Xen would do is told.
 */
import type { Domain } from './domain.ts';
import type { Machine } from './machine.ts';
import { hexText } from './u64.ts';
import type { Vcpu } from './vcpu.ts';

/** Sets of pCPUs are bit masks. */
export class TlbClock {
  time = 1;
  /** Of each pCPU's last flush. */
  readonly flushed: Uint32Array;
  /** How often each pCPU flushed everything, for those who look on. */
  readonly flushes: Uint32Array;

  constructor(pcpus: number) {
    this.flushed = new Uint32Array(pcpus).fill(1);
    this.flushes = new Uint32Array(pcpus);
  }

  tick(mask: number): void {
    this.time++;
    for (let left = mask; left !== 0; left &= left - 1) {
      const cpu = 31 - Math.clz32(left & -left);
      this.flushed[cpu] = this.time;
      this.flushes[cpu]++;
    }
  }

  /** Those of the set that have not flushed since `stamp`. */
  since(mask: number, stamp: number): number {
    let stale = 0;
    for (let left = mask; left !== 0; left &= left - 1) {
      const cpu = 31 - Math.clz32(left & -left);
      if (this.flushed[cpu] <= stamp) stale |= 1 << cpu;
    }
    return stale;
  }
}

/** The pCPU that has the vCPU's registers, also while it idles: none or one. */
export const dirtyCpu = (machine: Machine, vcpu: Vcpu): number =>
  vcpu.loadedOn >= 0 && machine.pcpus[vcpu.loadedOn].loaded === vcpu ? 1 << vcpu.loadedOn : 0;

/** The pCPUs that have registers of one of the domain's vCPUs. */
export const dirtyCpus = (machine: Machine, domain: Domain): number => {
  let mask = 0;
  for (const { id, loaded } of machine.pcpus) if (loaded?.domain === domain && loaded.loadedOn === id) mask |= 1 << id;
  return mask;
};

/** Lists of sets, by mask: most machines have few. Events share them, and nobody changes them. */
const lists: (number[] | undefined)[] = [];
const MOST_KEPT = 256;

const listOf = (mask: number): number[] => {
  if (mask < 0 || mask >= MOST_KEPT) return newList(mask);
  lists[mask] ??= newList(mask);
  return lists[mask];
};

const newList = (mask: number): number[] => {
  const cpus: number[] = [];
  for (let rest = mask; rest !== 0; rest &= rest - 1) cpus.push(31 - Math.clz32(rest & -rest));
  return cpus;
};

/** Flush everything on the pCPUs of the set. */
export const flushMask = (machine: Machine, mask: number): void => {
  if (mask === 0) return;
  machine.tlb.tick(mask);
  machine.emit({ kind: 'tlb_flush', cpus: listOf(mask), address: null });
};

/** Flush one address on the pCPUs of the set: the clock stands still. */
export const flushAddress = (machine: Machine, mask: number, lo: number, hi: number): void => {
  if (mask === 0) return;
  machine.emit({ kind: 'tlb_flush', cpus: listOf(mask), address: hexText(lo, hi) });
};

export const flushLocal = (machine: Machine, vcpu: Vcpu): void => flushMask(machine, 1 << vcpu.processor);

/** A frame without type references is about to get another type than it had. */
export const flushForType = (machine: Machine, mfn: number): void => {
  const stamp = machine.frames.lastUse[mfn];
  // Never used yet: older than any flush.
  if (stamp === 0) return;
  const owner = machine.domainById(machine.frames.owner[mfn]);
  if (owner) flushMask(machine, machine.tlb.since(dirtyCpus(machine, owner), stamp));
};

/** Frames that were some domain's are about to become another's: every pCPU that has not flushed since then. */
export const flushForAllocation = (machine: Machine, first: number, count: number): void => {
  const { lastUse, needFlush } = machine.frames;
  let latest = 0;
  for (let mfn = first; mfn < first + count; mfn++) {
    if (needFlush[mfn] === 0) continue;
    needFlush[mfn] = 0;
    if (lastUse[mfn] > latest) latest = lastUse[mfn];
  }
  if (latest > 0) flushMask(machine, machine.tlb.since((1 << machine.pcpus.length) - 1, latest));
};
