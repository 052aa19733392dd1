/**
 * What processors may have cached. A processor may read any translation that the tables of its vCPU hold, at any time, and keep it until it
 * forgets all of them; so what it may have cached grows from one look at a machine to the next, and is empty behind each flush. Chapter:
 * spec/chapters/tlb.md.
 */
import type { PcpuObservation } from '../observation.ts';
import { entries, levelOf } from './page_tables.ts';
import { baseTables } from './uses.ts';
import { domainOf, type View } from './view.ts';

/** The ways in which a cached translation leads to a frame: as bits. */
export const LEADS = { read: 1, write: 2, table: 4 } as const;

/** Of one pCPU: the domain whose translations they are, and by frame how they lead there. */
export type Cached = { readonly domid: number; readonly leads: ReadonlyMap<number, number> };

type Leads = Map<number, number>;

const lead = (leads: Leads, mfn: number, way: number): void => {
  leads.set(mfn, (leads.get(mfn) ?? 0) | way);
};

/** Everything that the tables of the vCPU which this pCPU holds lead to now. Addresses that only its other mode has are among them. */
const addPresent = (view: View, { holds }: PcpuObservation, leads: Leads): void => {
  const vcpu = holds && domainOf(view, holds.domid)?.vcpus[holds.vcpu];
  if (!vcpu) return;
  const todo = baseTables(view, vcpu).map(({ mfn }) => mfn);
  const met = new Set<number>(todo);
  for (const table of todo) {
    lead(leads, table, LEADS.table);
    const frame = view.frames.get(table);
    const level = frame && levelOf(frame);
    if (level === undefined) continue;
    for (const { mfn, writable } of entries(view, frame!, level)) {
      if (level === 1) lead(leads, mfn, writable ? LEADS.write : LEADS.read);
      else if (!met.has(mfn)) {
        met.add(mfn);
        todo.push(mfn);
      }
    }
  }
};

/** Keeps by pCPU what it may have cached, from look to look. Looks may be as far apart as one likes: then some translations are not known of. */
export class Caches {
  private readonly pcpus: { holds: string; flushes: number; leads: Leads }[] = [];

  /** The view with what may be cached in it. */
  look(view: View): View {
    const cached = view.observation.cpus.map((pcpu, cpu): Cached | null => {
      const holds = pcpu.holds ? `${pcpu.holds.domid}.${pcpu.holds.vcpu}` : '';
      const before = this.pcpus[cpu];
      const leads: Leads = before?.holds === holds && before.flushes === pcpu.flushes ? before.leads : new Map();
      addPresent(view, pcpu, leads);
      this.pcpus[cpu] = { holds, flushes: pcpu.flushes, leads };
      return pcpu.holds && { domid: pcpu.holds.domid, leads };
    });
    return { ...view, cached };
  }
}
