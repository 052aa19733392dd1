/** What is left of a domain that is gone. Chapter: spec/chapters/domctl.md. */
import type { Invariant } from './view.ts';

export const remains: Invariant = {
  property: 'LEAK',
  states: 'Nothing is left of a domain that is gone: no frame, no processor, no end of a channel, no grant and no handle.',
  *violations({ frames, observation }) {
    const alive = new Set(observation.domains.map(({ domid }) => domid));
    const isGone = (domid: number | null): domid is number => domid !== null && !alive.has(domid);
    for (const { mfn, owner } of frames.values()) if (isGone(owner)) yield `frame ${mfn.toString(16)} is of d${owner}`;
    for (const [cpu, { current, holds }] of observation.cpus.entries()) {
      if (current && isGone(current.domid)) yield `processor ${cpu} runs d${current.domid}v${current.vcpu}`;
      if (holds && isGone(holds.domid)) yield `processor ${cpu} holds the state of d${holds.domid}v${holds.vcpu}`;
    }
    for (const { domid, ports, active_grants, maptrack } of observation.domains) {
      for (const { port, status, remote_dom } of ports)
        if (status === 'interdomain' && isGone(remote_dom)) yield `port ${port} of d${domid} leads to d${remote_dom}`;
      for (const grant of active_grants) if (isGone(grant.domid)) yield `grant ${grant.ref} of d${domid} is used by d${grant.domid}`;
      for (const entry of maptrack) if (isGone(entry.domid)) yield `handle ${entry.handle} of d${domid} is for d${entry.domid}`;
    }
  },
};
