/** XEN_DOMCTL_createdomain: what is refused before a domain is made. Chapter: spec/chapters/domctl.md. */
import { control } from '#spec/abi/control.ts';
import {
  XEN_DOMCTL_CDF as CDF,
  domctl,
  XEN_X86_EMU as EMU,
  GRANT_VERSION_MASK,
  MOST_GRANTS,
  MOST_VCPUS,
  XEN_X86_MSR_RELAXED,
} from '#spec/abi/domctl.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { findDomain } from '../../../lens.ts';
import { type Fields, fieldOf, fieldsOf } from '../../guest_struct.ts';
import { notModelled } from '../../not_modelled.ts';
import { fail } from '../../result.ts';
import type { Rule } from './rule.ts';

type Config = Fields<typeof domctl.createdomain>;

const KNOWN = Object.values(CDF).reduce((all, flag) => all | flag, 0);
/** Suspending under measurement, devices and performance counters: the reference machine has none of it. */
const ABSENT = CDF.s3_integrity | CDF.iommu | CDF.vpmu;
const has = ({ flags }: Config, flag: number): boolean => (flags & flag) !== 0;

/** domctl/createdomain-config: EINVAL, whichever it is. */
const isConfig = (config: Config): boolean =>
  (config.flags & (~KNOWN | ABSENT)) === 0 &&
  config.iommu_opts === 0 &&
  config.vmtrace_size === 0 &&
  (config.grant_opts & ~GRANT_VERSION_MASK) === 0 &&
  (config.misc_flags & ~XEN_X86_MSR_RELAXED) === 0 &&
  config.max_vcpus >= 1 &&
  config.max_vcpus <= (has(config, CDF.hvm) ? MOST_VCPUS.hvm : MOST_VCPUS.pv) &&
  (has(config, CDF.hvm) || !has(config, CDF.hap)) &&
  (has(config, CDF.hap) || !has(config, CDF.nested_virt));

/** Without HAP an HVM guest would need shadow page tables. */
const isEmulated = (config: Config): boolean => {
  const { emulation_flags } = config;
  return has(config, CDF.hvm)
    ? has(config, CDF.hap) && (emulation_flags === (EMU.ALL & ~EMU.VPCI) || emulation_flags === EMU.LAPIC)
    : emulation_flags === 0 || emulation_flags === EMU.PIT;
};

/** Frames and map tracking are signed numbers: below zero stands for the most. */
const areGrants = ({ grant_opts, max_grant_frames, max_maptrack_frames }: Config): boolean => {
  const frames = max_grant_frames | 0;
  return (
    grant_opts >= 1 &&
    grant_opts <= MOST_GRANTS.version &&
    frames !== 0 &&
    frames <= MOST_GRANTS.frames &&
    (max_maptrack_frames | 0) <= MOST_GRANTS.maptrack_frames
  );
};

const POOL = 0;
const NO_POOL = 0xffffffff;

export const createdomain: Rule = (machine, { caller, bytes }) => {
  const domain = fieldOf(bytes, control.domctl.fields.domain);
  const named = domain > 0 && domain < DOMID.FIRST_RESERVED;
  if (named && findDomain(machine, domain)) return fail(machine, 'EEXIST', 'domctl/createdomain-exists');
  const config = fieldsOf(bytes, domctl.createdomain);
  if (!isConfig(config)) return fail(machine, 'EINVAL', 'domctl/createdomain-config');
  if ((config.emulation_flags & ~EMU.ALL) !== 0) return fail(machine, 'EINVAL', 'domctl/createdomain-emulation');
  if (!isEmulated(config)) return fail(machine, 'EOPNOTSUPP', 'domctl/createdomain-emulation');
  if (has(config, CDF.hvm)) return notModelled(machine, caller, 'domctl');
  if (!areGrants(config)) return fail(machine, 'EINVAL', 'domctl/createdomain-grants');
  if (config.cpupool_id !== POOL && config.cpupool_id !== NO_POOL) return fail(machine, 'ESRCH', 'domctl/createdomain-pool');
  return notModelled(machine, caller, 'domctl');
};
