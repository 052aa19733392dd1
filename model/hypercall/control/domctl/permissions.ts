/** XEN_DOMCTL_ioport_permission, iomem_permission: what a domain may use of the machine's devices. Chapter: spec/chapters/domctl.md. */

import { control } from '#spec/abi/control.ts';
import { domctl } from '#spec/abi/domctl.ts';
import type { ClauseId } from '#spec/clauses.ts';
import { iomemCaps, ioportCaps } from '../../../domain/io_caps.ts';
import type { Domain } from '../../../domain.ts';
import { domainOf, updateDomain } from '../../../lens.ts';
import type { Machine } from '../../../machine.ts';
import { wordIn } from '../../../memory/guest.ts';
import { addRange, containsRange, type Range, type Rangeset, removeRange } from '../../../rangeset.ts';
import { add, addInt, toNumber } from '../../../word/word.ts';
import { fieldsOf } from '../../guest_struct.ts';
import { notModelled } from '../../not_modelled.ts';
import { done, fail, type HypercallResult } from '../../result.ts';
import type { Asked, Rule } from './rule.ts';

/** Which of the two, and the clauses of it. */
type Kind = {
  readonly caps: (machine: Machine, domain: Domain) => Rangeset;
  readonly changed: (caps: Rangeset) => Partial<Domain>;
  readonly caller: ClauseId;
  readonly done: ClauseId;
};

/** The first of them lies between two ranges that the domain has, and the second of those is reached. */
const beginsBetween = (caps: Rangeset, [first, last]: Range): boolean =>
  caps.some(([, to]) => to < first - 1) &&
  caps.some(([from]) => from > first && from <= last) &&
  !caps.some(([from, to]) => from <= first && first <= to + 1);

const set = (m: Machine, { caller, target }: Asked, range: Range, allow: boolean, kind: Kind): HypercallResult => {
  if (!containsRange(kind.caps(m, domainOf(m, caller.domid)), range)) return fail(m, 'EPERM', kind.caller);
  const caps = kind.caps(m, target);
  if (!allow && beginsBetween(caps, range)) return notModelled(m, caller, 'domctl');
  const next = (allow ? addRange : removeRange)(caps, range);
  return done(updateDomain(m, target.domid, kind.changed(next)), kind.done);
};

export const ioportPermission: Rule = (machine, asked) => {
  const { first_port, nr_ports, allow_access } = fieldsOf(asked.bytes, control.ioport_permission);
  return set(machine, asked, [first_port, first_port + nr_ports - 1], allow_access !== 0, {
    caps: ioportCaps,
    changed: (ioports) => ({ ioports }),
    caller: 'domctl/ioport_permission-caller',
    done: 'domctl/ioport_permission-done',
  });
};

/** That the range does not wrap around is known. Frames above 2^53 are nobody's, whatever their number is rounded to. */
export const iomemPermission: Rule = (machine, asked) => {
  const { fields } = domctl.iomem_permission;
  const first = wordIn(asked.bytes, fields.first_mfn.at);
  const last = addInt(add(first, wordIn(asked.bytes, fields.nr_mfns.at)), -1);
  const allow = fieldsOf(asked.bytes, domctl.iomem_permission).allow_access !== 0;
  return set(machine, asked, [toNumber(first), toNumber(last)], allow, {
    caps: iomemCaps,
    changed: (iomem) => ({ iomem }),
    caller: 'domctl/iomem_permission-caller',
    done: 'domctl/iomem_permission-done',
  });
};
