/** SCHEDOP_poll: wait until one of some ports is pending, or for a while. */
import { SCHED_POLL_MAX_PORTS, sched } from '#spec/abi/sched.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { arrayOk, copyFromGuest } from '../../guest_copy.ts';
import { updateVcpu } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { setPollDeadline } from '../../time/timers.ts';
import { eventsNeedDelivery } from '../../vcpu_info.ts';
import { addInt, isZero, toSigned, type Word } from '../../word/word.ts';
import { portOps } from '../event_channel/port_ops.ts';
import { channelAt, portIsValid } from '../event_channel/ports.ts';
import { fieldOf } from '../guest_struct.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';

export const poll: Perform = (machine, caller, [arg]) => {
  const copied = copyFromGuest(machine, caller, arg, sched.poll.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'sched/poll-fault');
  const { fields } = sched.poll;
  const ports = wordIn(copied.bytes, fields.ports.at);
  return pollPorts(copied.machine, caller, ports, fieldOf(copied.bytes, fields.nr_ports), wordIn(copied.bytes, fields.timeout.at));
};

/** Poll `count` ports of a list. */
export const pollPorts = (machine: Machine, caller: VcpuRef, ports: Word, count: number, timeout: Word): HypercallResult => {
  if (count > SCHED_POLL_MAX_PORTS) return fail(machine, 'EINVAL', 'sched/poll-too_many');
  if (!arrayOk(ports, count, 4)) return fail(machine, 'EFAULT', 'sched/poll-array');
  if (eventsNeedDelivery(machine, caller)) return done(machine, 'sched/poll-upcall');
  return lookAtPorts(machine, caller, ports, count, timeout);
};

const lookAtPorts = (machine: Machine, caller: VcpuRef, ports: Word, count: number, timeout: Word): HypercallResult => {
  const ops = portOps(machine, caller.domid);
  const mayWaitInVain = waysOf(machine.config.release)['poll-free_port'] === 'waits';
  let m = machine;
  let port = 0;
  for (let i = 0; i < count; i++) {
    const copied = copyFromGuest(m, caller, addInt(ports, i * 4), 4);
    m = copied.machine;
    if (!copied.ok) return fail(m, 'EFAULT', 'sched/poll-array');
    port = wordIn(copied.bytes, 0, 4).lo >>> 0;
    if (!channelAt(m, caller.domid, port)) {
      if (mayWaitInVain && portIsValid(m, caller.domid, port)) continue;
      return fail(m, 'EINVAL', 'sched/poll-port');
    }
    if (ops.isPending(m, caller.domid, port)) return done(m, ops.ready);
  }
  const waiting = updateVcpu(m, caller, { blocked: true, poll: { port: count === 1 ? port : -1 } });
  const timed = isZero(timeout) ? waiting : setPollDeadline(waiting, caller, toSigned(timeout));
  return done({ ...timed, reschedule: true }, 'sched/poll-waits');
};
