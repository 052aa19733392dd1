/** Domctls that domain 0 is answered, by command. */

import { control, XEN_DOMCTL } from '#spec/abi/control.ts';
import {
  XEN_DOMCTL_MODELLED as OP,
  XEN_DOMCTL_TOOLS as TOOL,
  XEN_DOMCTL_HVM,
  XEN_DOMCTL_NOT_BUILT,
  XEN_DOMCTL_PSR_CMT_OP,
  XEN_DOMCTL_UNSUPPORTED,
} from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { TOOLS_ANSWERED } from '#spec/releases/control.ts';
import type { Domain } from '../../domain.ts';
import { copyToGuest } from '../../guest_access.ts';
import { continueCall } from '../../hypercall/continuation.ts';
import type { Machine } from '../../machine.ts';
import { killDomain } from '../../teardown/kill.ts';
import type { Vcpu } from '../../vcpu.ts';
import { domainPolicy } from '../sysctls/policy.ts';
import { getNodeAffinity, getVcpuAffinity, setNodeAffinity, setVcpuAffinity } from './affinity.ts';
import { getTscInfo, setTimeOffset, setTscInfo } from './clock.ts';
import { getDomainInfo, getVcpuInfo } from './domain_info.ts';
import { getExtendedState, setExtendedState } from './extended_state.ts';
import { permitFrames, permitPorts } from './io_permission.ts';
import { getPageFrameInfo } from './page_info.ts';
import { pauseDomain, resumeDomain, unpauseDomain } from './pause.ts';
import { opOf, type Request, type Work } from './request.ts';
import { getAddressSize, schedulerOp, setAddressSize, setHandle, setMaxMem, subscribe } from './settings.ts';
import { shadowOp } from './shadow.ts';
import {
  asksPsr,
  hypercallInit,
  monitorOp,
  psrAlloc,
  setAccessRequired,
  setCpuPolicy,
  setDebugging,
  setMaxVcpus,
  setVirqHandler,
  softReset,
} from './tools.ts';
import { getExtContext, getMsrs, sendTrigger } from './vcpu_context.ts';
import { setExtContext, setMsrs } from './vcpu_settings.ts';
import { setVirtualNodes } from './virtual_nodes.ts';
import { vmEventOp } from './vm_event.ts';
import { getContext, setContext } from './whole_context.ts';

/** When the whole structure goes back to the guest. */
type Back = 'never' | 'done' | 'always' | 'msrs' | 'psr';
type Row = { readonly work: Work; readonly back: Back };
const row = (work: Work, back: Back = 'never'): Row => ({ work, back });

const refuse = (errno: number) => (commands: Readonly<Record<string, number>>) =>
  Object.values(commands).map((command) => [command, row(() => -errno)] as const);

