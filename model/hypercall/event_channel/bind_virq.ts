/** EVTCHNOP_bind_virq: a fresh port for a virtual interrupt of the caller's domain. */
import type { evtchn } from '#spec/abi/event_channel.ts';
import { NR_VIRQS } from '#spec/abi/xen.ts';
import { domainOf, updateVcpu } from '../../lens.ts';
import { allocatePort } from './free_port.ts';
import { openChannel } from './open_channel.ts';
import { granted, type Operation, refused } from './operation.ts';
import { virqIsGlobal } from './virq_kind.ts';

export const bindVirq: Operation<typeof evtchn.bind_virq> = (machine, { domid }, { virq, vcpu }) => {
  if (virq >= NR_VIRQS) return refused(machine, 'EINVAL', 'evtchn/bind_virq-number');
  if (virqIsGlobal(virq) && vcpu !== 0) return refused(machine, 'EINVAL', 'evtchn/bind_virq-global');
  const target = domainOf(machine, domid).vcpus[vcpu];
  if (!target) return refused(machine, 'ENOENT', 'evtchn/bind_virq-vcpu');
  if (target.virqPorts[virq] !== 0) return refused(machine, 'EEXIST', 'evtchn/bind_virq-exists');

  const fresh = allocatePort(machine, domid);
  if (fresh.tag === 'refused') return fresh;
  const kind = virqIsGlobal(virq) ? 'bind_global_virq' : 'bind_virq';
  const bound = openChannel(fresh.machine, domid, fresh.port, kind, { state: 'virq', vcpu, virq });
  const known = updateVcpu(bound, { domid, vcpu }, { virqPorts: target.virqPorts.with(virq, fresh.port) });
  return granted(known, 'evtchn/bind_virq-bound', { port: fresh.port });
};
