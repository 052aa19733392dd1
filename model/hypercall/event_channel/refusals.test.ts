/** The checks that stand alone: one of each operation's fails, and every other holds. Which one it was, its clause says. */
import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { evtchn } from '#spec/abi/event_channel.ts';
import type { VcpuRef } from '#spec/event.ts';
import { domainOf, updateDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { numbered } from '../../numbered.ts';
import { call, DOM0, DOM1, operate, SELF, twoDomains } from '../../testing/guest.ts';
import { channelAt, setChannel } from './ports.ts';
import { upcallPending } from './shared_bits.ts';

const fresh = twoDomains(ONE_PAGE_KERNEL);
const op = (machine: Machine, at: VcpuRef, name: keyof typeof evtchn, fields: Readonly<Record<string, number>>) =>
  operate(machine, at, 'event_channel_op', name, evtchn[name], fields);

const IPI = { state: 'ipi', vcpu: 0 } as const;
/** Domain 0 has a channel at each port that it may have. */
const full = updateDomain(fresh, 0, { channels: numbered([null, ...Array.from({ length: 4095 }, () => IPI)]), validPorts: 4096 });
const dying = updateDomain(fresh, 1, { dying: 'dying' } as object);

it.each<readonly [what: string, Machine, VcpuRef, keyof typeof evtchn, Readonly<Record<string, number>>, rc: number, clause: string]>([
  ['a domain that is not there', fresh, DOM0, 'alloc_unbound', { dom: 9, remote_dom: 0 }, -3, 'evtchn/alloc_unbound-domain'],
  ['one that dies', dying, DOM0, 'alloc_unbound', { dom: 1, remote_dom: 0 }, -22, 'evtchn/port-dying'],
  ['no port left', full, DOM0, 'alloc_unbound', { dom: SELF, remote_dom: 1 }, -28, 'evtchn/port-full'],
  ['no port left', full, DOM0, 'bind_ipi', { vcpu: 0 }, -28, 'evtchn/port-full'],
  ['no port left', full, DOM0, 'bind_virq', { virq: 0, vcpu: 0 }, -28, 'evtchn/port-full'],
  ['no vCPU', fresh, DOM0, 'bind_ipi', { vcpu: 2 }, -2, 'evtchn/bind_ipi-vcpu'],
  ['no interrupt', fresh, DOM0, 'bind_virq', { virq: 24, vcpu: 0 }, -22, 'evtchn/bind_virq-number'],
  ['a global interrupt of another vCPU', fresh, DOM0, 'bind_virq', { virq: 2, vcpu: 1 }, -22, 'evtchn/bind_virq-global'],
  ['no vCPU', fresh, DOM0, 'bind_virq', { virq: 0, vcpu: 2 }, -2, 'evtchn/bind_virq-vcpu'],
  ['a domain that is not there', fresh, DOM0, 'bind_interdomain', { remote_dom: 9, remote_port: 1 }, -3, 'evtchn/bind_interdomain-domain'],
  ['no port', fresh, DOM0, 'bind_interdomain', { remote_dom: 1, remote_port: 64 }, -22, 'evtchn/bind_interdomain-port'],
  ['a free port', fresh, DOM0, 'bind_interdomain', { remote_dom: 1, remote_port: 1 }, -22, 'evtchn/bind_interdomain-unbound'],
  ['no port', fresh, DOM0, 'bind_vcpu', { port: 64, vcpu: 1 }, -22, 'evtchn/bind_vcpu-port'],
  ['no vCPU', fresh, DOM0, 'bind_vcpu', { port: 1, vcpu: 2 }, -2, 'evtchn/bind_vcpu-vcpu'],
  ['no port', fresh, DOM0, 'close', { port: 64 }, -22, 'evtchn/close-port'],
  ['a free port', fresh, DOM0, 'close', { port: 63 }, -22, 'evtchn/close-free'],
  ['no port', fresh, DOM0, 'send', { port: 64 }, -22, 'evtchn/send-port'],
  ['a domain that is not there', fresh, DOM0, 'status', { dom: 9, port: 1 }, -3, 'evtchn/status-domain'],
  ['no port', fresh, DOM0, 'status', { dom: 1, port: 64 }, -22, 'evtchn/status-port'],
  ['a stranger', fresh, DOM1, 'status', { dom: 0, port: 1 }, -1, 'evtchn/status-permission'],
  ['a domain that is not there', fresh, DOM0, 'reset', { dom: 9 }, -3, 'evtchn/reset-domain'],
  ['a stranger', fresh, DOM1, 'reset', { dom: 0 }, -1, 'evtchn/reset-permission'],
  ['a domain that runs', fresh, DOM0, 'reset', { dom: 1 }, -22, 'evtchn/reset-paused'],
])('%s: %o', (_, machine, at, name, fields, rc, clause) => {
  const called = op(machine, at, name, fields);
  expect(called.rc).toBe(rc);
  expect(called.clauses.at(-1)).toBe(clause);
});

it('a port that waits for another domain is not joined', () => {
  const waits = setChannel(fresh, 1, 1, { state: 'unbound', vcpu: 0, remoteDom: 1 });
  expect(op(waits, DOM0, 'bind_interdomain', { remote_dom: 1, remote_port: 1 }).clauses.at(-1)).toBe('evtchn/bind_interdomain-unbound');
  expect(op(waits, DOM1, 'bind_interdomain', { remote_dom: 1, remote_port: 1 }).rc).toBe(0);
});

it('what a port notifies, and the number of a physical interrupt, are told', () => {
  const pirq = setChannel(fresh, 0, 5, { state: 'pirq', vcpu: 1, pirq: 17 } as never);
  expect(op(pirq, DOM0, 'status', { dom: SELF, port: 5, u0: 99 }).out).toMatchObject({ status: 3, vcpu: 1, u0: 17 });
  expect(op(fresh, DOM0, 'status', { dom: SELF, port: 5, vcpu: 7, u0: 99 }).out).toMatchObject({ status: 0, vcpu: 0, u0: 99 });
});

it('a channel notifies the vCPU that the other end names', () => {
  const ends = [0, 1].reduce(
    (m, domid) => setChannel(m, domid, 1, { state: 'interdomain', vcpu: domid, remoteDom: 1 - domid, remotePort: 1 }),
    fresh,
  );
  const sent = op(ends, DOM0, 'send', { port: 1 });
  expect(sent.clauses).toContain('evtchn/raise-upcall');
  expect([0, 1].map((vcpu) => upcallPending(sent.machine, { domid: 1, vcpu }))).toEqual([0, 1]);
});

it('a port behind all that are in use brings a block to life', () => {
  const used = updateDomain(fresh, 0, { channels: numbered([null, ...Array.from({ length: 63 }, () => IPI)]) });
  expect(op(used, DOM0, 'bind_ipi', { vcpu: 0 })).toMatchObject({
    out: { port: 64 },
    clauses: ['evtchn/port-block', 'evtchn/bind_ipi-bound'],
  });
});

describe('a reset', () => {
  const many = Array.from({ length: 130 }, (_, i) => i + 1).reduce(
    (m, port) => setChannel(m, 0, port, IPI),
    updateDomain(fresh, 0, { validPorts: 192 }),
  );
  const asked = (machine: Machine) => op({ ...machine, questions: 0 }, DOM0, 'reset', { dom: SELF });

  it('asks after every 64 ports, and not when all are closed before', () => {
    expect(asked(many).machine.questions).toBe(2);
    const last = (port: number) => setChannel(updateDomain(fresh, 0, { validPorts: 192 }), 0, port, IPI);
    expect([1, 63, 64, 65, 128, 129].map((port) => asked(last(port)).machine.questions)).toEqual([0, 0, 1, 1, 2, 2]);
    expect(asked(fresh).machine.questions).toBe(0);
  });

  it.each([[[1]], [[2]], [[1, 2]]])('that is stopped at questions %o goes on where it was', (forced) => {
    const stopped = op({ ...many, questions: 0, forced }, DOM0, 'reset', { dom: SELF });
    expect(stopped.rc).toBe(0);
    expect(stopped.clauses.filter((clause) => clause === 'evtchn/reset-preempted')).toHaveLength(forced.length);
    expect(domainOf(stopped.machine, 0).resettingPort ?? 0).toBe(0);
    for (const port of [1, 64, 65, 128, 130]) expect(channelAt(stopped.machine, 0, port)).toBeNull();
  });

  it('of a domain that is being reset is refused until that goes on', () => {
    const half = updateDomain(many, 0, { resettingPort: 64 });
    expect(op(half, DOM0, 'reset', { dom: SELF })).toMatchObject({ rc: -16 });
  });

  it('of a domain that is paused may be asked for by domain 0', () => {
    const paused = updateDomain(setChannel(fresh, 1, 1, IPI), 1, { pauses: 1 } as object);
    const done = op(paused, DOM0, 'reset', { dom: 1 });
    expect([done.rc, channelAt(done.machine, 1, 1)]).toEqual([0, null]);
  });
});

it('a command that there is not is refused', () => {
  expect(call(fresh, DOM0, 'event_channel_op', 99, 0)).toMatchObject({ rc: -38, clauses: ['evtchn/operation-unknown'] });
});
