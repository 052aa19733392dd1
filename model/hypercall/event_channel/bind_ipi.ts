/** EVTCHNOP_bind_ipi: a fresh port by which vCPUs of the caller's domain signal one of them. */
import type { evtchn } from '#spec/abi/event_channel.ts';
import { domainOf } from '../../lens.ts';
import { allocatePort } from './free_port.ts';
import { openChannel } from './open_channel.ts';
import { granted, type Operation, refused } from './operation.ts';

export const bindIpi: Operation<typeof evtchn.bind_ipi> = (machine, { domid }, { vcpu }) => {
  if (!domainOf(machine, domid).vcpus[vcpu]) return refused(machine, 'ENOENT', 'evtchn/bind_ipi-vcpu');

  const fresh = allocatePort(machine, domid);
  if (fresh.tag === 'refused') return fresh;
  const bound = openChannel(fresh.machine, domid, fresh.port, 'bind_ipi', { state: 'ipi', vcpu });
  return granted(bound, 'evtchn/bind_ipi-bound', { port: fresh.port });
};
