/** The frames of a dying domain: pins and the references of their allocation go; tables that hold each other in a circle are emptied. */

import { ERRNO } from '#spec/abi/errno.ts';
import { WORK } from '#spec/work.ts';
import type { Domain } from '../domain.ts';
import { PGF, type PGT } from '../frame_table.ts';
import { shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { demote } from '../mm/demote.ts';
import { dropAllocation, putPage } from '../mm/page.ts';
import { putPageAndType } from '../mm/page_type.ts';
import type { Vcpu } from '../vcpu.ts';

const ENTRIES = 512;
type Type = (typeof PGT)[keyof typeof PGT];

/** One round over Xen's own pages for the domain, or over the others, ascending from where the last call stopped. Answers 0 or -ERESTART. */
export const loseFrames = (machine: Machine, caller: Vcpu, domain: Domain, which: 'xen' | 'own', level: Type): number => {
  const { frames } = machine;
  const heap = which === 'xen' ? PGF.xenheap : 0;
  for (let mfn = domain.teardownFrom; mfn < frames.count; mfn++) {
    if (frames.owner[mfn] !== domain.domid || (frames.flags[mfn] & PGF.xenheap) !== heap || frames.refs[mfn] === 0) continue;
    machine.work.spend(WORK.frame);
    const isDone = loseFrame(machine, caller, mfn, level);
    domain.teardownFrom = isDone ? mfn + 1 : mfn;
    if (!isDone || shouldPreempt(machine, caller)) return -ERRNO.ERESTART;
  }
  return 0;
};

/** False: interrupted, and to be taken up again. */
const loseFrame = (machine: Machine, caller: Vcpu, mfn: number, level: Type): boolean => {
  const { frames } = machine;
  frames.touch(mfn);
  frames.refs[mfn]++;
  if ((frames.flags[mfn] & PGF.pinned) !== 0) {
    frames.flags[mfn] &= ~PGF.pinned;
    if (putPageAndType(machine, caller, mfn) !== 0) {
      putPage(frames, mfn);
      putPage(frames, mfn);
      return false;
    }
  }
  dropAllocation(frames, mfn);
  if (frames.type[mfn] === level && (frames.flags[mfn] & (PGF.validated | PGF.partial)) !== 0 && !empty(machine, caller, mfn)) return false;
  putPage(frames, mfn);
  return true;
};

/** Give back what a table holds, whoever uses it. The caller holds a reference, which stays with the table when this is interrupted. */
const empty = (machine: Machine, caller: Vcpu, mfn: number): boolean => {
  const { frames } = machine;
  const wasPartial = (frames.flags[mfn] & PGF.partial) !== 0;
  frames.flags[mfn] &= ~(PGF.validated | PGF.partial);
  if (!wasPartial) {
    frames.nrValidated[mfn] = ENTRIES;
    frames.partialSet[mfn] = 0;
  }
  const answer = demote(machine, caller, mfn, frames.type[mfn]);
  if (answer === 0) {
    if (wasPartial) {
      frames.typeRefs[mfn]--;
      putPage(frames, mfn);
    }
    return true;
  }
  frames.flags[mfn] |= PGF.partial;
  if (wasPartial) putPage(frames, mfn);
  else frames.typeRefs[mfn]++;
  return false;
};
