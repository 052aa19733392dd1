/** Domctls that set, or tell, a number of a domain's. */
import { CREDIT2_WEIGHT, domctl, XEN_DOMCTL_SCHEDOP, XEN_SCHEDULER_CREDIT2 } from '#spec/abi/domctl.ts';
import { updateDomain } from '../../../lens.ts';
import { wordIn } from '../../../memory/guest.ts';
import { shr } from '../../../word/word.ts';
import { fieldOf, withFields } from '../../guest_struct.ts';
import { done, fail } from '../../result.ts';
import { type Rule, refuseAndTell, tell } from './rule.ts';

const KIB_TO_PAGES = 2;
const MOST_PAGES = 0xffffffff;

export const maxMem: Rule = (machine, { bytes, target }) => {
  const pages = shr(wordIn(bytes, domctl.max_mem.fields.max_memkb.at), KIB_TO_PAGES);
  const maxPages = pages.hi === 0 ? pages.lo >>> 0 : MOST_PAGES;
  return done(updateDomain(machine, target.domid, { maxPages }), 'domctl/max_mem');
};

export const setdomainhandle: Rule = (machine, { bytes, target }) => {
  const { at } = domctl.setdomainhandle.fields.handle_0;
  return done(updateDomain(machine, target.domid, { handle: bytes.slice(at, at + 16) }), 'domctl/setdomainhandle');
};

export const subscribe: Rule = (machine, { bytes, target }) =>
  done(updateDomain(machine, target.domid, { suspendPort: fieldOf(bytes, domctl.subscribe.fields.port) }), 'domctl/subscribe');

const BITS = 64;
const COMPAT_BITS = 32;

export const getAddressSize: Rule = (machine, asked) =>
  tell(machine, asked, withFields(asked.bytes, domctl.address_size, { size: BITS }), 'domctl/get_address_size');

export const setAddressSize: Rule = (machine, { bytes }) => {
  const size = fieldOf(bytes, domctl.address_size.fields.size);
  if (size === BITS) return done(machine, 'domctl/set_address_size');
  return fail(machine, size === COMPAT_BITS ? 'EOPNOTSUPP' : 'EINVAL', 'domctl/set_address_size');
};

const AT_FIRST = { weight: CREDIT2_WEIGHT, cap: 0 };

export const schedulerOp: Rule = (machine, asked) => {
  const { bytes, target } = asked;
  const { fields } = domctl.scheduler_op;
  const refused = () => refuseAndTell(asked, fail(machine, 'EINVAL', 'domctl/scheduler_op-scheduler'));
  if (fieldOf(bytes, fields.sched_id) !== XEN_SCHEDULER_CREDIT2) return refused();
  const credit = target.credit ?? AT_FIRST;
  switch (fieldOf(bytes, fields.operation)) {
    case XEN_DOMCTL_SCHEDOP.getinfo:
      return tell(machine, asked, withFields(bytes, domctl.scheduler_op, credit), 'domctl/scheduler_op-get');
    case XEN_DOMCTL_SCHEDOP.putinfo: {
      const weight = fieldOf(bytes, fields.weight) || credit.weight;
      const set = updateDomain(machine, target.domid, { credit: { weight, cap: fieldOf(bytes, fields.cap) } });
      return tell(set, asked, bytes, 'domctl/scheduler_op-put');
    }
    default:
      return refused();
  }
};
