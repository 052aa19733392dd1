import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { EVTCHNSTAT, evtchn } from '#spec/abi/event_channel.ts';
import { shared_info, vcpu_info } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { domainOf, updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { read, write } from '../../memory/access.ts';
import { itemAt, itemsOf, numbered } from '../../numbered.ts';
import { call, DOM0, DOM1, operate, SELF, twoDomains } from '../../testing/guest.ts';
import { fromNumber } from '../../word/word.ts';
import { channelAt, setChannel } from './ports.ts';
import { sendGuestVcpuVirq } from './virq.ts';

const fresh = twoDomains(ONE_PAGE_KERNEL);

type Name = keyof typeof evtchn | 'reset_cont';
const op = (machine: Machine, at: VcpuRef, name: Name, fields: Readonly<Record<string, number>>) => {
  const layout = name === 'reset_cont' ? evtchn.reset : evtchn[name];
  const called = operate(machine, at, 'event_channel_op', name, layout, fields);
  return { ...called, out: called.out as Readonly<Record<string, number>> };
};

/** Bit `port` of a bitmap in the shared info page. */
const sharedBit = (machine: Machine, domid: number, field: 'evtchn_pending' | 'evtchn_mask', port: number): number =>
  (read(machine.memory, domainOf(machine, domid).sharedInfo, shared_info.fields[field].at + (port >> 3), 1).lo >> (port & 7)) & 1;

const info = (machine: Machine, at: VcpuRef, field: keyof typeof vcpu_info.fields): number =>
  read(machine.memory, domainOf(machine, at.domid).sharedInfo, 64 * at.vcpu + vcpu_info.fields[field].at, 4).lo &
  (field.endsWith('sel') ? -1 : 0xff);

describe('a channel between two domains', () => {
  const offered = op(fresh, DOM0, 'alloc_unbound', { dom: SELF, remote_dom: 1 });
  const joined = op(offered.machine, DOM1, 'bind_interdomain', { remote_dom: 0, remote_port: 1 });

  it('starts with a port that waits', () => {
    expect(offered.rc).toBe(0);
    expect(offered.out['port']).toBe(1);
    expect(channelAt(offered.machine, 0, 1)).toEqual({ state: 'unbound', vcpu: 0, remoteDom: 1 });
  });

  it('joins the lowest free port of the other domain, and raises it', () => {
    expect(joined.out['local_port']).toBe(1);
    expect(channelAt(joined.machine, 0, 1)).toEqual({ state: 'interdomain', vcpu: 0, remoteDom: 1, remotePort: 1 });
    expect(sharedBit(joined.machine, 1, 'evtchn_pending', 1)).toBe(1);
    expect(info(joined.machine, DOM1, 'evtchn_upcall_pending')).toBe(1);
    expect(sharedBit(joined.machine, 0, 'evtchn_pending', 1)).toBe(0);
  });

  it('carries a notification to the other side', () => {
    const sent = op(joined.machine, DOM1, 'send', { port: 1 });
    expect(sent.rc).toBe(0);
    expect(sharedBit(sent.machine, 0, 'evtchn_pending', 1)).toBe(1);
    expect(info(sent.machine, DOM0, 'evtchn_pending_sel')).toBe(1);
  });

  it('is told by status as it is, and leaves bytes that mean nothing alone', () => {
    const told = op(joined.machine, DOM0, 'status', { dom: SELF, port: 1, u0: 0xabcd0000 });
    expect(told.out).toMatchObject({ status: EVTCHNSTAT.interdomain, vcpu: 0, u0: 0xabcd0001, u1: 1 });
  });

  it('falls back to waiting when one side closes', () => {
    const closed = op(joined.machine, DOM1, 'close', { port: 1 });
    expect(channelAt(closed.machine, 1, 1)).toBeNull();
    expect(sharedBit(closed.machine, 1, 'evtchn_pending', 1)).toBe(0);
    expect(channelAt(closed.machine, 0, 1)).toEqual({ state: 'unbound', vcpu: 0, remoteDom: 1 });
  });

  it('wakes a vCPU that sleeps, even one that masks upcalls', () => {
    const asleep = updateVcpu(joined.machine, DOM0, { blocked: true });
    expect(vcpuOf(op(asleep, DOM1, 'send', { port: 1 }).machine, DOM0).blocked).toBe(false);
  });
});

describe('the order of checks', () => {
  it.each([
    ['ESRCH before anything', DOM0, 'bind_interdomain', { remote_dom: 9, remote_port: 99999 }, -3],
    ['an invalid remote port', DOM0, 'bind_interdomain', { remote_dom: 1, remote_port: 64 }, -22],
    ['a valid remote port that is free', DOM0, 'bind_interdomain', { remote_dom: 1, remote_port: 63 }, -22],
    ['a domain that may not touch another', DOM1, 'alloc_unbound', { dom: 0, remote_dom: 1 }, -1],
    ['domain 0 may', DOM0, 'alloc_unbound', { dom: 1, remote_dom: 7 }, 0],
    ['VIRQ number', DOM0, 'bind_virq', { virq: 24, vcpu: 99 }, -22],
    ['a global VIRQ elsewhere', DOM0, 'bind_virq', { virq: 3, vcpu: 99 }, -22],
    ['a VIRQ of no vCPU', DOM0, 'bind_virq', { virq: 0, vcpu: 99 }, -2],
    ['IPI of no vCPU', DOM0, 'bind_ipi', { vcpu: 2 }, -2],
    ['a physical interrupt', DOM0, 'bind_pirq', { pirq: 207 }, -1],
    ['one too high for domain 0', DOM0, 'bind_pirq', { pirq: 208 }, -22],
    ['one too high for another', DOM1, 'bind_pirq', { pirq: 56 }, -22],
    ['closing a free port', DOM0, 'close', { port: 5 }, -22],
    ['sending on the reserved port', DOM0, 'send', { port: 0 }, -22],
    ['unmasking a free port', DOM0, 'unmask', { port: 63 }, 0],
    ['unmasking beyond the block', DOM0, 'unmask', { port: 64 }, -22],
    ['a vCPU is missed before a port', DOM0, 'bind_vcpu', { port: 99999, vcpu: 2 }, -2],
    ['moving a free port', DOM0, 'bind_vcpu', { port: 1, vcpu: 1 }, -22],
    ['status of a free port', DOM0, 'status', { dom: 1, port: 3 }, 0],
    ['status by a stranger: the port first', DOM1, 'status', { dom: 0, port: 64 }, -22],
    ['status by a stranger', DOM1, 'status', { dom: 0, port: 3 }, -1],
    ['resetting another domain', DOM0, 'reset', { dom: 1 }, -22],
    ['being reset by a stranger', DOM1, 'reset', { dom: 0 }, -1],
    ['going on with no reset', DOM0, 'reset_cont', { dom: SELF }, -16],
    ['FIFO: the vCPU', DOM0, 'init_control', { vcpu: 2, offset: 4095 }, -2],
    ['FIFO: the offset', DOM0, 'init_control', { vcpu: 0, offset: 4032 }, -22],
    ['FIFO: a frame of nobody', DOM0, 'init_control', { vcpu: 0, control_gfn: 0x500 }, -22],
    ['FIFO: growing what is not there', DOM0, 'expand_array', { array_gfn: 0 }, -95],
    ['FIFO: priority of a bad port', DOM0, 'set_priority', { port: 64 }, -22],
    ['FIFO: priority', DOM0, 'set_priority', { port: 63 }, -38],
  ] as const)('%s', (_, at, name, fields, rc) => expect(op(fresh, at, name, fields).rc).toBe(rc));

  it('looks at no argument of an unknown command', () => expect(call(fresh, DOM0, 'event_channel_op', 15, 0x1000).rc).toBe(-38));
  it('needs the whole argument', () => expect(call(fresh, DOM0, 'event_channel_op', 4, 0x1000).rc).toBe(-14));
});

describe('virtual interrupts', () => {
  const bound = op(fresh, DOM0, 'bind_virq', { virq: 0, vcpu: 1 });

  it('can be bound once for each vCPU', () => {
    expect(bound.out['port']).toBe(1);
    expect(op(bound.machine, DOM0, 'bind_virq', { virq: 0, vcpu: 1 }).rc).toBe(-17);
    expect(op(bound.machine, DOM0, 'bind_virq', { virq: 0, vcpu: 0 }).out['port']).toBe(2);
  });

  it('raise the port that they are bound to, or nothing', () => {
    const at = { domid: 0, vcpu: 1 };
    expect(info(sendGuestVcpuVirq(bound.machine, at, 0), at, 'evtchn_upcall_pending')).toBe(1);
    expect(info(sendGuestVcpuVirq(bound.machine, DOM0, 0), DOM0, 'evtchn_upcall_pending')).toBe(0);
  });

  it('are free again when the port is closed, even a global one that was moved', () => {
    const global = op(fresh, DOM0, 'bind_virq', { virq: 2, vcpu: 0 }).machine;
    const moved = op(global, DOM0, 'bind_vcpu', { port: 1, vcpu: 1 }).machine;
    expect(op(op(moved, DOM0, 'close', { port: 1 }).machine, DOM0, 'bind_virq', { virq: 2, vcpu: 0 }).rc).toBe(0);
  });
});

describe('masks', () => {
  const ipi = op(fresh, DOM0, 'bind_ipi', { vcpu: 0 }).machine;

  it('hold back the upcall until the port is unmasked', () => {
    const { sharedInfo } = domainOf(ipi, 0);
    const masked = { ...ipi, memory: writeBit(ipi, sharedInfo, shared_info.fields.evtchn_mask.at, 2) };
    const sent = op(masked, DOM0, 'send', { port: 1 }).machine;
    expect(sharedBit(sent, 0, 'evtchn_pending', 1)).toBe(1);
    expect(info(sent, DOM0, 'evtchn_upcall_pending')).toBe(0);
    const open = op(sent, DOM0, 'unmask', { port: 1 }).machine;
    expect(info(open, DOM0, 'evtchn_upcall_pending')).toBe(1);
  });

  it('do not keep a poller asleep', () => {
    const polling = updateVcpu(ipi, { domid: 0, vcpu: 1 }, { blocked: true, poll: { port: 1 } });
    const { sharedInfo } = domainOf(ipi, 0);
    const masked = { ...polling, memory: writeBit(polling, sharedInfo, shared_info.fields.evtchn_mask.at, 2) };
    expect(vcpuOf(op(masked, DOM0, 'send', { port: 1 }).machine, { domid: 0, vcpu: 1 }).poll).toBeNull();
  });
});

describe('the table of ports', () => {
  const full = Array.from({ length: 63 }, (_, i) => i + 1).reduce((m, port) => setChannel(m, 0, port, { state: 'ipi', vcpu: 0 }), fresh);

  it('grows by a block when all ports are in use, and stays so after a failure', () => {
    expect(op(full, DOM0, 'unmask', { port: 64 }).rc).toBe(-22);
    const failed = op(full, DOM0, 'bind_interdomain', { remote_dom: 1, remote_port: 5 });
    expect(failed.rc).toBe(-22);
    expect(op(failed.machine, DOM0, 'unmask', { port: 127 }).rc).toBe(0);
  });

  it('is full at 4096, which is told before a bad remote port', () => {
    const everything = Array.from({ length: 4095 }, (_, i) => i + 1);
    const channels = numbered([null, ...everything.map(() => ({ state: 'ipi', vcpu: 0 }) as const)]);
    const packed = {
      ...fresh,
      domains: fresh.domains.map((domain) => (domain.domid === 0 ? { ...domain, channels, validPorts: 4096 } : domain)),
    };
    expect(op(packed, DOM0, 'bind_interdomain', { remote_dom: 1, remote_port: 99 }).rc).toBe(-28);
  });

  it('is empty after a reset, but as large as before', () => {
    const grown = op(full, DOM0, 'bind_ipi', { vcpu: 0 }).machine;
    const reset = op(grown, DOM0, 'reset', { dom: SELF });
    expect(reset.rc).toBe(0);
    expect(itemsOf(domainOf(reset.machine, 0).channels).length === 0).toBe(true);
    expect(op(reset.machine, DOM0, 'unmask', { port: 127 }).rc).toBe(0);
  });
});

describe('always', () => {
  const port = fc.integer({ min: 0, max: 8 });
  const someone = fc.constantFrom(0, 1, SELF);
  const step = fc.oneof(
    fc.record({ name: fc.constant('alloc_unbound' as const), fields: fc.record({ dom: someone, remote_dom: someone }) }),
    fc.record({ name: fc.constant('bind_interdomain' as const), fields: fc.record({ remote_dom: someone, remote_port: port }) }),
    fc.record({
      name: fc.constant('bind_virq' as const),
      fields: fc.record({ virq: fc.integer({ min: 0, max: 24 }), vcpu: fc.integer({ min: 0, max: 2 }) }),
    }),
    fc.record({ name: fc.constant('bind_ipi' as const), fields: fc.record({ vcpu: fc.integer({ min: 0, max: 2 }) }) }),
    fc.record({ name: fc.constantFrom('close' as const, 'send' as const, 'unmask' as const), fields: fc.record({ port }) }),
    fc.record({ name: fc.constant('bind_vcpu' as const), fields: fc.record({ port, vcpu: fc.integer({ min: 0, max: 2 }) }) }),
    fc.record({ name: fc.constant('reset' as const), fields: fc.record({ dom: someone }) }),
  );

  it('channels pair up, and VIRQs and their ports name each other', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(DOM0, DOM1), step), { maxLength: 25 }), (steps) => {
        let machine = fresh;
        for (const [at, { name, fields }] of steps) machine = op(machine, at, name, fields).machine;
        expect(unpaired(machine)).toEqual([]);
      }),
      { numRuns: 150, seed: 1 },
    );
  });
});

/** Channels whose other end does not agree. */
const unpaired = (machine: Machine): string[] =>
  machine.domains.flatMap(({ domid, channels, vcpus }) => [
    ...itemsOf(channels).flatMap(([port, channel]) => {
      if (channel.state === 'interdomain') {
        const peer = channelAt(machine, channel.remoteDom, channel.remotePort);
        if (peer?.state !== 'interdomain' || peer.remoteDom !== domid || peer.remotePort !== port) return [`${domid}:${port}`];
      }
      return channel.state === 'virq' && !vcpus.some(({ virqPorts }) => virqPorts[channel.virq] === port) ? [`${domid}:${port} virq`] : [];
    }),
    ...vcpus.flatMap(({ virqPorts }) =>
      virqPorts.filter((port) => port !== 0 && itemAt(channels, port)?.state !== 'virq').map((port) => `virq port ${port}`),
    ),
  ]);

const writeBit = (machine: Machine, mfn: number, offset: number, value: number) => write(machine.memory, mfn, offset, 1, fromNumber(value));