const ROWS: ReadonlyMap<number, Row> = new Map([
  ...Object.values(XEN_DOMCTL_NOT_BUILT).map((command) => [command, row(({ machine }) => -ERRNO[machine.ways['domctl-unknown']])] as const),
  ...refuse(ERRNO.EINVAL)(XEN_DOMCTL_HVM),
  ...refuse(ERRNO.EOPNOTSUPP)(XEN_DOMCTL_UNSUPPORTED),
  [XEN_DOMCTL_HVM.vmtrace_op, row(({ machine }) => (machine.ways['domctl-unknown'] === 'ENOSYS' ? -ERRNO.EINVAL : -ERRNO.EOPNOTSUPP))],
  [XEN_DOMCTL_HVM.gethvmcontext, row(() => -ERRNO.EINVAL, 'always')],
  [XEN_DOMCTL_PSR_CMT_OP, row(() => -ERRNO.ENODEV)],
  [XEN_DOMCTL.vm_event_op, row(vmEventOp, 'done')],
  [OP.destroydomain, row(({ machine, caller, domain }) => killDomain(machine, caller, domain))],
  [OP.pausedomain, row(pauseDomain)],
  [OP.unpausedomain, row(unpauseDomain)],
  [OP.resumedomain, row(resumeDomain)],
  [OP.getdomaininfo, row(getDomainInfo, 'done')],
  [OP.getvcpuinfo, row(getVcpuInfo, 'done')],
  [OP.max_mem, row(setMaxMem)],
  [OP.scheduler_op, row(schedulerOp, 'always')],
  [OP.setdomainhandle, row(setHandle)],
  [OP.getvcpuaffinity, row(getVcpuAffinity)],
  [OP.getnodeaffinity, row(getNodeAffinity)],
  [OP.sendtrigger, row(sendTrigger)],
  [OP.subscribe, row(subscribe)],
  [OP.set_address_size, row(setAddressSize)],
  [OP.get_address_size, row(getAddressSize, 'done')],
  [OP.get_ext_vcpucontext, row(getExtContext, 'done')],
  [OP.get_vcpu_msrs, row(getMsrs, 'msrs')],
  [OP.getpageframeinfo3, row(getPageFrameInfo)],
  [TOOL.setdebugging, row(setDebugging)],
  [TOOL.max_vcpus, row(setMaxVcpus)],
  [TOOL.set_access_required, row(setAccessRequired)],
  [TOOL.setnodeaffinity, row(setNodeAffinity)],
  [TOOL.soft_reset, row(softReset)],
  [TOOL.soft_reset_cont, row(softReset)],
  [TOOL.shadow_op, row(shadowOp, 'always')],
  [TOOL.set_cpu_policy, row(setCpuPolicy)],
  [TOOL.psr_alloc, row(psrAlloc, 'psr')],
  [TOOL.monitor_op, row(monitorOp, 'done')],
  [TOOL.settimeoffset, row(setTimeOffset)],
  [TOOL.gettscinfo, row(getTscInfo, 'done')],
  [TOOL.settscinfo, row(setTscInfo)],
  [TOOL.set_ext_vcpucontext, row(setExtContext)],
  [TOOL.set_vcpu_msrs, row(setMsrs)],
  [TOOL.set_virq_handler, row(setVirqHandler)],
  [TOOL.setvcpuaffinity, row(setVcpuAffinity)],
  [TOOL.setvnumainfo, row(setVirtualNodes)],
  [TOOL.hypercall_init, row(hypercallInit)],
  [TOOL.getvcpuextstate, row(getExtendedState, 'always')],
  [TOOL.setvcpuextstate, row(setExtendedState)],
  [TOOL.getvcpucontext, row(getContext)],
  [TOOL.setvcpucontext, row(setContext)],
  [TOOL.get_cpu_policy, row(domainPolicy, 'done')],
  [XEN_DOMCTL.ioport_permission, row(permitPorts)],
  [XEN_DOMCTL.iomem_permission, row(permitFrames)],
]);

const { ioport_permission, iomem_permission } = XEN_DOMCTL;
const TOOLS: ReadonlyMap<number, string> = new Map(
  Object.entries({ ...TOOL, ioport_permission, iomem_permission }).map(([name, command]) => [command, `domctl/${name}`]),
);

export const isAnswered = (machine: Machine, command: number): boolean => {
  const tool = TOOLS.get(command);
  return ROWS.has(command) && (tool === undefined || TOOLS_ANSWERED[machine.config.release]);
};

const goesBack = (back: Back, answer: number, op: DataView): boolean => {
  switch (back) {
    case 'never':
      return false;
    case 'done':
      return answer === 0;
    case 'always':
      return true;
    case 'psr':
      return asksPsr(op);
    case 'msrs':
      return answer !== -ERRNO.ESRCH && answer !== -ERRNO.EINVAL;
  }
};

/** Carry out a command that `isAnswered`. Its structure is in the scratch buffer and lies at `lo`, `hi` in the guest. */
export const answerDomctl = (machine: Machine, caller: Vcpu, command: number, domain: Domain, lo: number, hi: number): number => {
  const { work, back } = ROWS.get(command)!;
  const { size } = control.domctl;
  const op = opOf(size);
  op.setUint16(control.domctl.fields.domain.at, domain.domid, true);
  const request: Request = { machine, caller, domain, op, tells: false };
  const answer = work(request);
  if (answer === -ERRNO.ERESTART) return continueCall(lo, hi);
  if (!request.tells && !goesBack(back, answer, op)) return answer;
  return copyToGuest(machine, caller, lo, hi, size, new Uint8Array(op.buffer)) ? answer : -ERRNO.EFAULT;
};
