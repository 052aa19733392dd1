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
  {
    id: 'model-unmap-entry',
    part: 'model',
    file: 'model/hypercall/grant_table/host_mapping.ts',
    find: 'if (frameOf(pte) !== mfn || (pte.lo & (PTE.P | PTE.RW)) !== presence(flags)) return failed();',
    replace: 'if ((pte.lo & PTE.P) === 0) return failed();',
    summary: 'GNTTABOP_unmap_grant_ref clears an entry that maps something else than the grant',
  },
  {
    id: 'model-map-read_only',
    part: 'model',
    file: 'model/hypercall/grant_table/map_grant_ref.ts',
    find: 'const uses = isReadOnly(flags) ? 0 : countsOf(flags).length;',
    replace: 'const uses = 0;',
    summary: 'GNTTABOP_map_grant_ref maps a frame for writing and counts no use of it',
  },
  {
    id: 'model-l1-type',
    part: 'model',
    file: 'model/page_type/l1_entry.ts',
    find: "const used = isWritable(pte) ? addReferenceAndType(machine, mfn, 'writable') : allow(addReference(machine, mfn));",
    replace: 'const used = allow(addReference(machine, mfn));',
    summary: 'An entry of level 1 maps a frame for writing and counts no use of it',
  },
  {
    id: 'model-death-channels',
    part: 'model',
    file: 'model/domain/teardown/channels.ts',
    find: 'if (channel) m = cite(closeChannel',
    replace: "if (channel && channel.state !== 'interdomain') m = cite(closeChannel",
    summary: 'A domain that dies keeps its channels to other domains',
  },
];

export const smallScopeById = (id: string): Mutant | undefined => SMALL_SCOPE_MUTANTS.find((mutant) => mutant.id === id);
