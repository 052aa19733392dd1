import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { EVTCHNSTAT, evtchn } from '#spec/abi/event_channel.ts';
import { ModelBug } from '#spec/failure.ts';
import type { Machine } from '../../machine.ts';
import { DOM0, operate, SELF, twoDomains } from '../../testing/guest.ts';
import { CHANNEL_STATES, type ChannelState, changeChannel, ON_A_PORT, stateOf } from './lifecycle.ts';
import { channelAt } from './ports.ts';

const op = (machine: Machine, name: keyof typeof evtchn, fields: Readonly<Record<string, number>>) =>
  operate(machine, DOM0, 'event_channel_op', name, evtchn[name], fields);

const fresh = twoDomains(ONE_PAGE_KERNEL);
const waiting = op(fresh, 'alloc_unbound', { dom: SELF, remote_dom: SELF }).machine;
/** Port 1 in each state that a machine without interrupts can bring about. */
const IN_STATE: Readonly<Record<Exclude<ChannelState, 'pirq'>, Machine>> = {
  free: fresh,
  unbound: waiting,
  interdomain: op(waiting, 'bind_interdomain', { remote_dom: SELF, remote_port: 1 }).machine,
  virq: op(fresh, 'bind_virq', { virq: 1, vcpu: 0 }).machine,
  global_virq: op(fresh, 'bind_virq', { virq: 2, vcpu: 0 }).machine,
  ipi: op(fresh, 'bind_ipi', { vcpu: 0 }).machine,
};
const FIELDS = { close: { port: 1 }, send: { port: 1 }, bind_vcpu: { port: 1, vcpu: 1 } } as const;

describe('the life of a channel', () => {
  it.each(CHANNEL_STATES.filter((state) => state !== 'pirq'))('from %s goes where the table says', (state) => {
    const machine = IN_STATE[state];
    expect(stateOf(channelAt(machine, 0, 1))).toBe(state);
    for (const name of ['close', 'send', 'bind_vcpu'] as const) {
      const step: { readonly to?: ChannelState; readonly errno?: keyof typeof ERRNO; readonly clause: string } = ON_A_PORT[name][state];
      const called = op(machine, name, FIELDS[name]);
      expect(called.rc).toBe(step.errno ? -ERRNO[step.errno] : 0);
      expect(called.clauses).toContain(step.clause);
      expect(stateOf(channelAt(called.machine, 0, 1))).toBe(step.to ?? state);
    }
  });

  it('is told by status', () => {
    for (const [state, machine] of Object.entries(IN_STATE)) {
      const name = state === 'free' ? 'closed' : state === 'global_virq' ? 'virq' : (state as keyof typeof EVTCHNSTAT);
      expect(op(machine, 'status', { dom: SELF, port: 1 }).out).toMatchObject({ status: EVTCHNSTAT[name] });
    }
  });

  it('takes no step that the table does not have', () => {
    expect(() => changeChannel(IN_STATE.ipi, 0, 1, 'close', { state: 'ipi', vcpu: 0 })).toThrow(ModelBug);
    expect(() => changeChannel(IN_STATE.virq, 0, 1, 'bind_vcpu', { state: 'virq', vcpu: 1, virq: 1 })).toThrow(ModelBug);
    expect(() => changeChannel(IN_STATE.unbound, 0, 1, 'peer_closes', null)).toThrow(ModelBug);
  });
});
