/** Grants in use, against the handles of those who use them. Chapter: spec/chapters/grant_table.md. */
import { GNTMAP } from '../abi/grant_table.ts';
import type { DomainObservation, MaptrackObservation } from '../observation.ts';
import { domainOf, type Invariant, type View, type Violation } from './view.ts';

type Mappings = { readonly host_read: number; readonly host_write: number; readonly device_read: number; readonly device_write: number };

const handlesOf = (mapper: DomainObservation | undefined, domid: number, ref: number): readonly MaptrackObservation[] =>
  mapper?.maptrack.filter((entry) => entry.domid === domid && entry.ref === ref) ?? [];

const mappingsOf = (handles: readonly MaptrackObservation[]): Mappings => {
  const having = (which: number, readonly: boolean): number =>
    handles.filter(({ flags }) => (flags & which) !== 0 && ((flags & GNTMAP.readonly) !== 0) === readonly).length;
  return {
    host_read: having(GNTMAP.host_map, true),
    host_write: having(GNTMAP.host_map, false),
    device_read: having(GNTMAP.device_map, true),
    device_write: having(GNTMAP.device_map, false),
  };
};

function* ofGranter(view: View, { domid, active_grants }: DomainObservation): Generator<Violation> {
  for (const grant of active_grants) {
    const expected = mappingsOf(handlesOf(domainOf(view, grant.domid), domid, grant.ref));
    for (const kind of Object.keys(expected) as (keyof Mappings)[])
      if (grant[kind] !== expected[kind])
        yield `grant ${grant.ref} of d${domid} has ${grant[kind]} mappings (${kind}); d${grant.domid} has handles for ${expected[kind]}`;
  }
}

export const grantMappings: Invariant = {
  property: 'REF',
  states: 'A grant in use is mapped as often, and in the ways, as its user has handles for it; and each handle is for a grant in use.',
  *violations(view) {
    for (const domain of view.observation.domains) {
      yield* ofGranter(view, domain);
      for (const { handle, domid, ref } of domain.maptrack)
        if (!domainOf(view, domid)?.active_grants.some((grant) => grant.ref === ref && grant.domid === domain.domid))
          yield `handle ${handle} of d${domain.domid} is for grant ${ref} of d${domid}, which it does not use`;
    }
  },
};
