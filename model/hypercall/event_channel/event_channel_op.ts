/** event_channel_op: read the argument, carry out the operation, write the results back. */
import { evtchn } from '#spec/abi/event_channel.ts';
import { SUBOPERATIONS, suboperation } from '#spec/abi/hypercall.ts';
import type { Layout } from '#spec/abi/layout.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest, copyToGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { fromNumber, type Word } from '../../word/word.ts';
import { fieldsOf, withFields } from '../guest_struct.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';
import { allocUnbound } from './alloc_unbound.ts';
import { bindInterdomain } from './bind_interdomain.ts';
import { bindIpi } from './bind_ipi.ts';
import { bindPirq } from './bind_pirq.ts';
import { bindVcpu } from './bind_vcpu.ts';
import { bindVirq } from './bind_virq.ts';
import { close } from './close.ts';
import { expandArray } from './expand_array.ts';
import { initControl } from './init_control.ts';
import type { Operation } from './operation.ts';
import { reset, resetCont } from './reset.ts';
import { send } from './send.ts';
import { setPriority } from './set_priority.ts';
import { status } from './status.ts';
import { unmask } from './unmask.ts';

type Rule = (machine: Machine, caller: VcpuRef, arg: Word) => HypercallResult;

/** Decode, perform, reply: the same beats for each operation. */
const rule =
  <L extends Layout>(layout: L, perform: Operation<L>): Rule =>
  (machine, caller, arg) => {
    const read = copyFromGuest(machine, caller, arg, layout.size);
    if (!read.ok) return fail(read.machine, 'EFAULT', 'evtchn/argument-fault');

    const outcome = perform(read.machine, caller, fieldsOf(read.bytes, layout));
    if (outcome.tag === 'refused') return fail(outcome.machine, outcome.errno, outcome.clause);
    if (outcome.tag === 'preempted') {
      const cmd = fromNumber(SUBOPERATIONS.event_channel_op[outcome.cmd]);
      return { kind: 'preempted', machine: cite(outcome.machine, outcome.clause), args: [cmd, arg] };
    }
    if (Object.keys(outcome.out).length === 0) return done(outcome.machine, outcome.clause);

    const written = copyToGuest(outcome.machine, caller, arg, withFields(read.bytes, layout, outcome.out));
    return written.ok
      ? done(written.machine, outcome.clause)
      : fail(cite(written.machine, outcome.clause), 'EFAULT', 'evtchn/result-fault');
  };

const RULES: Readonly<Record<keyof typeof SUBOPERATIONS.event_channel_op, Rule>> = {
  bind_interdomain: rule(evtchn.bind_interdomain, bindInterdomain),
  bind_virq: rule(evtchn.bind_virq, bindVirq),
  bind_pirq: rule(evtchn.bind_pirq, bindPirq),
  close: rule(evtchn.close, close),
  send: rule(evtchn.send, send),
  status: rule(evtchn.status, status),
  alloc_unbound: rule(evtchn.alloc_unbound, allocUnbound),
  bind_ipi: rule(evtchn.bind_ipi, bindIpi),
  bind_vcpu: rule(evtchn.bind_vcpu, bindVcpu),
  unmask: rule(evtchn.unmask, unmask),
  reset: rule(evtchn.reset, reset),
  init_control: rule(evtchn.init_control, initControl),
  expand_array: rule(evtchn.expand_array, expandArray),
  set_priority: rule(evtchn.set_priority, setPriority),
  reset_cont: rule(evtchn.reset, resetCont),
};

/** HYPERVISOR_event_channel_op(cmd, arg). */
export const event_channel_op: Perform = (machine, caller, [cmd, arg]) => {
  const name = suboperation('event_channel_op', cmd.lo) as keyof typeof RULES | undefined;
  return name ? RULES[name](machine, caller, arg) : fail(machine, 'ENOSYS', 'evtchn/operation-unknown');
};
