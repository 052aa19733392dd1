/** Sysctls that hand out a list, or take one: domains, processors' idle times, keys. */
import { sysctl } from '#spec/abi/sysctl.ts';
import { copyToGuest } from '../../../guest_copy.ts';
import { wordIn } from '../../../memory/guest.ts';
import { addInt } from '../../../word/word.ts';
import { fieldOf, withFields } from '../../guest_struct.ts';
import { done, fail } from '../../result.ts';
import { domainInfo } from '../domctl/domain_info.ts';
import { type Rule, tell } from './rule.ts';

export const getdomaininfolist: Rule = (machine, asked) => {
  const { first_domain, max_domains, buffer } = sysctl.getdomaininfolist.fields;
  const first = fieldOf(asked.bytes, first_domain);
  const listed = machine.domains.filter(({ domid }) => domid >= first).slice(0, fieldOf(asked.bytes, max_domains));
  let m = machine;
  for (const [i, domain] of listed.entries()) {
    const info = domainInfo(m, domain);
    const stored = copyToGuest(m, asked.caller, addInt(wordIn(asked.bytes, buffer.at), i * info.length), info);
    m = stored.machine;
    if (!stored.ok) return fail(m, 'EFAULT', 'sysctl/getdomaininfolist');
  }
  const after = withFields(asked.bytes, sysctl.getdomaininfolist, { num_domains: listed.length });
  return tell(m, asked, after, 'sysctl/getdomaininfolist');
};

const NEVER_IDLE = new Uint8Array(8);

export const getcpuinfo: Rule = (machine, asked) => {
  const { max_cpus, info } = sysctl.getcpuinfo.fields;
  const count = Math.min(fieldOf(asked.bytes, max_cpus), machine.config.pcpus);
  let m = machine;
  for (let cpu = 0; cpu < count; cpu++) {
    const stored = copyToGuest(m, asked.caller, addInt(wordIn(asked.bytes, info.at), cpu * NEVER_IDLE.length), NEVER_IDLE);
    m = stored.machine;
    if (!stored.ok) return fail(m, 'EFAULT', 'sysctl/getcpuinfo');
  }
  return tell(m, asked, withFields(asked.bytes, sysctl.getcpuinfo, { nr_cpus: count }), 'sysctl/getcpuinfo');
};

/** What keys do to Xen's own console is not modelled. */
export const debugKeys: Rule = (machine, { bytes }) =>
  fieldOf(bytes, sysctl.debug_keys.fields.nr_keys) === 0 ? done(machine, 'sysctl/debug_keys') : null;
