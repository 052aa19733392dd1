/** Hypercalls of the control domain: machine, domains, profiling, crash kernels. */
import { XEN_DOMCTL_HVM, XEN_DOMCTL_MODELLED, XEN_DOMCTL_NOT_BUILT, XEN_DOMCTL_UNSUPPORTED } from '../abi/domctl.ts';
import { XEN_HYPFS_OP } from '../abi/hypfs.ts';
import { XEN_SYSCTL_MODELLED } from '../abi/sysctl.ts';
import { hypercall, modelled, not, op, ops, type Row, refused, whole } from './cell.ts';

/** What is looked at before the operation: the structure, its version; then the domain. */
const HEAD = ['EFAULT', 'EACCES'] as const;
const DOMAIN = [...HEAD, 'ESRCH'] as const;
const OTHERS = refused('EPERM', DOMAIN);
const NOT_HVM = 'the domain is no HVM guest';

const PLATFORM_DENIED = refused('EPERM', HEAD);
const DENIED = refused('EPERM', HEAD);
const HARDWARE = not('needs real hardware: firmware, power, microcode, machine checks');
const XEN_ITSELF = not("about Xen's own code: its symbols, patches to it");
const PROFILING = not('needs performance counters');

/** Operations of platform_op that ask about the machine, or set its clock. */
const PLATFORM_MODELLED = {
  settime32: 17,
  settime64: 62,
  platform_quirk: 39,
  get_cpu_version: 48,
  firmware_info: 50,
  get_cpuinfo: 55,
  cpu_online: 56,
  cpu_offline: 57,
};

const SYSCTL_TOOLS = {
  tbuf_op: 2,
  get_pmstat: 10,
  cpu_hotplug: 11,
  pm_op: 12,
  page_offline_op: 14,
  cpupool_op: 18,
  scheduler_op: 19,
  get_cpu_featureset: 26,
};

const { getdomaininfo: _row, ...DOMCTL_MODELLED } = XEN_DOMCTL_MODELLED;

/** The toolstack's that are carried out, or refused by whom they are about. */
const DOMCTL_TOOLS = {
  setvcpuextstate: 62,
  getvcpuextstate: 63,
  setvnumainfo: 74,
  setvcpuaffinity: 9,
  hypercall_init: 22,
  settimeoffset: 24,
  set_ext_vcpucontext: 42,
  gettscinfo: 59,
  settscinfo: 60,
  set_virq_handler: 66,
  set_vcpu_msrs: 73,
  max_vcpus: 15,
  setdebugging: 18,
  set_access_required: 64,
  setnodeaffinity: 68,
  monitor_op: 77,
  get_cpu_policy: 82,
  set_cpu_policy: 83,
  setvcpucontext: 12,
  getvcpucontext: 13,
};

const XENOPROF_CONTROL = {
  reset_active_list: 1,
  reset_passive_list: 2,
  set_active: 3,
  set_passive: 4,
  reserve_counters: 5,
  counter: 6,
  setup_events: 7,
  start: 9,
  stop: 10,
  release_counters: 12,
  shutdown: 13,
  set_backtrace: 15,
  get_ibs_caps: 16,
  ibs_counter: 17,
};

