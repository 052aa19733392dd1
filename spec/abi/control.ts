/** What the control domain's hypercalls have in common. Source: Xen public headers `domctl.h`, `sysctl.h`, x86-64 layout. */
import { layout } from './layout.ts';

/** The first field after the command must say this. */
export const XEN_DOMCTL_INTERFACE_VERSION = 0x15;
export const XEN_SYSCTL_INTERFACE_VERSION = 0x15;

/** Commands whose checks before the privilege differ from those of the others. */
export const XEN_DOMCTL = {
  createdomain: 1,
  getdomaininfo: 5,
  shadow_op: 10,
  irq_permission: 19,
  iomem_permission: 20,
  ioport_permission: 21,
  assign_device: 37,
  bind_pt_irq: 38,
  memory_mapping: 39,
  ioport_mapping: 40,
  test_assign_device: 45,
  set_target: 46,
  deassign_device: 47,
  unbind_pt_irq: 48,
  get_device_group: 50,
  vm_event_op: 56,
} as const;

/** Domctls that ask for privilege after checks of their own. */
export const XEN_DOMCTL_LATE: readonly number[] = [
  XEN_DOMCTL.irq_permission,
  XEN_DOMCTL.ioport_permission,
  XEN_DOMCTL.bind_pt_irq,
  XEN_DOMCTL.memory_mapping,
  XEN_DOMCTL.ioport_mapping,
  XEN_DOMCTL.set_target,
  XEN_DOMCTL.unbind_pt_irq,
  XEN_DOMCTL.get_device_group,
  XEN_DOMCTL.vm_event_op,
];

/** vm_event_op: the operation that asks for the version of its ring, and that version. */
export const XEN_VM_EVENT_GET_VERSION = 3;
export const XEN_VM_EVENT = { ENABLE: 0, DISABLE: 1, RESUME: 2 } as const;
/** Which ring vm_event_op is about. */
export const XEN_VM_EVENT_MODE = { PAGING: 1, MONITOR: 2, SHARING: 3 } as const;
export const VM_EVENT_INTERFACE_VERSION = 7;

/** Sysctls that are answered without the machine being looked at. */
export const XEN_SYSCTL = { perfc_op: 5, lockprof_op: 15, coverage_op: 20, psr_cmt_op: 21 } as const;

const DOMCTL_BYTES = 144;

export const control = {
  /** The head, and room for the largest operation. `first_mfn`, `nr_mfns`: of iomem_permission. `shadow_op`: where that lies. */
  domctl: layout(DOMCTL_BYTES, {
    cmd: [0, 4],
    interface_version: [4, 4],
    domain: [8, 2],
    first_mfn: [16, 8],
    nr_mfns: [24, 8],
    shadow_op: [16, 40],
  }),
  /** A pirq of the caller's, and whether the domain may use it. */
  irq_permission: layout(DOMCTL_BYTES, { pirq: [16, 4], allow_access: [20, 1, 'flags'] }),
  ioport_permission: layout(DOMCTL_BYTES, { first_port: [16, 4], nr_ports: [20, 4], allow_access: [24, 1, 'flags'] }),
  memory_mapping: layout(DOMCTL_BYTES, { first_gfn: [16, 8], first_mfn: [24, 8], nr_mfns: [32, 8], add_mapping: [40, 4, 'flags'] }),
  set_target: layout(DOMCTL_BYTES, { target: [16, 2, 'domid'] }),
  /** `version` is what GET_VERSION answers. */
  vm_event_op: layout(DOMCTL_BYTES, { op: [16, 4], mode: [20, 4], version: [24, 4, 'number', 'out'] }),
  sysctl: layout(136, { cmd: [0, 4], interface_version: [4, 4] }),
} as const;

/** xenoprof_op: the last command, and those that a domain may use which is not the primary profiler. */
export const XENOPROF_LAST = 17;
export const XENOPROF_UNPRIVILEGED = { init: 0, enable_virq: 8, disable_virq: 11, get_buffer: 14 } as const;
