/** Domains that die at any point: in one call or in many, with channels to others and grants by them or to them. */
import { engineOn } from '#model/engine.ts';
import { grantsOf } from '#model/hypercall/grant_table/handles.ts';
import { findDomain } from '#model/lens.ts';
import type { Machine } from '#model/machine.ts';
import { itemsOf } from '#model/numbered.ts';
import { viewOf, violations } from '#spec/properties/index.ts';
import type { Core } from '../core.ts';
import { type GrantScope, grantTables } from '../grants/scope.ts';
import { bootSmall, FEW_PAGES } from '../machine.ts';
import { deathActions } from './actions.ts';
import { type DeathScope, HANDLES, KINDS } from './scope.ts';
import { numberedMachines } from './state.ts';

/** Clauses that a search must come by. */
const CLAUSES = [
  'domctl/destroydomain-paused',
  'domctl/destroydomain-channels',
  'domctl/destroydomain-vcpus',
  'domctl/destroydomain-frames',
  'domctl/destroydomain-dead',
  'domctl/destroydomain-gone',
] as const;
const CLAUSES_OF_STOPS = ['domctl/destroydomain-again', 'domctl/destroydomain-preempted'] as const;

/** What spec/properties states, all of it, and that a domain which is dead has nothing left but what others hold. */
const brokenDeaths = (machine: Machine): string | null => {
  for (const { invariant, what } of violations(viewOf(machine.config, engineOn(machine)))) return `${invariant}: ${what}`;
  for (const { domid, dying, channels, grants } of machine.domains) {
    if (dying?.stage !== 'dead') continue;
    const [port] = itemsOf(channels);
    if (port) return `d${domid} is dead and has port ${port[0]} still`;
    if (grants.maptrack.length > 0) return `d${domid} is dead and has handles still`;
  }
  return null;
};

/** Nobody's port leads to a domain that is dying and past its channels. */
const leadsToDead = (machine: Machine): string | null => {
  for (const { domid, channels } of machine.domains)
    for (const [port, channel] of itemsOf(channels)) {
      if (channel.state !== 'interdomain') continue;
      const stage = findDomain(machine, channel.remoteDom)?.dying?.stage;
      if (stage !== undefined && stage !== 'mappings' && stage !== 'channels')
        return `port ${port} of d${domid} leads to d${channel.remoteDom}, whose channels are closed`;
    }
  return null;
};

const isAt = ({ domains }: Machine, stage: string): boolean => domains.some(({ dying }) => dying?.stage === stage);
const isDying = (machine: Machine): boolean => machine.domains.some(({ dying }) => dying !== undefined);

export const deathCore = (name: string, scope: DeathScope): Core => {
  const { mortals, domids, ports, grant, stops } = scope;
  const booted = bootSmall([...domids, ...mortals], 1, FEW_PAGES);
  const grantScope: GrantScope | null = grant && {
    ...{ granter: grant.granter, mappers: [grant.mapper], grants: 1, frames: 1, handles: HANDLES, entries: 1 },
    ...{ kinds: KINDS, readOnly: false, ownUse: false },
  };
  const grants = grantScope && { scope: grantScope, tables: grantTables(grantScope, booted) };
  const base: Machine = { ...(grants?.tables.base ?? booted), journal: { events: null, clauses: [], work: null } };
  const whole = numberedMachines(ports);
  const some = (test: (machine: Machine) => boolean) => (values: Int32Array) => test(whole.decode(values));
  const mapped = (machine: Machine): boolean =>
    grant !== null &&
    findDomain(machine, grant.mapper) !== undefined &&
    grantsOf(machine, grant.mapper).maptrack.some((mapping) => mapping !== null);
  return {
    name,
    scope: `domain 0 destroys ${mortals.map((domid) => `d${domid}`).join(' and ')}; d${domids[0]} and d${domids[1]} have ${ports} port${ports > 1 ? 's' : ''} each${grant ? `, d${grant.granter} grants d${grant.mapper} a frame` : ''}${stops.length > 0 ? `; stopped at question ${stops.join(' or ')}` : ''}`,
    ...whole,
    initial: [base],
    actions: deathActions(scope, grants),
    symmetries: [],
    broken: (values) => {
      const machine = whole.decode(values);
      return brokenDeaths(machine) ?? leadsToDead(machine);
    },
    sometimes: {
      'a domain is gone': some((machine) => machine.domains.length < base.domains.length),
      'a port waits for a domain that is gone': some(({ domains }) =>
        domains.some(({ channels }) =>
          itemsOf(channels).some(([, { state, ...of }]) => {
            return state === 'unbound' && 'remoteDom' in of && !domains.some(({ domid }) => domid === of.remoteDom);
          }),
        ),
      ),
      ...(stops.length > 0 && { 'a domain is dying that has given back a part of its frames': some((machine) => isAt(machine, 'frames')) }),
      ...(grant !== null &&
        mortals.includes(grant.granter) && {
          'a domain is dead whose frame another one maps': some((machine) => mapped(machine) && isAt(machine, 'dead')),
        }),
      ...(grant !== null &&
        mortals.includes(grant.mapper) && {
          'a domain that maps a granted frame is alive': some((machine) => mapped(machine) && !isDying(machine)),
        }),
    },
    clauses: [...CLAUSES, ...(stops.length > 0 ? CLAUSES_OF_STOPS : [])],
    vcpus: 1,
    alone: true,
    ...(grant && { prelude: [{ id: 1, domain: grant.granter, do: 'grant_setup', frames: 1 } as const] }),
  };
};
