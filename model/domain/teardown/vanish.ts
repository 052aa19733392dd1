/** A dead domain is gone when nobody holds a frame of it any more. */
import { VIRQ } from '#spec/abi/xen.ts';
import { sendGlobalVirq } from '../../hypercall/event_channel/virq.ts';
import { cite } from '../../journal.ts';
import { findDomain, frame } from '../../lens.ts';
import type { Machine } from '../../machine.ts';

/** domctl/destroydomain-gone: its number names nobody from now on, and domain 0 is told again. */
export const vanishIfEmpty = (machine: Machine, domid: number): Machine => {
  const domain = findDomain(machine, domid);
  if (domain?.dying?.stage !== 'dead' || domain.pages > 0 || hasHeapFrames(machine, domid)) return machine;
  const left = { ...cite(machine, 'domctl/destroydomain-gone'), domains: machine.domains.filter((other) => other.domid !== domid) };
  return sendGlobalVirq(left, VIRQ.DOM_EXC);
};

const hasHeapFrames = (machine: Machine, domid: number): boolean => {
  const { xenheap_first } = machine.config.layout;
  for (let mfn = xenheap_first; mfn < machine.xenheapNext; mfn++) if (frame(machine, mfn)!.owner === domid) return true;
  return false;
};
