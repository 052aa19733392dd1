/** One chunk of XENMEM_exchange: frames go, as many others come. */

import { copyFromGuest, writeGuestWord } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { frame, setMemory, updateFrame } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { clearPage } from '../../memory/access.ts';
import { wordIn } from '../../memory/guest.ts';
import { assignFrames, loseFrame } from '../../page_type/allocation.ts';
import { isKnown, isXenPage, ownerOf } from '../../page_type/owner.ts';
import { allow, refuse, type Verdict } from '../../page_type/verdict.ts';
import { addInt, fromNumber, toNumber } from '../../word/word.ts';
import { freeRun } from './allocate.ts';
import { type Exchange, elementOf } from './exchange.ts';
import { nameFrames } from './reservation.ts';

/** Chunk number `i`. A chunk that is refused leaves the domain's frames with it. */
export const exchangeChunk = (machine: Machine, exchange: Exchange, i: bigint): Verdict => {
  const stolen = steal(machine, exchange, i);
  if (stolen.errno) return stolen;
  const fresh = take(stolen.machine, exchange);
  if (fresh.errno) return { ...fresh, machine: forget(fresh.machine, stolen.frames) };
  return tellPages(stolen.frames.reduce(release, fresh.machine), exchange, i, fresh.runs);
};

type Stolen = Verdict & { readonly frames: readonly number[] };

/** Frames that nothing but their allocation refers to. */
const steal = (machine: Machine, { caller, domid, ins, inChunk }: Exchange, i: bigint): Stolen => {
  const frames = new Set<number>();
  let m = machine;
  const failed = (verdict: Verdict): Stolen => ({ ...verdict, machine: forget(verdict.machine, [...frames]), frames: [] });
  for (let j = 0; j < 2 ** inChunk; j++) {
    const read = copyFromGuest(m, caller, elementOf(ins, (i << BigInt(inChunk)) + BigInt(j)), 8);
    m = read.machine;
    if (!read.ok) return failed(refuse(m, 'EFAULT', 'memory/exchange-read'));
    for (let k = 0; k < 2 ** ins.order; k++) {
      const mfn = toNumber(addInt(wordIn(read.bytes, 0), k));
      if (frames.has(mfn) || !isLoose(m, domid, mfn)) return failed(refuse(m, 'EINVAL', 'memory/exchange-frame'));
      frames.add(mfn);
    }
  }
  return { ...allow(m), frames: [...frames] };
};

const isLoose = (machine: Machine, domid: number, mfn: number): boolean => {
  if (!isKnown(machine, mfn) || ownerOf(machine, mfn) !== domid || isXenPage(machine, mfn)) return false;
  const { refs, allocated } = frame(machine, mfn)!;
  return refs === 1 && allocated;
};

/** The domain has the frames back, and Xen has forgotten what they were used as. */
const forget = (machine: Machine, frames: readonly number[]): Machine =>
  frames.reduce((m, mfn) => updateFrame(m, mfn, { type: 'none', validated: false }), machine);

type Taken = Verdict & { readonly runs: readonly number[] };

/** Runs for the extents that come; on failure those that were found are free again, and cleared. */
const take = (machine: Machine, { domid, outs, outChunk, where }: Exchange): Taken => {
  const runs: number[] = [];
  let m = machine;
  for (let j = 0; j < 2 ** outChunk; j++) {
    const mfn = freeRun(m, outs.order, where, 0);
    if (mfn === null) {
      // What was flushed for those that were found stays flushed.
      const flushed = { ...machine, tlb: m.tlb, journal: m.journal };
      const cleared = runs.flatMap((first) => framesOf(first, outs.order)).reduce(clear, flushed);
      return { ...refuse(cleared, 'ENOMEM', 'memory/exchange-none'), runs };
    }
    runs.push(mfn);
    m = assignFrames(m, domid, mfn, 2 ** outs.order);
  }
  return { ...allow(m), runs };
};

const framesOf = (first: number, order: number): readonly number[] => Array.from({ length: 2 ** order }, (_, i) => first + i);
const clear = (machine: Machine, mfn: number): Machine => setMemory(machine, clearPage(machine.memory, mfn));
const release = (machine: Machine, mfn: number): Machine => clear(loseFrame(machine, mfn), mfn);

/** Which pages the new frames are, and which frames they are: for each extent as far as the list allows it. */
const tellPages = (machine: Machine, { caller, outs, outChunk }: Exchange, i: bigint, runs: readonly number[]): Verdict => {
  let m = machine;
  let faults = 0;
  for (const [j, mfn] of runs.entries()) {
    const at = elementOf(outs, (i << BigInt(outChunk)) + BigInt(j));
    const read = copyFromGuest(m, caller, at, 8);
    m = read.machine;
    if (!read.ok) {
      faults++;
      continue;
    }
    const written = writeGuestWord(nameFrames(m, mfn, outs.order, wordIn(read.bytes, 0)), caller, at, fromNumber(mfn));
    m = written.machine;
    if (!written.ok) faults++;
  }
  return faults > 0 ? refuse(m, 'EFAULT', 'memory/exchange-told') : allow(cite(m, 'memory/exchange-done'));
};
