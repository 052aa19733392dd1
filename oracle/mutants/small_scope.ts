/** Bugs in the model's own transitions, for the exploration of small machines: it must find the shortest way to what they break. */
import type { Mutant } from './catalogue.ts';

export const SMALL_SCOPE_MUTANTS: readonly Mutant[] = [
  {
    id: 'model-close-peer',
    part: 'model',
    file: 'model/hypercall/event_channel/close.ts',
    find: "return changeChannel(machine, remoteDom, remotePort, 'peer_closes', { state: 'unbound', vcpu: peer.vcpu, remoteDom: domid });",
    replace: 'return machine;',
    summary: 'EVTCHNOP_close leaves the other end of a channel between domains as it was',
  },
  {
    id: 'model-close-virq',
    part: 'model',
    file: 'model/hypercall/event_channel/close.ts',
    find: 'const at = { domid, vcpu: virqIsGlobal(channel.virq) ? 0 : channel.vcpu };',
    replace: 'const at = { domid, vcpu: 0 };',
    summary: 'EVTCHNOP_close forgets which vCPU a virtual interrupt was bound for',
  },
  {
    id: 'model-bind-other',
    part: 'model',
    file: 'model/hypercall/event_channel/bind_interdomain.ts',
    find: "if (peer?.state !== 'unbound' || peer.remoteDom !== caller.domid)",
    replace: "if (peer?.state !== 'unbound')",
    summary: 'EVTCHNOP_bind_interdomain joins a port that waits for another domain',
  },
];

export const smallScopeById = (id: string): Mutant | undefined => SMALL_SCOPE_MUTANTS.find((mutant) => mutant.id === id);
