/** The frames of a dying domain. Xen's name: relinquish_memory. */
import type { VcpuRef } from '#spec/event.ts';
import { WHOLE } from '../../frame_table.ts';
import { preemptCheck } from '../../hypercall/preempt.ts';
import { cite } from '../../journal.ts';
import { domainOf, frame, updateDomain, updateFrame } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { demote } from '../../page_type/demote.ts';
import { addReference, putPage } from '../../page_type/references.ts';
import { putPageAndTable } from '../../page_type/table_entry.ts';
import { levelOf } from '../../page_type/type.ts';
import { spend } from '../../work.ts';
import type { Progress, Stage } from './kill.ts';

/** domctl/destroydomain-frames: one round, ascending, with a question after each frame. */
export const relinquishFrames: Stage = (machine, caller, domid) => {
  const { dying } = domainOf(machine, domid);
  if (dying?.stage !== 'frames') return { machine, over: true };
  const { level } = dying;
  const { xenheap_first, domheap_first } = machine.config.layout;
  const [first, end] = level === 0 ? [xenheap_first, machine.xenheapNext] : [domheap_first, machine.config.frames];
  const stopAt = (m: Machine, next: number): Progress => ({
    machine: updateDomain(m, domid, { dying: { stage: 'frames', level, next } }),
    over: false,
  });
  let m = cite(machine, 'domctl/destroydomain-frames');
  for (let mfn = Math.max(first, dying.next); mfn < end; mfn++) {
    const { owner, refs } = frame(m, mfn)!;
    if (owner !== domid || refs === 0) continue;
    spend(m, 'frame');
    const gone = relinquish(m, caller, mfn, level);
    if (!gone.over) return stopAt(gone.machine, mfn);
    const asked = preemptCheck(gone.machine, caller);
    m = asked.machine;
    if (asked.stop) return stopAt(m, mfn + 1);
  }
  return { machine: m, over: true };
};

/** Its pin, the reference of its allocation, and, when it is a table of the level at hand that is validated still, what its entries hold. */
const relinquish = (machine: Machine, caller: VcpuRef, mfn: number, level: 0 | 4 | 3 | 2): Progress => {
  const held = addReference(machine, mfn);
  const unpinned = unpin(held, caller, mfn);
  if (!unpinned.over) return { machine: putPage(putPage(unpinned.machine, mfn), mfn), over: false };
  const { allocated } = frame(unpinned.machine, mfn)!;
  const given = allocated ? putPage(updateFrame(unpinned.machine, mfn, { allocated: false }), mfn) : unpinned.machine;
  const ended = level === 0 ? { machine: given, over: true } : invalidate(given, caller, mfn, level);
  return ended.over ? { machine: putPage(ended.machine, mfn), over: true } : ended;
};

/** Stopped half way it is not pinned any more; the reference of the pin goes with the one held. */
const unpin = (machine: Machine, caller: VcpuRef, mfn: number): Progress => {
  if (!frame(machine, mfn)!.pinned) return { machine, over: true };
  const put = putPageAndTable(updateFrame(machine, mfn, { pinned: false }), caller, mfn);
  return { machine: put.machine, over: put.errno === null };
};

/** domctl/destroydomain-circular: tables of one level may hold each other; now they are emptied whoever uses them. */
const invalidate = (machine: Machine, caller: VcpuRef, mfn: number, level: 4 | 3 | 2): Progress => {
  const { type, validated, partial, typeRefs } = frame(machine, mfn)!;
  if (levelOf(type) !== level || !(validated || partial)) return { machine, over: true };
  const opened = updateFrame(cite(machine, 'domctl/destroydomain-circular'), mfn, { validated: false, partial: null });
  const emptied = demote(opened, caller, mfn, level, partial ?? WHOLE);
  if (emptied.errno) {
    // One reference and one use stand for a table that stopped half way: those from before, or those held now.
    const m = partial ? putPage(emptied.machine, mfn) : updateFrame(emptied.machine, mfn, { typeRefs: typeRefs + 1 });
    return { machine: m, over: false };
  }
  return {
    machine: partial
      ? putPage(updateFrame(emptied.machine, mfn, { typeRefs: frame(emptied.machine, mfn)!.typeRefs - 1 }), mfn)
      : emptied.machine,
    over: true,
  };
};
