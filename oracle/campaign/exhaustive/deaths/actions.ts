/** What can happen where domains die: their channels and grants as in the machines of these, and domain 0 destroys one, in one call or in many. */
import { destroydomain } from '#model/hypercall/control/domctl/destroydomain.ts';
import { findDomain } from '#model/lens.ts';
import type { Machine } from '#model/machine.ts';
import { ZERO } from '#model/word/word.ts';
import { XEN_DOMCTL_INTERFACE_VERSION } from '#spec/abi/control.ts';
import { XEN_DOMCTL_MODELLED } from '#spec/abi/domctl.ts';
import type { Action } from '../core.ts';
import { channelActions } from '../event_channels/actions.ts';
import { grantActions } from '../grants/actions.ts';
import type { GrantScope, GrantTables } from '../grants/scope.ts';
import type { DeathScope } from './scope.ts';

const DOM0 = { domid: 0, vcpu: 0 } as const;

/** `stop`: the question at which the call stops, when it asks so many; null: it goes on to its end. */
const destroys = (domid: number, stop: number | null): Action => ({
  name: `d0 destroys d${domid}${stop === null ? '' : `, stopped at question ${stop}`}`,
  apply: (machine) => {
    const target = findDomain(machine, domid);
    if (!target) return null;
    const asking = { ...machine, questions: 0, forced: stop === null ? [] : [stop] };
    const result = destroydomain(asking, { caller: DOM0, at: ZERO, bytes: new Uint8Array(), target });
    return { ...result.machine, questions: 0, forced: machine.forced };
  },
  asStep: (_, id) => {
    // Programs choose no question at which their calls stop.
    if (stop !== null) return null;
    const fields = { cmd: XEN_DOMCTL_MODELLED.destroydomain, interface_version: XEN_DOMCTL_INTERFACE_VERSION, domain: domid };
    return { id, domain: 0, do: 'hypercall', call: 'domctl', args: [{ struct: 'control.domctl', fields }] };
  },
});

const actorOf = ({ name }: Action): number => Number(/^d(\d+) /.exec(name)![1]);

const isAlive = (machine: Machine, domid: number): boolean => {
  const domain = findDomain(machine, domid);
  return domain !== undefined && domain.dying === undefined;
};

/** An entry that is cleared by mmu_update leaves a handle, which outlives its granter: nobody but the mapper can give it back. */
const isBehindTheBack = (name: string): boolean => name.includes(' clears entry ');

/** Who dies does nothing more. */
const whileAlive = (action: Action): Action => {
  const actor = actorOf(action);
  return { ...action, apply: (machine) => (isAlive(machine, actor) ? action.apply(machine) : null) };
};

export const deathActions = (
  { mortals, domids, ports, stops }: DeathScope,
  grants: { readonly scope: GrantScope; readonly tables: GrantTables } | null,
): readonly Action[] => [
  ...[
    ...channelActions({ domids, ports, vcpus: 1, bits: false }).map(({ oversteps, ...action }): Action => action),
    ...(grants ? grantActions(grants.scope, grants.tables).filter(({ name }) => !isBehindTheBack(name)) : []),
  ].map(whileAlive),
  ...mortals.flatMap((domid) => [null, ...stops].map((stop) => destroys(domid, stop))),
];
