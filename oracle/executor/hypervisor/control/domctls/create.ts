/** createdomain, as far as it refuses: a domain that could be made stops. Chapter: spec/chapters/domctl.md. */
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
import { ERRNO } from '#spec/abi/errno.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { scratch } from '../../guest_access.ts';
import type { Machine } from '../../machine.ts';
import type { Vcpu } from '../../vcpu.ts';

const F = domctl.createdomain.fields;
const KNOWN_FLAGS = Object.values(CDF).reduce((all, flag) => all | flag, 0);
/** No tboot, no IOMMU, no performance counters. */
const NOT_HERE = CDF.s3_integrity | CDF.iommu | CDF.vpmu;
const ONLY_HVM = CDF.hap | CDF.nested_virt;

const get = ({ at }: { readonly at: number }): number => scratch.getUint32(at, true);
const signed = ({ at }: { readonly at: number }): number => scratch.getInt32(at, true);

/** The structure is in the scratch buffer. */
export const refuseCreation = (machine: Machine, caller: Vcpu): number => {
  const domid = scratch.getUint16(control.domctl.fields.domain.at, true);
  if (domid > 0 && domid < DOMID.FIRST_RESERVED && machine.domainById(domid)) return -ERRNO.EEXIST;
  const refusal = isBadConfig() ? ERRNO.EINVAL : wrongDevices() || wrongResources();
  if (refusal !== 0) return -refusal;
  machine.notModelled(caller, 'domctl');
  return -ERRNO.ENOSYS;
};

const isHvm = (): boolean => (get(F.flags) & CDF.hvm) !== 0;

const isBadConfig = (): boolean => {
  const flags = get(F.flags);
  if ((flags & ~KNOWN_FLAGS) !== 0 || (flags & NOT_HERE) !== 0 || get(F.iommu_opts) !== 0 || get(F.vmtrace_size) !== 0) return true;
  if ((get(F.grant_opts) & ~GRANT_VERSION_MASK) !== 0 || (get(F.misc_flags) & ~XEN_X86_MSR_RELAXED) !== 0) return true;
  const vcpus = get(F.max_vcpus);
  if (vcpus === 0 || vcpus > (isHvm() ? MOST_VCPUS.hvm : MOST_VCPUS.pv)) return true;
  if (!isHvm() && (flags & ONLY_HVM) !== 0) return true;
  return (flags & CDF.nested_virt) !== 0 && (flags & CDF.hap) === 0;
};

const wrongDevices = (): number => {
  const devices = get(F.emulation_flags);
  if ((devices & ~EMU.ALL) !== 0) return ERRNO.EINVAL;
  // Without shadow page tables an HVM guest needs those of the processor.
  if (isHvm() && (get(F.flags) & CDF.hap) === 0) return ERRNO.EOPNOTSUPP;
  const allowed: readonly number[] = isHvm() ? [EMU.ALL & ~EMU.VPCI, EMU.LAPIC] : [0, EMU.PIT];
  return allowed.includes(devices) ? 0 : ERRNO.EOPNOTSUPP;
};

/** Of PV guests; an HVM guest that came so far stops. */
const wrongResources = (): number => {
  if (isHvm()) return 0;
  const version = get(F.grant_opts) & GRANT_VERSION_MASK;
  const frames = signed(F.max_grant_frames);
  const isTooMuch =
    version > MOST_GRANTS.version || frames > MOST_GRANTS.frames || signed(F.max_maptrack_frames) > MOST_GRANTS.maptrack_frames;
  if (version === 0 || frames === 0 || isTooMuch) return ERRNO.EINVAL;
  const pool = signed(F.cpupool_id);
  return pool === 0 || pool === -1 ? 0 : ERRNO.ESRCH;
};
