/** Sysctls that are answered, by command. Chapter: spec/chapters/sysctl.md. */
import { XEN_SYSCTL_MODELLED as COMMAND, XEN_SYSCTL_TOOLS as TOOL } from '#spec/abi/sysctl.ts';
import { readconsole } from './console.ts';
import { getCpuPolicy } from './cpu_policy.ts';
import { getCpuFeatureset } from './features.ts';
import { debugKeys, getcpuinfo, getdomaininfolist } from './lists.ts';
import { livepatchOp } from './livepatch.ts';
import { availheap, cputopoinfo, levellingCaps, numainfo, pcitopoinfo, physinfo, psrAlloc, schedId } from './machine_info.ts';
import { pageOfflineOp } from './page_offline.ts';
import { cpupoolOp, schedulerOp } from './pools.ts';
import type { Rule } from './rule.ts';
import { cpuHotplug, getPmstat, pmOp, tbufOp } from './tuning.ts';

const ALL: ReadonlyMap<number, Rule> = new Map([
  [COMMAND.physinfo, physinfo],
  [COMMAND.sched_id, schedId],
  [COMMAND.getdomaininfolist, getdomaininfolist],
  [COMMAND.debug_keys, debugKeys],
  [COMMAND.getcpuinfo, getcpuinfo],
  [COMMAND.availheap, availheap],
  [COMMAND.cputopoinfo, cputopoinfo],
  [COMMAND.numainfo, numainfo],
  [COMMAND.pcitopoinfo, pcitopoinfo],
  [COMMAND.psr_alloc, psrAlloc],
  [COMMAND.get_cpu_levelling_caps, levellingCaps],
  [TOOL.cpupool_op, cpupoolOp],
  [TOOL.scheduler_op, schedulerOp],
  [TOOL.tbuf_op, tbufOp],
  [TOOL.get_pmstat, getPmstat],
  [TOOL.pm_op, pmOp],
  [TOOL.cpu_hotplug, cpuHotplug],
  [TOOL.page_offline_op, pageOfflineOp],
  [TOOL.get_cpu_featureset, getCpuFeatureset],
  [TOOL.get_cpu_policy, getCpuPolicy],
  [TOOL.livepatch_op, livepatchOp],
  [TOOL.readconsole, readconsole],
]);

/** Commands that the executor lacks still: they stop. */
const WAITING: ReadonlySet<number> = new Set<number>([]);

export const RULES: ReadonlyMap<number, Rule> = new Map([...ALL].filter(([command]) => !WAITING.has(command)));
