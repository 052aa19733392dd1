/** Sysctls that are answered, by command. Chapter: spec/chapters/sysctl.md. */
import { XEN_SYSCTL_MODELLED as COMMAND } from '#spec/abi/sysctl.ts';
import { debugKeys, getcpuinfo, getdomaininfolist } from './lists.ts';
import { availheap, cputopoinfo, levellingCaps, numainfo, pcitopoinfo, physinfo, psrAlloc, schedId } from './machine_info.ts';
import type { Rule } from './rule.ts';

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
]);

/** Commands that the executor lacks still: they stop. */
const WAITING: ReadonlySet<number> = new Set();

export const RULES: ReadonlyMap<number, Rule> = new Map([...ALL].filter(([command]) => !WAITING.has(command)));
