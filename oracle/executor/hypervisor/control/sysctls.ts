/** Sysctls that domain 0 is answered: what there is to know of the machine. */
import { control } from '#spec/abi/control.ts';
import { XEN_SCHEDULER_CREDIT2 } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { XEN_CPU_CAPS } from '#spec/abi/mca.ts';
import { E820 } from '#spec/abi/memory.ts';
import {
  LEVELLING_CAPS,
  MAX_NODE_ID,
  NODE_SELF,
  XEN_SYSCTL_MODELLED as OP,
  PHYSCAP,
  PHYSCAP_SHORT,
  PSR_QUESTIONS,
  sysctl,
  XEN_SYSCTL_TOOLS as TOOL,
  XEN_INVALID_CORE_ID,
  XEN_INVALID_DEV,
} from '#spec/abi/sysctl.ts';
import { TOOLS_ANSWERED } from '#spec/releases/control.ts';
import { copyToGuest } from '../guest_access.ts';
import { shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { heapOf } from '../memory/allocate.ts';
import { cpuidRow } from '../processor_signature.ts';
import { TWO32 } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { domainRecord } from './domctls/domain_info.ts';
import { opOf, put64 } from './domctls/request.ts';
import { isNull, load, store, u32, type Work, words } from './sysctls/asker.ts';
import { readConsole } from './sysctls/console.ts';
import { featureSet } from './sysctls/features.ts';
import { livepatchOp } from './sysctls/livepatch.ts';
import { pageOffline } from './sysctls/page_offline.ts';
import { systemPolicy } from './sysctls/policy.ts';
import { cpupoolOp } from './sysctls/pools.ts';
import { cpuHotplug, getPmStat, pmOp } from './sysctls/power.ts';
import { schedulerOp, tbufOp } from './sysctls/scheduling.ts';

const PAGE = 4096;
const BYTES = BigInt(PAGE);
const LAST_BYTE = BYTES - 1n;
/** Devices that are looked at before anybody asks whether to stop. */
const DEVICES_AT_ONCE = 63;

/** Whole pages of RAM, as the firmware's map has them. */
const ramPages = ({ config }: Machine): bigint =>
  config.e820
    .filter(([, , type]) => type === E820.RAM)
    .reduce((sum, [address, size]) => {
      const first = (BigInt(address) + LAST_BYTE) / BYTES;
      return sum + (BigInt(address) + BigInt(size)) / BYTES - first;
    }, 0n);

const physinfo: Work = ({ machine, op }) => {
  const F = sysctl.physinfo.fields;
  const { config } = machine;
  const lastBytes = op.getBigUint64(F.hw_cap_3.at, true);
  for (let at = F.threads_per_core.at; at < F.hw_cap_3.at + 8; at++) op.setUint8(at, 0);
  const put = (field: { readonly at: number }, value: number): void => op.setUint32(field.at, value, true);
  put(F.threads_per_core, 1);
  put(F.cores_per_socket, 1);
  put(F.nr_cpus, config.pcpus);
  put(F.max_cpu_id, config.pcpus - 1);
  put(F.nr_nodes, 1);
  put(F.max_node_id, MAX_NODE_ID);
  put(F.cpu_khz, config.cpu.tsc_khz);
  put(F.capabilities, PHYSCAP);
  put64(op, F.total_pages.at, ramPages(machine));
  put64(op, F.free_pages.at, heapOf(machine).free);
  put64(op, F.outstanding_pages.at, machine.claims);
  put64(op, F.max_mfn.at, config.frames - 1);
  XEN_CPU_CAPS[machine.ways['physinfo-features']].forEach(({ leaf, subleaf, register, without }, i) => {
    put({ at: F.hw_cap_0.at + 4 * i }, (cpuidRow(config, leaf, subleaf)?.[register] ?? 0) & ~without);
  });
  if (machine.ways['physinfo-record'] === 'short') shorten(op, lastBytes);
  return 0;
};

/** Older records have no words for the processor family: what comes behind stands 8 bytes earlier, and the end stays the guest's. */
const shorten = (op: DataView, last: bigint): void => {
  const { capabilities, arch_capabilities, total_pages, hw_cap_3 } = sysctl.physinfo.fields;
  const bytes = new Uint8Array(op.buffer, op.byteOffset);
  bytes.copyWithin(arch_capabilities.at, total_pages.at, hw_cap_3.at + 8);
  op.setBigUint64(hw_cap_3.at, last, true);
  op.setUint32(capabilities.at, PHYSCAP_SHORT, true);
};

const schedId: Work = ({ op }) => {
  op.setUint32(sysctl.sched_id.fields.sched_id.at, XEN_SCHEDULER_CREDIT2, true);
  return 0;
};

const getDomainInfoList: Work = (asker) => {
  const { machine, op } = asker;
  const { first_domain, max_domains, buffer, num_domains } = sysctl.getdomaininfolist.fields;
  const first = op.getUint16(first_domain.at, true);
  const most = u32(op, max_domains.at);
  let count = 0;
  for (const domain of machine.domainsByDomid()) {
    if (domain.domid < first) continue;
    if (count === most) break;
    const bytes = domainRecord(machine, domain);
    if (!store(asker, buffer.at, count * bytes.length, bytes)) return -ERRNO.EFAULT;
    count++;
  }
  op.setUint32(num_domains.at, count, true);
  return 0;
};

const debugKeys: Work = ({ machine, caller, op }) => {
  if (u32(op, sysctl.debug_keys.fields.nr_keys.at) === 0) return 0;
  machine.notModelled(caller, 'sysctl');
  return -ERRNO.ENOSYS;
};

const getCpuInfo: Work = (asker) => {
  const { machine, op } = asker;
  const { max_cpus, info, nr_cpus } = sysctl.getcpuinfo.fields;
  const count = Math.min(u32(op, max_cpus.at), machine.config.pcpus);
  const idle = words(0, 0);
  for (let cpu = 0; cpu < count; cpu++) if (!store(asker, info.at, cpu * idle.length, idle)) return -ERRNO.EFAULT;
  op.setUint32(nr_cpus.at, count, true);
  return 0;
};

/** Of memory anywhere; where addresses of so many bits lead is not told. */
const availHeap: Work = ({ machine, caller, op }) => {
  const { min_bitwidth, max_bitwidth, node, avail_bytes } = sysctl.availheap.fields;
  if ((u32(op, min_bitwidth.at) | u32(op, max_bitwidth.at)) !== 0) {
    machine.notModelled(caller, 'sysctl');
    return -ERRNO.ENOSYS;
  }
  const which = op.getInt32(node.at, true);
  put64(op, avail_bytes.at, which === 0 || which === -1 ? heapOf(machine).free * PAGE : 0);
  return 0;
};

const cpuTopology: Work = (asker) => {
  const { machine, op } = asker;
  const { num_cpus, cputopo } = sysctl.cputopoinfo.fields;
  const { pcpus } = machine.config;
  const isAsked = !isNull(op, cputopo.at);
  const count = isAsked ? Math.min(pcpus, u32(op, num_cpus.at)) : pcpus;
  for (let cpu = 0; isAsked && cpu < count; cpu++) {
    const one = words(XEN_INVALID_CORE_ID, cpu, 0);
    if (!store(asker, cputopo.at, cpu * one.length, one)) return -ERRNO.EFAULT;
  }
  op.setUint32(num_cpus.at, count, true);
  return 0;
};

const numaInfo: Work = (asker) => {
  const { machine, op } = asker;
  const { num_nodes, meminfo, distance } = sysctl.numainfo.fields;
  const tells = [meminfo, distance].filter(({ at }) => !isNull(op, at));
  const count = tells.length === 0 ? 1 : Math.min(1, u32(op, num_nodes.at));
  if (count > 0) {
    for (const { at } of tells) {
      const bytes = at === meminfo.at ? memoryOf(machine) : words(NODE_SELF);
      if (!store(asker, at, 0, bytes)) return -ERRNO.EFAULT;
    }
  }
  op.setUint32(num_nodes.at, count, true);
  return 0;
};

/** Of the one node: bytes up to the last frame, and bytes that nobody has. */
const memoryOf = (machine: Machine): Uint8Array => {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  put64(view, 0, machine.config.frames * PAGE);
  put64(view, 8, heapOf(machine).free * PAGE);
  return bytes;
};

const pciTopology: Work = (asker) => {
  const { machine, caller, op } = asker;
  const { num_devs, devs, nodes } = sysctl.pcitopoinfo.fields;
  if (isNull(op, devs.at) || isNull(op, nodes.at)) return -ERRNO.EINVAL;
  const most = u32(op, num_devs.at);
  const device = new Uint8Array(4);
  let done = 0;
  while (done < most) {
    if (!load(asker, devs.at, 4 * done, device) || !store(asker, nodes.at, 4 * done, words(XEN_INVALID_DEV))) return -ERRNO.EFAULT;
    if (++done > DEVICES_AT_ONCE && shouldPreempt(machine, caller)) break;
  }
  op.setUint32(num_devs.at, done, true);
  return 0;
};

const psrAlloc: Work = ({ op }) => (u32(op, sysctl.psr_alloc.fields.question.at) < PSR_QUESTIONS ? -ERRNO.ENODEV : -ERRNO.EOPNOTSUPP);

const levellingCaps: Work = ({ op }) => {
  op.setUint32(sysctl.cpu_levelling_caps.fields.caps.at, LEVELLING_CAPS, true);
  return 0;
};

/** What goes back to the guest when it is done: the whole structure, also when it was refused otherwise than as unknown, or one field of it. */
type Back = 'all' | 'always' | 'nothing' | { readonly at: number; readonly size: number };
const ROWS: ReadonlyMap<number, readonly [work: Work, back: Back]> = new Map<number, readonly [Work, Back]>([
  [OP.physinfo, [physinfo, 'all']],
  [OP.sched_id, [schedId, 'all']],
  [OP.getdomaininfolist, [getDomainInfoList, 'all']],
  [OP.debug_keys, [debugKeys, 'nothing']],
  [OP.getcpuinfo, [getCpuInfo, 'all']],
  [OP.availheap, [availHeap, 'all']],
  [OP.cputopoinfo, [cpuTopology, 'all']],
  [OP.numainfo, [numaInfo, 'all']],
  [OP.pcitopoinfo, [pciTopology, 'all']],
  [OP.psr_alloc, [psrAlloc, 'nothing']],
  [OP.get_cpu_levelling_caps, [levellingCaps, sysctl.cpu_levelling_caps.fields.caps]],
  [TOOL.cpupool_op, [cpupoolOp, 'all']],
  [TOOL.scheduler_op, [schedulerOp, 'all']],
  [TOOL.tbuf_op, [tbufOp, 'all']],
  [TOOL.get_pmstat, [getPmStat, 'all']],
  [TOOL.pm_op, [pmOp, 'all']],
  [TOOL.cpu_hotplug, [cpuHotplug, 'nothing']],
  [TOOL.page_offline_op, [pageOffline, 'nothing']],
  [TOOL.get_cpu_featureset, [featureSet, sysctl.cpu_featureset.fields.nr_features]],
  [TOOL.get_cpu_policy, [systemPolicy, 'nothing']],
  [TOOL.livepatch_op, [livepatchOp, 'always']],
  [TOOL.readconsole, [readConsole, 'nothing']],
]);

const TOOLS: ReadonlyMap<number, string> = new Map(Object.entries(TOOL).map(([name, command]) => [command, `sysctl/${name}`]));

export const isAnswered = (machine: Machine, command: number): boolean => {
  const tool = TOOLS.get(command);
  return ROWS.has(command) && (tool === undefined || TOOLS_ANSWERED[machine.config.release]);
};

/** Carry out a command that `isAnswered`. Its structure is in the scratch buffer and lies at `lo`, `hi` in the guest. */
export const answerSysctl = (machine: Machine, caller: Vcpu, command: number, lo: number, hi: number): number => {
  const [work, back] = ROWS.get(command)!;
  const { size } = control.sysctl;
  const op = opOf(size);
  const answer = work({ machine, caller, op, lo, hi });
  // Words that did not all find room are counted all the same.
  const isTold = back === 'always' ? answer !== -ERRNO.EOPNOTSUPP : answer === 0 || answer === -ERRNO.ENOBUFS;
  if (!isTold || back === 'nothing') return answer;
  const part = typeof back === 'string' ? { at: 0, size } : back;
  const low = (lo >>> 0) + part.at;
  const bytes = new Uint8Array(op.buffer, part.at, part.size);
  return copyToGuest(machine, caller, low | 0, low >= TWO32 ? (hi + 1) | 0 : hi, part.size, bytes) ? answer : -ERRNO.EFAULT;
};
