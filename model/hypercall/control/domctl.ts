/** HYPERVISOR_domctl(u_domctl): what is looked at before the operation itself. Chapter: spec/chapters/privileged.md. */
import { control, XEN_DOMCTL } from '#spec/abi/control.ts';
import { XEN_DOMCTL_NOT_BUILT, XEN_DOMCTL_TOOLS } from '#spec/abi/domctl.ts';
import { DOMID } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { INTERFACE_VERSIONS, isAnswered, isLeftOut } from '#spec/releases/control.ts';
import type { Domain } from '../../domain.ts';
import { copyFromGuest, copyToGuestUnchecked } from '../../guest_copy.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { add, addInt, below, type Word } from '../../word/word.ts';
import { nameOperation } from '../../work.ts';
import { isControlDomain } from '../domids.ts';
import { fieldOf } from '../guest_struct.ts';
import { notModelled } from '../not_modelled.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';
import { RULES } from './domctl/rules.ts';
import { lateRule } from './domctl_late.ts';

const { fields } = control.domctl;
type Domctl = { readonly cmd: number; readonly version: number; readonly domain: number; readonly bytes: Uint8Array };

const domctlOf = (bytes: Uint8Array): Domctl => ({
  cmd: fieldOf(bytes, fields.cmd),
  version: fieldOf(bytes, fields.interface_version),
  domain: fieldOf(bytes, fields.domain),
  bytes,
});

export const domctl: Perform = (machine, caller, [uDomctl]) => {
  const read = copyFromGuest(machine, caller, uDomctl, control.domctl.size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'domctl/argument-fault');
  const m = read.machine;
  const op = domctlOf(read.bytes);
  if (op.version !== INTERFACE_VERSIONS[m.config.release].domctl) return fail(m, 'EACCES', 'domctl/version');
  if (isControlDomain(caller) && isLeftOut(m.config.release, op.cmd, op.domain)) return notModelled(m, caller, 'domctl');
  nameOperation(m, 'domctl', op.cmd);
  const late = lateRule(op.cmd);
  return (
    unknownDomain(m, op) ??
    refusedFirst(m, caller) ??
    late?.(m, caller, { ...op, at: uDomctl }) ??
    malformed(m, op) ??
    (isControlDomain(caller) ? toDomain0(m, caller, op, uDomctl) : fail(m, 'EPERM', 'domctl/privilege'))
  );
};

/** Releases that ask for the privilege before anything of the operation. */
const refusedFirst = (m: Machine, caller: VcpuRef): HypercallResult | null =>
  waysOf(m.config.release)['domctl-privilege'] === 'first' && !isControlDomain(caller) ? fail(m, 'EPERM', 'domctl/privilege') : null;

/** ESRCH for a domain that is not there, where the operation wants one. */
const unknownDomain = (m: Machine, { cmd, domain }: Domctl): HypercallResult | null => {
  switch (cmd) {
    case XEN_DOMCTL.createdomain:
      return null;
    case XEN_DOMCTL.getdomaininfo:
      if (waysOf(m.config.release)['getdomaininfo-next'] === 'next') return null;
      break;
    case XEN_DOMCTL_NOT_BUILT.gdbsx_guestmemio:
      if (waysOf(m.config.release)['domctl-guestmemio_domain'] === 'late') return null;
      break;
    case XEN_DOMCTL.assign_device:
    case XEN_DOMCTL.deassign_device:
      if (domain === DOMID.IO) return null;
      if (domain === DOMID.INVALID) return fail(m, 'ESRCH', 'domctl/domain-devices');
      break;
    case XEN_DOMCTL.test_assign_device:
    case XEN_DOMCTL.vm_event_op:
      if (domain === DOMID.INVALID) return null;
      break;
  }
  return findDomain(m, domain) ? null : fail(m, 'ESRCH', 'domctl/domain');
};

/** What some operations look at before the privilege. */
const malformed = (m: Machine, op: Domctl): HypercallResult | null => {
  if (op.cmd === XEN_DOMCTL.getdomaininfo) return nobodyThere(m, op.domain);
  return op.cmd === XEN_DOMCTL.iomem_permission && wraps(op.bytes) ? fail(m, 'EINVAL', 'domctl/iomem_permission-range') : null;
};

const nobodyThere = (m: Machine, domid: number): HypercallResult | null => {
  if (findDomain(m, domid)) return null;
  if (domid >= DOMID.FIRST_RESERVED) return fail(m, 'EINVAL', 'domctl/getdomaininfo-none');
  return m.domains.some((domain) => domain.domid >= domid) ? null : fail(m, 'ESRCH', 'domctl/getdomaininfo-none');
};

/** The last frame, computed in 64 bits, lies before the first. */
const wraps = (bytes: Uint8Array): boolean => {
  const first = wordIn(bytes, fields.first_mfn.at);
  return below(addInt(add(first, wordIn(bytes, fields.nr_mfns.at)), -1), first);
};

const TOOLS: readonly number[] = [
  ...Object.values(XEN_DOMCTL_TOOLS),
  XEN_DOMCTL.createdomain,
  XEN_DOMCTL.iomem_permission,
  XEN_DOMCTL.ioport_permission,
];

/** What spec/chapters/domctl.md tells. */
const toDomain0 = (m: Machine, caller: VcpuRef, { cmd, domain, bytes }: Domctl, at: Word): HypercallResult => {
  const rule = isAnswered(m.config.release, TOOLS.includes(cmd)) ? RULES.get(cmd) : undefined;
  if (rule) return rule(m, { caller, at, bytes, target: domainFrom(m, domain) });
  return notModelled(m, caller, 'domctl');
};

/** The domain, or the one with the next larger number; for operations that take a number which no domain has, domain 0 stands in. */
const domainFrom = (m: Machine, domid: number): Domain => m.domains.find((domain) => domain.domid >= domid) ?? m.domains[0];

/** HYPERVISOR_paging_domctl_cont(u_domctl): a shadow operation goes on. */
export const paging_domctl_cont: Perform = (machine, caller, [uDomctl]) => {
  const read = copyFromGuest(machine, caller, uDomctl, control.domctl.size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'paging_domctl_cont/argument-fault');
  const { cmd, version, domain } = domctlOf(read.bytes);
  if (version !== INTERFACE_VERSIONS[read.machine.config.release].domctl || cmd !== XEN_DOMCTL.shadow_op)
    return fail(read.machine, 'EOPNOTSUPP', 'paging_domctl_cont/operation');
  if (!findDomain(read.machine, domain)) return fail(read.machine, 'ESRCH', 'paging_domctl_cont/domain');
  const privileged = isControlDomain(caller);
  if (privileged && !isAnswered(read.machine.config.release, true)) return notModelled(read.machine, caller, 'paging_domctl_cont');
  const { at, size } = fields.shadow_op;
  const { machine: m, ok } = copyToGuestUnchecked(read.machine, caller, addInt(uDomctl, at), read.bytes.subarray(at, at + size));
  if (!ok) return fail(m, 'EFAULT', 'paging_domctl_cont/privilege');
  if (!privileged) return fail(m, 'EPERM', 'paging_domctl_cont/privilege');
  if (domain === caller.domid) return fail(m, 'EINVAL', 'paging_domctl_cont/none');
  return findDomain(m, domain)?.dying ? done(m, 'paging_domctl_cont/none') : fail(m, 'EBUSY', 'paging_domctl_cont/none');
};
