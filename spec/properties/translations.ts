/** Where translations lead that processors may have cached, stale ones included. Chapter: spec/chapters/tlb.md, "What may stand". */
import { LEADS } from './cached.ts';
import { isCounted, isShared } from './frames.ts';
import { forbidden } from './ownership.ts';
import { levelOf } from './page_tables.ts';
import { hex, type Invariant, type View } from './view.ts';

const isFree = (view: View, mfn: number): boolean => isCounted(view, mfn) && !isShared(view, mfn) && !view.frames.has(mfn);

/** Why a processor that works for the domain may not have kept this; null when it may. Nobody is harmed by one that leads to a free frame. */
const harmful = (view: View, domid: number, mfn: number, ways: number): string | null => {
  if (isFree(view, mfn)) return null;
  const writable = (ways & LEADS.write) !== 0;
  const why = forbidden(view, domid, { mfn, writable });
  if (why !== null) return why;
  const frame = view.frames.get(mfn);
  if (frame === undefined || frame.owner === null) return null;
  const asTable = (ways & LEADS.table) !== 0;
  if (frame.owner !== domid) return asTable ? `as a page table, a frame of d${frame.owner}` : null;
  if (frame.type_refs === 0) return null;
  if (writable && levelOf(frame) !== undefined) return 'a page table, to be written';
  if (writable && frame.type === 'seg_desc') return 'descriptors, to be written';
  return asTable && frame.type === 'writable' ? 'as a page table, what it can write' : null;
};

export const translations: Invariant = {
  property: 'OWN',
  states:
    'A translation that a processor may have cached leads to a frame that is free, or that the domain may use in this way still; to none of the domain’s page tables and descriptors to be written.',
  *violations(view) {
    for (const [cpu, cached] of (view.cached ?? []).entries()) {
      if (cached === null) continue;
      const { domid, leads } = cached;
      for (const [mfn, ways] of leads) {
        const why = harmful(view, domid, mfn, ways);
        if (why) yield `processor ${cpu} may have cached for d${domid} ${why}: ${hex(mfn)}`;
      }
    }
  },
};
