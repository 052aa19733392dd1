/** domctl, sysctl, paging_domctl_cont: what they look at before they tell others than domain 0 that they may not. Little of what domain 0 may is modelled. */
import { control, XEN_DOMCTL, XEN_DOMCTL_LATE, XEN_SYSCTL } from '#spec/abi/control.ts';
import { XEN_DOMCTL_NOT_BUILT } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { CONTROL_ANSWERED, INTERFACE_VERSIONS, isLeftOut, TOOLS_ANSWERED } from '#spec/releases/control.ts';
import type { Domain } from '../domain.ts';
import { copyFromGuest, copyToGuest, SCRATCH, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { TWO32 } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { ASK_PRIVILEGE, lateDomctl } from './domctl_late.ts';
import { refuseCreation } from './domctls/create.ts';
import { answerDomctl, isAnswered } from './domctls/index.ts';
import { answerSysctl, isAnswered as answersSysctl } from './sysctls.ts';

const { size: DOMCTL_SIZE, fields: F } = control.domctl;
/** Those that are about no domain when the number is DOMID_INVALID. */
const MAY_BE_NOBODYS: ReadonlySet<number> = new Set([XEN_DOMCTL.test_assign_device, XEN_DOMCTL.vm_event_op]);
const DEVICES: ReadonlySet<number> = new Set([XEN_DOMCTL.assign_device, XEN_DOMCTL.deassign_device, XEN_DOMCTL.test_assign_device]);
const OF_DEVICES: ReadonlySet<number> = new Set([XEN_DOMCTL.assign_device, XEN_DOMCTL.deassign_device]);

/** Domain 0 would be served, which stops here (or is ENOSYS); others are refused. */
const forDomain0 = (machine: Machine, vcpu: Vcpu, name: string): number => {
  if (!vcpu.domain.privileged) return -ERRNO.EPERM;
  machine.notModelled(vcpu, name);
  return -ERRNO.ENOSYS;
};

export const domctl = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (!copyFromGuest(machine, vcpu, args[0], args[1], DOMCTL_SIZE)) return -ERRNO.EFAULT;
  if (scratch.getUint32(F.interface_version.at, true) !== INTERFACE_VERSIONS[machine.config.release].domctl) return -ERRNO.EACCES;
  const cmd = scratch.getUint32(F.cmd.at, true);
  machine.work.operation('domctl', cmd);
  const domid = scratch.getUint16(F.domain.at, true);
  if (vcpu.domain.privileged && isLeftOut(machine.config.release, cmd, domid)) return forDomain0(machine, vcpu, 'domctl');
  const privilegeFirst = machine.ways['domctl-privilege'] === 'first' && !vcpu.domain.privileged;
  // Its number is looked at as part of the operation.
  if (privilegeFirst && cmd === XEN_DOMCTL.getdomaininfo) return -ERRNO.EPERM;
  const refusal = checkDomain(machine, cmd, domid);
  if (refusal !== 0) return refusal;
  if (privilegeFirst) return -ERRNO.EPERM;
  if (cmd === XEN_DOMCTL.iomem_permission && wraps()) return -ERRNO.EINVAL;
  if (XEN_DOMCTL_LATE.includes(cmd)) {
    const about = machine.domainById(domid) ?? null;
    const answer = lateDomctl(machine, vcpu, cmd, about, args[0], args[1]);
    if (answer !== ASK_PRIVILEGE) return answer;
  }
  if (!vcpu.domain.privileged) return -ERRNO.EPERM;
  if (!CONTROL_ANSWERED[machine.config.release]) return forDomain0(machine, vcpu, 'domctl');
  const about = domainOf(machine, cmd, domid);
  if (about && isAnswered(machine, cmd)) return answerDomctl(machine, vcpu, cmd, about, args[0], args[1]);
  if (cmd === XEN_DOMCTL.createdomain && TOOLS_ANSWERED[machine.config.release]) return refuseCreation(machine, vcpu);
  // Devices that nobody could pass on, whether to a domain or to none.
  if (!about && DEVICES.has(cmd)) return -ERRNO.EOPNOTSUPP;
  return forDomain0(machine, vcpu, 'domctl');
};