export const CONTROL: readonly Row[] = [
  ...hypercall('platform_op', 7, [
    ...ops(PLATFORM_MODELLED, modelled, PLATFORM_DENIED),
    ...ops(
      { change_freq: 52, getidletime: 53 },
      refused('ENOSYS', ['EFAULT', 'EACCES'], 'Xen itself governs frequencies'),
      PLATFORM_DENIED,
    ),
    op('efi_runtime_call', 49, refused('ENOSYS', ['EFAULT', 'EACCES'], 'a BIOS started the machine'), PLATFORM_DENIED),
    ...ops(
      { add_memtype: 31, del_memtype: 32, microcode_update: 35, set_processor_pminfo: 54, mem_hotadd: 59 },
      refused('EINVAL', ['EFAULT', 'EACCES'], 'what would change the host is not modelled'),
      PLATFORM_DENIED,
    ),
    op('cpu_hotadd', 58, refused('EINVAL', ['EFAULT', 'EACCES', 'EEXIST'], 'all are there; adding one is not modelled'), PLATFORM_DENIED),
    ...ops({ read_memtype: 33, resource_op: 61 }, modelled, PLATFORM_DENIED),
    ...ops({ enter_acpi_sleep: 51, core_parking: 60 }, HARDWARE, PLATFORM_DENIED),
    op('get_symbol', 63, XEN_ITSELF, PLATFORM_DENIED),
  ]),
  ...hypercall('xenoprof_op', 31, [
    op('init', 0, modelled),
    ...ops({ enable_virq: 8, disable_virq: 11 }, refused('EPERM', [], 'nobody is part of a profile')),
    op('get_buffer', 14, PROFILING),
    ...ops(XENOPROF_CONTROL, refused('EPERM', ['EINVAL'], 'there is no primary profiler before domain 0 has become it')),
  ]),
  ...hypercall('sysctl', 35, [
    op('readconsole', 1, refused('EFAULT', HEAD, 'it cannot be stored; what Xen wrote to its console is not modelled'), DENIED),
    op('get_cpu_policy', 29, modelled, DENIED),
    ...ops({ ...XEN_SYSCTL_MODELLED, ...SYSCTL_TOOLS }, modelled, DENIED),
    ...ops({ perfc_op: 5, lockprof_op: 15 }, refused('ENOSYS', HEAD, 'built without counters of its own'), DENIED),
    op('coverage_op', 20, refused('EOPNOTSUPP', [...HEAD, 'EFAULT'], 'built without coverage'), DENIED),
    op('psr_cmt_op', 21, refused('ENODEV', HEAD, 'the processor does not monitor its caches'), DENIED),
    op('livepatch_op', 27, modelled, DENIED),
  ]),
  ...hypercall('domctl', 36, [
    op(
      'createdomain',
      1,
      refused('EEXIST', HEAD, 'the number is taken, or the configuration is wrong; a domain that could be made is not modelled'),
      DENIED,
    ),
    op('getdomaininfo', 5, modelled, refused('EPERM', ['EFAULT', 'EACCES', 'EINVAL', 'ESRCH'])),
    op('iomem_permission', 20, modelled, refused('EPERM', ['EFAULT', 'EACCES', 'ESRCH', 'EINVAL'])),
    ...ops({ ...DOMCTL_MODELLED, ...DOMCTL_TOOLS }, modelled, OTHERS),
    ...ops({ soft_reset: 79, soft_reset_cont: 23 }, refused('EINVAL', DOMAIN, 'the domain is not both shut down and paused'), OTHERS),
    op(
      'shadow_op',
      10,
      refused('EINVAL', [...DOMAIN, 'EOPNOTSUPP'], 'there are no shadow page tables; to be told of dirty pages is not modelled'),
      OTHERS,
    ),
    op('psr_alloc', 78, refused('ENODEV', DOMAIN, 'the processor does not share out its caches'), OTHERS),
    ...ops(XEN_DOMCTL_NOT_BUILT, refused('ENOSYS', DOMAIN, 'Xen was built without it'), OTHERS),
    ...ops(XEN_DOMCTL_HVM, refused('EINVAL', DOMAIN, NOT_HVM), OTHERS),
    ...ops(XEN_DOMCTL_UNSUPPORTED, refused('EOPNOTSUPP', DOMAIN, 'there is no IOMMU, and no pool of memory for page tables'), OTHERS),
    op('psr_cmt_op', 75, refused('ENODEV', DOMAIN, 'the processor does not monitor its caches'), OTHERS),
    op('irq_permission', 19, refused('EPERM', [...DOMAIN, 'EINVAL'], 'no interrupt is mapped')),
    op('ioport_permission', 21, modelled, refused('EPERM', [...DOMAIN, 'EINVAL'])),
    ...ops({ bind_pt_irq: 38, unbind_pt_irq: 48 }, refused('EINVAL', DOMAIN, NOT_HVM)),
    op('memory_mapping', 39, modelled, refused('EPERM', [...DOMAIN, 'EINVAL'])),
    op('ioport_mapping', 40, refused('EOPNOTSUPP', DOMAIN, NOT_HVM)),
    op('set_target', 46, refused('EOPNOTSUPP', [...DOMAIN, 'ESRCH', 'EINVAL'], NOT_HVM)),
    op('get_device_group', 50, refused('EOPNOTSUPP', DOMAIN, 'there is no IOMMU')),
    op('vm_event_op', 56, modelled, refused('EPERM', [...DOMAIN, 'ESRCH'], 'only the version of its ring is told')),
  ]),
  ...hypercall('kexec_op', 37, [
    op('exec', 0, refused('ENOENT', ['EFAULT', 'EINVAL'], 'no kernel is loaded'), refused('EPERM')),
    op('load_v1', 1, not('puts a kernel in place of Xen'), refused('EPERM')),
    op('load', 4, refused('EINVAL', ['EFAULT', 'EADDRNOTAVAIL'], 'what could be loaded is not modelled'), refused('EPERM')),
    ...ops({ unload_v1: 2, get_range: 3, unload: 5, status: 6 }, modelled, refused('EPERM')),
  ]),
  ...hypercall(
    'xenpmu_op',
    40,
    ops(
      { mode_get: 0, mode_set: 1, feature_get: 2, feature_set: 3, init: 4, finish: 5, lvtpc_set: 6, flush: 7 },
      refused('EOPNOTSUPP', [], 'virtual performance counters are off unless the command line asks for them'),
    ),
  ),
  ...hypercall('hypfs_op', 42, ops(XEN_HYPFS_OP, modelled, refused('EPERM'))),
  ...hypercall('mca', 48, [
    ...ops({ fetch: 1, physcpuinfo: 3 }, modelled, refused('EPERM')),
    op('notifydomain', 2, refused('EINVAL', HEAD, 'the name alone is left of it'), refused('EPERM')),
    ...ops({ msrinject: 4, mceinject: 5, inject_v2: 6 }, HARDWARE, refused('EPERM')),
  ]),
  ...whole(
    'paging_domctl_cont',
    49,
    refused('EBUSY', ['EFAULT', 'EOPNOTSUPP', 'ESRCH', 'EINVAL'], 'no operation was interrupted'),
    refused('EPERM', ['EFAULT', 'EOPNOTSUPP', 'ESRCH']),
  ),
];
