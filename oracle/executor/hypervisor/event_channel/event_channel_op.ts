/** event_channel_op: two-level ABI. The command is the low half of the first argument, the second points to its structure. */
import { ERRNO } from '#spec/abi/errno.ts';
import { EVTCHN_FIFO_CONTROL_BLOCK, EVTCHNSTAT, evtchn } from '#spec/abi/event_channel.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { Layout } from '#spec/abi/layout.ts';
import { domainByAnyId, isTargetOrPrivileged } from '../domids.ts';
import { PGT } from '../frame_table.ts';
import { copyFromGuest, copyToGuest, putGuest, scratch } from '../guest_access.ts';
import { continueCall } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { ownsPage } from '../mm/page.ts';
import { getPageType, putPageType } from '../mm/page_type.ts';
import { ECS } from '../port.ts';
import { unsigned } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { allocUnbound, bindInterdomain, bindIpi, bindPirq, bindVirq } from './bind.ts';
import { closePort, RESTART, resetPorts } from './close.ts';
import { bindVcpu, sendPort, setPriority, unmask } from './notify.ts';
import { portIsValid } from './ports.ts';

const OP = SUBOPERATIONS.event_channel_op;
const PAGE = 4096;

const u16 = (at: number): number => scratch.getUint16(at, true);
const u32 = (at: number): number => scratch.getUint32(at, true);

/** Structure of each command; the ones without results are not written back. */
const STRUCTURES: readonly (Layout | undefined)[] = Object.entries(OP)
  .sort(([, a], [, b]) => a - b)
  .map(([name]) => (name === 'reset_cont' ? evtchn.reset : (evtchn as Readonly<Record<string, Layout>>)[name]));

export const event_channel_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const cmd = args[0];
  const lo = args[2];
  const hi = args[3];
  const structure = cmd >= 0 && cmd < STRUCTURES.length ? STRUCTURES[cmd] : undefined;
  if (!structure) return -ERRNO.ENOSYS;
  if (!copyFromGuest(machine, vcpu, lo, hi, structure.size)) return -ERRNO.EFAULT;
  const { domain } = vcpu;
  switch (cmd) {
    case OP.close:
      return closePort(machine, domain, u32(0));
    case OP.send:
      return sendPort(machine, domain, u32(0));
    case OP.unmask:
      return unmask(machine, domain, u32(0));
    case OP.bind_vcpu:
      return bindVcpu(domain, u32(0), u32(4));
    case OP.expand_array:
      return -ERRNO.EOPNOTSUPP;
    case OP.set_priority:
      return setPriority(domain, u32(0));
    case OP.reset:
    case OP.reset_cont:
      return reset(machine, vcpu, cmd, lo, hi);
    case OP.init_control:
      return initControl(machine, vcpu);
  }
  const answer = cmd === OP.status ? status(machine, vcpu) : open(machine, vcpu, cmd);
  if (answer < 0) return answer;
  return writeBack(machine, vcpu, lo, hi, structure.size) ? 0 : -ERRNO.EFAULT;
};

/** The whole structure goes back; one of 8 bytes in a single move, which faults without a trace. */
const writeBack = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, size: number): boolean =>
  size === 8
    ? putGuest(machine, vcpu, lo, hi, 8, scratch.getInt32(0, true), scratch.getInt32(4, true))
    : copyToGuest(machine, vcpu, lo, hi, size);

/** The commands that make a channel: the new port goes into the structure. */
const open = (machine: Machine, vcpu: Vcpu, cmd: number): number => {
  const { domain } = vcpu;
  let port: number;
  let at: number;
  switch (cmd) {
    case OP.bind_interdomain:
      port = bindInterdomain(machine, domain, u16(0), u32(4));
      at = evtchn.bind_interdomain.fields.local_port.at;
      break;
    case OP.bind_virq:
      port = bindVirq(domain, u32(0) | 0, u32(4) | 0);
      at = evtchn.bind_virq.fields.port.at;
      break;
    case OP.bind_ipi:
      port = bindIpi(domain, u32(0));
      at = evtchn.bind_ipi.fields.port.at;
      break;
    case OP.alloc_unbound:
      port = allocUnbound(machine, domain, u16(0), u16(2));
      at = evtchn.alloc_unbound.fields.port.at;
      break;
    default:
      return bindPirq(domain, u32(0));
  }
  if (port > 0) scratch.setUint32(at, port, true);
  return port;
};

const status = (machine: Machine, vcpu: Vcpu): number => {
  const { fields } = evtchn.status;
  const domain = domainByAnyId(machine, vcpu.domain, u16(fields.dom.at));
  if (!domain) return -ERRNO.ESRCH;
  const port = u32(fields.port.at);
  if (!portIsValid(domain, port)) return -ERRNO.EINVAL;
  if (!isTargetOrPrivileged(vcpu.domain, domain)) return -ERRNO.EPERM;
  const channel = domain.portAt(port);
  const put = (at: number, value: number): void => scratch.setUint32(at, value, true);
  put(fields.vcpu.at, channel === null ? 0 : channel.vcpu);
  switch (channel?.state) {
    case ECS.unbound:
      put(fields.status.at, EVTCHNSTAT.unbound);
      scratch.setUint16(fields.u0.at, channel.remoteDom, true);
      return 0;
    case ECS.interdomain:
      put(fields.status.at, EVTCHNSTAT.interdomain);
      scratch.setUint16(fields.u0.at, channel.remoteDom, true);
      put(fields.u1.at, channel.remotePort);
      return 0;
    case ECS.virq:
      put(fields.status.at, EVTCHNSTAT.virq);
      put(fields.u0.at, channel.number);
      return 0;
    case ECS.ipi:
      put(fields.status.at, EVTCHNSTAT.ipi);
      return 0;
    default:
      put(fields.status.at, EVTCHNSTAT.closed);
      return 0;
  }
};

const reset = (machine: Machine, vcpu: Vcpu, cmd: number, lo: number, hi: number): number => {
  const domain = domainByAnyId(machine, vcpu.domain, u16(0));
  if (!domain) return -ERRNO.ESRCH;
  if (!isTargetOrPrivileged(vcpu.domain, domain)) return -ERRNO.EPERM;
  const answer = resetPorts(machine, vcpu, domain, cmd === OP.reset_cont);
  return answer === RESTART ? continueCall(OP.reset_cont, 0, lo, hi) : answer;
};

/** The switch to the FIFO ABI: Xen's checks of the arguments, and no further. */
const initControl = (machine: Machine, vcpu: Vcpu): number => {
  const { fields } = evtchn.init_control;
  if (u32(fields.vcpu.at) >= vcpu.domain.vcpus.length) return -ERRNO.ENOENT;
  const offset = u32(fields.offset.at);
  if (offset > PAGE - EVTCHN_FIFO_CONTROL_BLOCK || offset % 8 !== 0) return -ERRNO.EINVAL;
  const { at } = fields.control_gfn;
  const mfn = unsigned(u32(at), u32(at + 4));
  const usable = ownsPage(machine.frames, mfn, vcpu.domain.domid) && getPageType(machine, vcpu, mfn, PGT.writable) === 0;
  if (!usable) return -ERRNO.EINVAL;
  putPageType(machine, vcpu, mfn);
  machine.notModelled(vcpu, 'event_channel_op/init_control');
  return -ERRNO.ENOSYS;
};
