/** What kinds of frames a machine has. */
import type { DomainObservation } from '../observation.ts';
import { isMachineToPhys } from './machine_to_phys.ts';
import type { View } from './view.ts';

/** Device memory lies in the first MiB and behind the end of RAM, and has no counts. */
export const LOW_MEMORY = 0x100;
export const isCounted = ({ config }: View, mfn: number): boolean => mfn >= LOW_MEMORY && mfn < config.frames;

/** Xen's own, some of which it shares with guests for good: these have a reference and a writable use that nothing takes away. */
export const isShared = (view: View, mfn: number): boolean => {
  const { xenheap_first, xenheap_end } = view.config.layout;
  return (mfn >= xenheap_first && mfn < xenheap_end) || isMachineToPhys(view, mfn) || sharedBy(view, mfn) !== null;
};

/** The domain that a frame of Xen's is shared with: its shared info, or frames of its grant table. */
export const sharedBy = ({ observation: { domains } }: View, mfn: number): number | null => {
  const shares = known.get(domains) ?? sharesOf(domains);
  return shares.get(mfn) ?? null;
};

/** Every frame is asked about at each look. */
const known = new WeakMap<readonly DomainObservation[], ReadonlyMap<number, number>>();

const sharesOf = (domains: readonly DomainObservation[]): ReadonlyMap<number, number> => {
  const shares = new Map<number, number>();
  for (const { domid, shared_info, grant_frames, status_frames = [] } of domains)
    for (const mfn of [shared_info, ...grant_frames, ...status_frames]) if (!shares.has(mfn)) shares.set(mfn, domid);
  known.set(domains, shares);
  return shares;
};
