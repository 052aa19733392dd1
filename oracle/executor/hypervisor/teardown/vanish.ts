/** A dead domain of which nobody holds a frame is gone: its number names nobody. */
import { VIRQ } from '#spec/abi/xen.ts';
import type { Domain } from '../domain.ts';
import type { Machine } from '../machine.ts';
import { sendGlobalVirq } from '../upcall.ts';

const holdsXenPages = ({ frames }: Machine, domain: Domain): boolean =>
  [domain.sharedInfoMfn, ...domain.grants.frames, ...domain.grants.statusFrames].some((mfn) => frames.owner[mfn] === domain.domid);

/** To be asked when it has become dead, and whenever it loses a frame afterwards. */
export const vanishIfGone = (machine: Machine, domain: Domain): void => {
  if (domain.dying !== 'dead' || domain.pages > 0 || holdsXenPages(machine, domain)) return;
  machine.removeDomain(domain);
  sendGlobalVirq(machine, VIRQ.DOM_EXC);
};