/** The domain that has the number; of getdomaininfo, else the one with the next larger number. */
const domainOf = (machine: Machine, cmd: number, domid: number): Domain | undefined =>
  machine.domainById(domid) ??
  (cmd === XEN_DOMCTL.getdomaininfo ? machine.domainsByDomid().find((domain) => domain.domid >= domid) : undefined);

/** 0 when the number is one of a domain that the command can be about, else a negative errno. */
const checkDomain = (machine: Machine, cmd: number, domid: number): number => {
  if (cmd === XEN_DOMCTL.createdomain || (MAY_BE_NOBODYS.has(cmd) && domid === DOMID.INVALID)) return 0;
  if (OF_DEVICES.has(cmd) && domid === DOMID.IO) return 0;
  if (machine.domainById(domid)) return 0;
  if (cmd === XEN_DOMCTL_NOT_BUILT.gdbsx_guestmemio && machine.ways['domctl-guestmemio_domain'] === 'late') return 0;
  if (cmd !== XEN_DOMCTL.getdomaininfo || machine.ways['getdomaininfo-next'] === 'exact') return -ERRNO.ESRCH;
  if (domid >= DOMID.FIRST_RESERVED) return -ERRNO.EINVAL;
  return machine.domains.some((domain) => domain.domid >= domid) ? 0 : -ERRNO.ESRCH;
};

/** Whether the last frame of the range lies before its first. */
const wraps = (): boolean => {
  const first = scratch.getBigUint64(F.first_mfn.at, true);
  return BigInt.asUintN(64, first + scratch.getBigUint64(F.nr_mfns.at, true) - 1n) < first;
};

export const sysctl = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { size, fields } = control.sysctl;
  if (!copyFromGuest(machine, vcpu, args[0], args[1], size)) return -ERRNO.EFAULT;
  if (scratch.getUint32(fields.interface_version.at, true) !== INTERFACE_VERSIONS[machine.config.release].sysctl) return -ERRNO.EACCES;
  if (!vcpu.domain.privileged) return -ERRNO.EPERM;
  const cmd = scratch.getUint32(fields.cmd.at, true);
  if (answersSysctl(machine, cmd) && CONTROL_ANSWERED[machine.config.release]) return answerSysctl(machine, vcpu, cmd, args[0], args[1]);
  switch (cmd) {
    case XEN_SYSCTL.perfc_op:
    case XEN_SYSCTL.lockprof_op:
      return -ERRNO.ENOSYS;
    case XEN_SYSCTL.coverage_op:
      // Not built in; the structure goes back all the same.
      return copyToGuest(machine, vcpu, args[0], args[1], size) ? -ERRNO.EOPNOTSUPP : -ERRNO.EFAULT;
    case XEN_SYSCTL.psr_cmt_op:
      return -ERRNO.ENODEV;
  }
  return forDomain0(machine, vcpu, 'sysctl');
};

/** No operation that was begun waits to be gone on with. */
const goOnWithShadowOp = (machine: Machine, vcpu: Vcpu, domain: Domain): number => {
  if (!vcpu.domain.privileged || !TOOLS_ANSWERED[machine.config.release]) return forDomain0(machine, vcpu, 'paging_domctl_cont');
  if (domain === vcpu.domain) return -ERRNO.EINVAL;
  return domain.dying === null ? -ERRNO.EBUSY : 0;
};

/** The operation's part of the structure is written back even when the call was refused. */
export const paging_domctl_cont = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (!copyFromGuest(machine, vcpu, args[0], args[1], DOMCTL_SIZE)) return -ERRNO.EFAULT;
  const isShadowOp = scratch.getUint32(F.cmd.at, true) === XEN_DOMCTL.shadow_op;
  if (scratch.getUint32(F.interface_version.at, true) !== INTERFACE_VERSIONS[machine.config.release].domctl || !isShadowOp)
    return -ERRNO.EOPNOTSUPP;
  const domain = machine.domainById(scratch.getUint16(F.domain.at, true));
  if (!domain) return -ERRNO.ESRCH;
  const answer = goOnWithShadowOp(machine, vcpu, domain);
  if (answer === -ERRNO.ENOSYS) return answer;
  const { at, size } = F.shadow_op;
  const low = (args[0] >>> 0) + at;
  const part = SCRATCH.slice(at, at + size);
  return copyToGuest(machine, vcpu, low | 0, low >= TWO32 ? (args[1] + 1) | 0 : args[1], size, part) ? answer : -ERRNO.EFAULT;
};
