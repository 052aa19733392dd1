/** What releases changed in the control domain's hypercalls. Chapter: spec/chapters/privileged.md. */
import { XEN_DOMCTL } from '../abi/control.ts';
import { XEN_DOMCTL_HVM, XEN_DOMCTL_NOT_BUILT } from '../abi/domctl.ts';
import { DOMID } from '../abi/xen.ts';
import { change } from './change.ts';
import type { XenRelease } from './release.ts';

/** What the first field after the command must say; of vm_event_op, what GET_VERSION answers. Source: the public headers of each release. */
export const INTERFACE_VERSIONS = {
  '4.14': { domctl: 0x12, sysctl: 0x13, vm_event: 6 },
  '4.17': { domctl: 0x15, sysctl: 0x15, vm_event: 7 },
  '4.20': { domctl: 0x17, sysctl: 0x15, vm_event: 7 },
} as const satisfies Record<XenRelease, object>;

/**
 * Whether what domain 0 is answered by domctls and sysctls is that of the reference, beyond what the rows of changes say. Where it is not, the machines
 * stop at them, and generated programs keep to those that refuse.
 */
export const CONTROL_ANSWERED: Readonly<Record<XenRelease, boolean>> = { '4.14': true, '4.17': true, '4.20': true };

/** The same of what the toolstack does beyond asking and refusing, hypfs_op and kexec_op. */
export const TOOLS_ANSWERED: Readonly<Record<XenRelease, boolean>> = { '4.14': true, '4.17': true, '4.20': true };

/** Whether an operation's answer to domain 0 is known for the release; `tool`: it is one of the toolstack's. */
export const isAnswered = (release: XenRelease, tool: boolean): boolean => (tool ? TOOLS_ANSWERED : CONTROL_ANSWERED)[release];

const UNANSWERED: Readonly<Record<XenRelease, readonly number[]>> = {
  '4.14': [
    XEN_DOMCTL_NOT_BUILT.gdbsx_guestmemio,
    XEN_DOMCTL_HVM.set_broken_page_p2m,
    XEN_DOMCTL.test_assign_device,
    XEN_DOMCTL.createdomain,
    XEN_DOMCTL.shadow_op,
  ],
  '4.17': [],
  '4.20': [XEN_DOMCTL.createdomain],
};
/** Domctls of domain 0 that a release's machines leave out: they stop there. `domid`: whom the operation is about. */
export const isLeftOut = (release: XenRelease, command: number, domid: number): boolean =>
  UNANSWERED[release].includes(command) || (release === '4.14' && command === XEN_DOMCTL.vm_event_op && domid === DOMID.INVALID);

/**
 * Operations about the machine's hardware whose answers to domain 0 are others in a release: its machines stop there. 4.14 lets more registers be
 * accessed, and refuses others with EACCES; 4.20 writes nothing back about a domain that there is not.
 */
export const HARDWARE_LEFT_OUT: Readonly<Record<XenRelease, readonly string[]>> = {
  '4.14': ['platform_op/resource_op'],
  '4.17': [],
  '4.20': ['physdev_op/map_pirq'],
};

export const CONTROL_CHANGES = {
  'domctl-version': change({
    clause: 'domctl/version',
    ways: { '4.14': '0x12', '4.17': '0x15', '4.20': '0x17' },
    says: {
      '0x12': 'Its interface has version 0x12.',
      '0x15': 'Its interface has version 0x15.',
      '0x17': 'Its interface has version 0x17.',
    },
    shown: { script: 'release-control', steps: [1, 2, 3] },
  }),
  'sysctl-version': change({
    clause: 'sysctl/version',
    ways: { '4.14': '0x13', '4.17': '0x15', '4.20': '0x15' },
    says: { '0x13': 'Its interface has version 0x13.', '0x15': 'Its interface has version 0x15.' },
    shown: { script: 'release-control', steps: [4, 5] },
  }),
  'dm_op-no_buffers': change({
    clause: 'dm/buffers-none',
    ways: { '4.14': 'nothing read', '4.17': 'ENODATA', '4.20': 'ENODATA' },
    says: {
      'nothing read': 'Without buffers there is nothing to read, and the domain is looked at next.',
      ENODATA: 'No buffers are ENODATA, before anything else.',
    },
    shown: { script: 'release-control', steps: [6] },
  }),
  'xenoprof-built': change({
    clause: 'xenoprof/operation',
    ways: { '4.14': 'built', '4.17': 'built', '4.20': 'absent' },
    says: { built: 'There is a profiler.', absent: 'The profiler is gone: every operation is ENOSYS.' },
    shown: { script: 'release-control', steps: [7] },
  }),
  'domctl-privilege': change({
    clause: 'domctl/privilege',
    ways: { '4.14': 'first', '4.17': 'by operation', '4.20': 'by operation' },
    says: {
      first: 'Whoever is not domain 0 is refused (EPERM) once the domain is found, before anything of the operation is looked at.',
      'by operation': 'Some operations look at their arguments before the privilege.',
    },
    shown: { script: 'release-control', steps: [11, 12, 13] },
  }),
  'domctl-guestmemio_domain': change({
    clause: 'domctl/domain',
    ways: { '4.14': 'late', '4.17': 'early', '4.20': 'early' },
    says: {
      late: 'gdbsx_guestmemio looks for its domain after the privilege.',
      early: 'gdbsx_guestmemio looks for its domain before the privilege, as most operations do.',
    },
    shown: { script: 'release-control', steps: [17, 18, 19] },
  }),
  'vcpuaffinity-two_bitmaps': change({
    clause: 'domctl/getvcpuaffinity-told',
    ways: { '4.14': 'the second', '4.17': 'the second', '4.20': 'the first to fail' },
    says: {
      'the second': 'Of two bitmaps the second decides the answer, whatever became of the first.',
      'the first to fail': 'Either bitmap that cannot be stored is EFAULT.',
    },
    shown: { script: 'release-control', steps: [20, 21] },
  }),
  'getdomaininfo-next': change({
    clause: 'domctl/getdomaininfo-none',
    ways: { '4.14': 'next', '4.17': 'next', '4.20': 'exact' },
    says: {
      next: 'A number that no domain has stands for the domain with the next larger one; a reserved number is EINVAL.',
      exact: 'The number must be one of a domain, else ESRCH.',
    },
    shown: { script: 'release-control', steps: [14, 15, 16] },
  }),
} as const;
