/** From a word that a user knows (`EVTCHNOP_send`, `sched_op/poll`, `__HYPERVISOR_iret`) to the clauses that speak of it. */
import { HYPERCALL, type HypercallName, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { SLICE } from '../campaign/coverage.ts';

/** How the public headers spell sub-operations: prefix, hypercall. */
const CONSTANTS: readonly (readonly [string, HypercallName])[] = [
  ['EVTCHNOP_', 'event_channel_op'],
  ['GNTTABOP_', 'grant_table_op'],
  ['SCHEDOP_', 'sched_op'],
  ['VCPUOP_', 'vcpu_op'],
  ['XENVER_', 'xen_version'],
  ['CONSOLEIO_', 'console_io'],
  ['CALLBACKOP_', 'callback_op'],
  ['VMASST_CMD_', 'vm_assist'],
  ['MMUEXT_', 'mmuext_op'],
  ['XENMEM_', 'memory_op'],
  ['MMU_', 'mmu_update'],
  ['XENPF_', 'platform_op'],
  ['PHYSDEVOP_', 'physdev_op'],
];

/** Families of clauses whose operations are named as the sub-operations are. */
const FAMILY: Readonly<Partial<Record<HypercallName, string>>> = {
  event_channel_op: 'evtchn',
  grant_table_op: 'gnttab',
  sched_op: 'sched',
  vcpu_op: 'vcpu',
  xen_version: 'version',
  console_io: 'console',
  callback_op: 'callback',
  mmu_update: 'mmu',
  mmuext_op: 'mmu',
  memory_op: 'memory',
  physdev_op: 'physdev',
  platform_op: 'platform',
  sysctl: 'sysctl',
  domctl: 'domctl',
  mca: 'mca',
  hvm_op: 'hvm',
  hypfs_op: 'hypfs',
  kexec_op: 'kexec',
  dm_op: 'dm',
  paging_domctl_cont: 'paging_domctl_cont',
  xenoprof_op: 'xenoprof',
};

/**
 * Operations whose clauses have other names than the operation, and hypercalls without a family of their own: how the ids begin, with a
 * colon, since a beginning is no citation.
 */
const NAMED_OTHERWISE: Readonly<Record<string, readonly string[]>> = {
  'event_channel_op/reset_cont': ['evtchn:reset'],
  'grant_table_op/map_grant_ref': ['gnttab:map'],
  'grant_table_op/unmap_grant_ref': ['gnttab:unmap'],
  'grant_table_op/swap_grant_ref': ['gnttab:swap'],
  'mmu_update/normal_pt_update': ['mmu:update', 'mmu:entry'],
  'mmu_update/pt_update_preserve_ad': ['mmu:update', 'mmu:entry'],
  'mmu_update/pt_update_no_translate': ['mmu:update', 'mmu:entry'],
  'mmu_update/machphys_update': ['mmu:machphys'],
  'mmuext_op/pin_l1_table': ['mmu:pin'],
  'mmuext_op/pin_l2_table': ['mmu:pin'],
  'mmuext_op/pin_l3_table': ['mmu:pin'],
  'mmuext_op/pin_l4_table': ['mmu:pin'],
  'mmuext_op/unpin_table': ['mmu:unpin'],
  'mmuext_op/tlb_flush_local': ['mmu:flush'],
  'mmuext_op/tlb_flush_multi': ['mmu:flush'],
  'mmuext_op/tlb_flush_all': ['mmu:flush'],
  'mmuext_op/invlpg_local': ['mmu:flush'],
  'mmuext_op/invlpg_multi': ['mmu:flush'],
  'mmuext_op/invlpg_all': ['mmu:flush'],
  'mmuext_op/flush_cache': ['mmu:flush', 'mmu:flush_cache'],
  'mmuext_op/flush_cache_global': ['mmu:flush', 'mmu:flush_cache'],
  'mmuext_op/mark_super': ['mmu:super'],
  'mmuext_op/unmark_super': ['mmu:super'],
  set_gdt: ['descriptor:set_gdt', 'descriptor:page'],
  update_descriptor: ['descriptor:update'],
  'xen_version/extraversion': ['version:text'],
  'xen_version/compile_info': ['version:text'],
  'xen_version/capabilities': ['version:text'],
  'xen_version/changeset': ['version:text'],
  'xen_version/platform_parameters': ['version:text'],
  'xen_version/guest_handle': ['version:text'],
  'xen_version/commandline': ['version:text', 'version:commandline'],
  'vm_assist/enable': ['misc:vm_assist'],
  'vm_assist/disable': ['misc:vm_assist'],
  set_trap_table: ['trap:set_trap_table'],
  set_callbacks: ['callback:set_callbacks'],
  stack_switch: ['misc:stack_switch'],
  fpu_taskswitch: ['misc:fpu_taskswitch'],
  set_debugreg: ['misc:set_debugreg'],
  get_debugreg: ['misc:get_debugreg'],
  set_segment_base: ['misc:set_segment_base'],
  vm_assist: ['misc:vm_assist'],
  set_timer_op: ['time:set_timer_op'],
  update_va_mapping: ['mmu:update_va_mapping', 'mmu:entry'],
  update_va_mapping_otherdomain: ['mmu:update_va_mapping_otherdomain', 'mmu:update_va_mapping'],
  'memory_op/get_sharing_freed_pages': ['memory:sharing'],
  'memory_op/get_sharing_shared_pages': ['memory:sharing'],
  'memory_op/increase_reservation': ['memory:increase_reservation', 'memory:reservation', 'memory:allocate'],
  'memory_op/decrease_reservation': ['memory:decrease_reservation', 'memory:reservation'],
  'memory_op/populate_physmap': ['memory:populate_physmap', 'memory:reservation', 'memory:allocate'],
  'memory_op/add_to_physmap': ['memory:physmap'],
  'memory_op/remove_from_physmap': ['memory:physmap'],
  'memory_op/add_to_physmap_batch': ['memory:physmap'],
  'memory_op/set_pod_target': ['memory:pod'],
  'memory_op/get_pod_target': ['memory:pod'],
  'memory_op/get_vnumainfo': ['memory:vnuma'],
  'memory_op/machphys_compat_mfn_list': ['memory:machphys_compat'],
  'physdev_op/pirq_eoi_gmfn_v1': ['physdev:eoi_map'],
  'physdev_op/pirq_eoi_gmfn_v2': ['physdev:eoi_map'],
  'platform_op/settime32': ['platform:settime'],
  'platform_op/settime64': ['platform:settime', 'platform:settime64'],
  'platform_op/platform_quirk': ['platform:quirk'],
  'platform_op/firmware_info': ['platform:firmware'],
  'platform_op/get_cpuinfo': ['platform:cpuinfo'],
  'platform_op/get_cpu_version': ['platform:cpu_version'],
  'platform_op/change_freq': ['platform:frequency'],
  'platform_op/getidletime': ['platform:frequency'],
  xenpmu_op: ['pmu:off'],
  event_channel_op_compat: ['old:event_channel_op'],
  sched_op_compat: ['old:sched_op'],
  physdev_op_compat: ['old:physdev_op'],
  nmi_op: ['old:nmi_op'],
  multicall: ['multicall'],
  iret: ['iret'],
};

const otherwise = (operation: string): readonly string[] | undefined => NAMED_OTHERWISE[operation]?.map((p) => p.replace(':', '/'));

const subsOf = (call: string): Readonly<Record<string, number>> =>
  (SUBOPERATIONS as Readonly<Partial<Record<string, Readonly<Record<string, number>>>>>)[call] ?? {};

export type Operation = {
  readonly call: HypercallName;
  readonly number: number;
  /** Null for the whole hypercall. */
  readonly sub: string | null;
  readonly command: number | null;
  /** Sub-operations of the whole hypercall, by name. */
  readonly subs: Readonly<Record<string, number>>;
  /** Whether it, or any of its sub-operations, is modelled. */
  readonly modelled: boolean;
};

/** The operation that a word names, in any usual spelling; null for none. */
export const operationNamed = (word: string): Operation | null => {
  const plain = word.replace(/^(?:__HYPERVISOR_|HYPERVISOR_)/, '');
  for (const [prefix, call] of CONSTANTS)
    if (plain.startsWith(prefix)) return operationNamed(`${call}/${plain.slice(prefix.length).toLowerCase()}`);
  const [call, sub, ...rest] = plain.split('/') as [string, ...string[]];
  if (!Object.hasOwn(HYPERCALL, call) || rest.length > 0) return null;
  const subs = subsOf(call);
  if (sub !== undefined && !Object.hasOwn(subs, sub)) return null;
  const name = sub === undefined ? call : `${call}/${sub}`;
  return {
    call: call as HypercallName,
    number: HYPERCALL[call as HypercallName],
    sub: sub ?? null,
    command: sub === undefined ? null : subs[sub]!,
    subs: sub === undefined ? subs : {},
    modelled: SLICE.some((s) => s === name || s.startsWith(`${name}/`)),
  };
};

const isUnder = (id: string, prefix: string): boolean => id === prefix || id.startsWith(`${prefix}-`) || id.startsWith(`${prefix}/`);

/** Ids of an operation's own clauses, and of those that it shares with the rest of its hypercall. */
export const clausesOf = ({ call, sub }: Operation, ids: readonly string[]) => {
  const family = FAMILY[call];
  const prefixes = otherwise(sub === null ? call : `${call}/${sub}`) ?? (family ? [sub === null ? family : `${family}/${sub}`] : []);
  const own = ids.filter((id) => prefixes.some((p) => isUnder(id, p)));
  if (sub === null || family === undefined) return { own, shared: [] };
  // What no sub-operation of the family has for itself is said for all of them.
  const calls = (Object.keys(FAMILY) as HypercallName[]).filter((c) => FAMILY[c] === family);
  const taken = calls.flatMap((c) => Object.keys(subsOf(c)).flatMap((s) => otherwise(`${c}/${s}`) ?? [`${family}/${s}`]));
  const shared = ids.filter((id) => isUnder(id, family) && !taken.some((p) => isUnder(id, p)));
  return { own, shared };
};

/** Clauses that begin as the word does, or whose operation does. */
export const clausesNamed = (word: string, ids: readonly string[]): readonly string[] => {
  if (ids.includes(word)) return [word];
  const plain = word.replace(/\/$/, '');
  return plain === '' ? [] : ids.filter((id) => isUnder(id, plain) || isUnder(id.slice(id.indexOf('/') + 1), plain));
};
