/** event_channel_op. The command is the low half of the first argument, the second points to its structure. */
import { ERRNO } from '#spec/abi/errno.ts';
import { EVTCHN_FIFO_LINK_BITS, EVTCHNSTAT, evtchn } from '#spec/abi/event_channel.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { Layout } from '#spec/abi/layout.ts';
import { domainByAnyId, isTargetOrPrivileged } from '../domids.ts';
import { copyFromGuest, copyToGuest, putGuest, scratch } from '../guest_access.ts';
import { continueCall } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { ECS } from '../port.ts';
import { unsigned } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { allocUnbound, bindInterdomain, bindIpi, bindPirq, bindVirq } from './bind.ts';
import { closePort, RESTART, resetPorts } from './close.ts';
import { expandArray, initControl, setPriority } from './fifo_control.ts';
import { bindVcpu, sendPort, unmask } from './notify.ts';
import { portIsValid } from './ports.ts';

const OP = SUBOPERATIONS.event_channel_op;

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
      return expandArray(machine, vcpu, unsigned(u32(0), u32(4)));
    case OP.set_priority:
      return setPriority(domain, u32(0), u32(4));
    case OP.reset:
    case OP.reset_cont:
      return reset(machine, vcpu, cmd, lo, hi);
  }
  const answer = answerInto(machine, vcpu, cmd);
  if (answer < 0) return answer;
  return writeBack(machine, vcpu, lo, hi, structure.size) ? 0 : -ERRNO.EFAULT;
};

/** The commands that answer into their structure. */
const answerInto = (machine: Machine, vcpu: Vcpu, cmd: number): number => {
  if (cmd === OP.status) return status(machine, vcpu);
  return cmd === OP.init_control ? takeControlBlock(machine, vcpu) : open(machine, vcpu, cmd);
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
      port = bindVirq(machine, domain, u32(0) | 0, u32(4) | 0);
      at = evtchn.bind_virq.fields.port.at;
      break;
    case OP.bind_ipi:
      port = bindIpi(machine, domain, u32(0));
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

const takeControlBlock = (machine: Machine, vcpu: Vcpu): number => {
  const { control_gfn, offset, vcpu: id, link_bits } = evtchn.init_control.fields;
  const frame = unsigned(u32(control_gfn.at), u32(control_gfn.at + 4));
  const answer = initControl(machine, vcpu, u32(id.at), frame, u32(offset.at));
  scratch.setUint8(link_bits.at, EVTCHN_FIFO_LINK_BITS);
  return answer;
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
