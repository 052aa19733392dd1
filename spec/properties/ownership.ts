/** Whom the memory belongs to that a domain's page tables lead to. Chapters: spec/chapters/page_type.md, spec/chapters/grant_table.md. */
import type { FrameObservation } from '../observation.ts';
import { isCounted, isShared, sharedBy } from './frames.ts';
import { isMachineToPhys } from './machine_to_phys.ts';
import { type Entry, entries, tables } from './page_tables.ts';
import { baseTables } from './uses.ts';
import { domainOf, hex, type Invariant, type View } from './view.ts';

/** The control domain may map what another domain owns when it names that domain. */
const PRIVILEGED = 0;

const isGranted = (view: View, owner: number, to: number, mfn: number, writable: boolean): boolean =>
  domainOf(view, owner)?.active_grants.some(
    (grant) => grant.mfn === mfn && grant.domid === to && grant.host_write + (writable ? 0 : grant.host_read) > 0,
  ) ?? false;

/** Why a domain may not have this mapping; null when it may. Of device memory Xen takes no mapping away when domain 0 takes the right back. */
export const forbidden = (view: View, domid: number, { mfn, writable }: Pick<Entry, 'mfn' | 'writable'>): string | null => {
  if (!isCounted(view, mfn)) return domid === PRIVILEGED || domainOf(view, domid)?.io_frames !== undefined ? null : 'device memory';
  if (isMachineToPhys(view, mfn)) return writable ? 'the machine-to-physical table, to be written' : null;
  const shared = sharedBy(view, mfn);
  if (shared !== null) return shared === domid || domid === PRIVILEGED ? null : `what Xen shares with d${shared}`;
  if (isShared(view, mfn)) return 'what is Xen’s own';
  const frame = view.frames.get(mfn);
  if (frame === undefined) return 'a free frame';
  const { owner } = frame;
  if (owner === domid || domid === PRIVILEGED) return null;
  if (owner === null) return 'a frame of nobody';
  return isGranted(view, owner, domid, mfn, writable) ? null : `a frame of d${owner} that it was not granted`;
};

export const mappings: Invariant = {
  property: 'OWN',
  states:
    'A page table of a domain maps frames that the domain owns, that it was granted in this way, or that Xen shares with it; domain 0 also those of others. None is free. Device memory is for domain 0 and whom it gave some.',
  *violations(view) {
    for (const { frame, level } of tables(view)) {
      if (level !== 1 || frame.owner === null) continue;
      for (const entry of entries(view, frame, 1)) {
        const why = forbidden(view, frame.owner, entry);
        if (why) yield `d${frame.owner} maps ${why}: entry ${entry.index} of ${hex(frame.mfn)} leads to ${hex(entry.mfn)}`;
      }
    }
  },
};

const isTableOf = (frame: FrameObservation | undefined, domid: number): boolean => frame !== undefined && frame.owner === domid;

export const tableOwners: Invariant = {
  property: 'OWN',
  states: 'A page table leads to page tables of the same domain alone, and so do the base pointers of its vCPUs.',
  *violations(view) {
    for (const { frame, level } of tables(view)) {
      const { owner } = frame;
      if (level === 1 || owner === null) continue;
      for (const { mfn, index } of entries(view, frame, level))
        if (!isTableOf(view.frames.get(mfn), owner) && !isMachineToPhys(view, mfn))
          yield `entry ${index} of ${hex(frame.mfn)}, a table of d${owner}, leads to ${hex(mfn)}, which is not its own`;
    }
    for (const { domid, vcpus } of view.observation.domains)
      for (const vcpu of vcpus)
        for (const { mfn } of baseTables(view, vcpu))
          if (!isTableOf(view.frames.get(mfn), domid))
            yield `d${domid}v${vcpu.vcpu} has the base pointer ${hex(mfn)}, which is not its own`;
  },
};
