/** Domctls that domain 0 is answered, by command. Chapter: spec/chapters/domctl.md. */
import { XEN_DOMCTL } from '#spec/abi/control.ts';
import { XEN_DOMCTL_MODELLED as COMMAND, XEN_DOMCTL_TOOLS as TOOL } from '#spec/abi/domctl.ts';
import { getnodeaffinity, getvcpuaffinity, setnodeaffinity } from './affinity.ts';
import { getCpuPolicy } from './cpu_policy.ts';
import { createdomain } from './createdomain.ts';
import { destroydomain } from './destroydomain.ts';
import { getdomaininfo } from './domain_info.ts';
import { getvcpuextstate, setvcpuextstate } from './extended_state.ts';
import { monitorOp } from './monitor.ts';
import { getpageframeinfo3 } from './page_info.ts';
import { pausedomain, resumedomain, unpausedomain } from './pause.ts';
import { iomemPermission, ioportPermission } from './permissions.ts';
import { REFUSALS } from './refusals.ts';
import type { Rule } from './rule.ts';
import { setvcpuaffinity } from './set_affinity.ts';
import { getAddressSize, maxMem, schedulerOp, setAddressSize, setdomainhandle, subscribe } from './settings.ts';
import { gettscinfo, settimeoffset, settscinfo } from './time.ts';
import { getExtVcpucontext, getVcpuMsrs, getvcpuinfo, sendtrigger } from './vcpu.ts';
import { setExtVcpucontext, setVcpuMsrs } from './vcpu_state.ts';
import { hypercallInit, setVirqHandler } from './virq_handler.ts';
import { setvnumainfo } from './virtual_nodes.ts';
import { getvcpucontext, setvcpucontext } from './whole_context.ts';
import { maxVcpus, setAccessRequired, setCpuPolicy, setdebugging, shadowOp, softReset } from './whole_domain.ts';

const ALL: ReadonlyMap<number, Rule> = new Map([
  ...REFUSALS,
  [XEN_DOMCTL.createdomain, createdomain],
  [XEN_DOMCTL.iomem_permission, iomemPermission],
  [XEN_DOMCTL.ioport_permission, ioportPermission],
  [TOOL.getvcpucontext, getvcpucontext],
  [TOOL.setvcpucontext, setvcpucontext],
  [COMMAND.destroydomain, destroydomain],
  [COMMAND.pausedomain, pausedomain],
  [COMMAND.unpausedomain, unpausedomain],
  [COMMAND.resumedomain, resumedomain],
  [COMMAND.getdomaininfo, getdomaininfo],
  [COMMAND.max_mem, maxMem],
  [COMMAND.getvcpuinfo, getvcpuinfo],
  [COMMAND.scheduler_op, schedulerOp],
  [COMMAND.setdomainhandle, setdomainhandle],
  [COMMAND.getvcpuaffinity, getvcpuaffinity],
  [COMMAND.sendtrigger, sendtrigger],
  [COMMAND.subscribe, subscribe],
  [COMMAND.set_address_size, setAddressSize],
  [COMMAND.get_address_size, getAddressSize],
  [COMMAND.get_ext_vcpucontext, getExtVcpucontext],
  [COMMAND.getpageframeinfo3, getpageframeinfo3],
  [COMMAND.getnodeaffinity, getnodeaffinity],
  [COMMAND.get_vcpu_msrs, getVcpuMsrs],
  [TOOL.setdebugging, setdebugging],
  [TOOL.setvnumainfo, setvnumainfo],
  [TOOL.settimeoffset, settimeoffset],
  [TOOL.gettscinfo, gettscinfo],
  [TOOL.settscinfo, settscinfo],
  [TOOL.set_virq_handler, setVirqHandler],
  [TOOL.hypercall_init, hypercallInit],
  [TOOL.set_ext_vcpucontext, setExtVcpucontext],
  [TOOL.set_vcpu_msrs, setVcpuMsrs],
  [TOOL.max_vcpus, maxVcpus],
  [TOOL.set_access_required, setAccessRequired],
  [TOOL.setnodeaffinity, setnodeaffinity],
  [TOOL.setvcpuaffinity, setvcpuaffinity],
  [TOOL.soft_reset, softReset],
  [TOOL.soft_reset_cont, softReset],
  [TOOL.shadow_op, shadowOp],
  [TOOL.get_cpu_policy, getCpuPolicy],
  [TOOL.set_cpu_policy, setCpuPolicy],
  [TOOL.monitor_op, monitorOp],
  [TOOL.getvcpuextstate, getvcpuextstate],
  [TOOL.setvcpuextstate, setvcpuextstate],
]);

/** Commands that the executor lacks still: they stop. */
const WAITING: ReadonlySet<number> = new Set<number>();

export const RULES: ReadonlyMap<number, Rule> = new Map([...ALL].filter(([command]) => !WAITING.has(command)));
