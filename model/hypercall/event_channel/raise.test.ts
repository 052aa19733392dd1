/** What a port that is raised or unmasked changes, two-level ABI; and who hears of it. */
import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import type { VcpuRef } from '#spec/event.ts';
import { clausesOf, EMPTY_JOURNAL } from '../../journal.ts';
import { updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { DOM0, twoDomains } from '../../testing/guest.ts';
import { EVTCHN_PORT_OPS_2L, EVTCHN_PORT_OPS_2L_COMPAT } from './event_2l.ts';
import { setChannel } from './ports.ts';
import {
  maskBit,
  pendingBit,
  selector,
  setBit,
  setSelector,
  setUpcallPending,
  testBit,
  testSelector,
  upcallPending,
} from './shared_bits.ts';
import { forgetHandler, sendGlobalVirq, sendGuestGlobalVirq } from './virq.ts';
import { markEventsPending, wakePollers } from './wake.ts';

const fresh = twoDomains(ONE_PAGE_KERNEL);
const SECOND: VcpuRef = { domid: 0, vcpu: 1 };
const { setPending, unmask, isPending, isBusy, clearPending } = EVTCHN_PORT_OPS_2L;

type Bits = { readonly pending: boolean; readonly masked: boolean; readonly selected: boolean };
const withBits = (at: VcpuRef, port: number, { pending, masked, selected }: Bits): Machine => {
  const a = pending ? setBit(fresh, pendingBit(fresh, at.domid, port)) : fresh;
  const b = masked ? setBit(a, maskBit(a, at.domid, port)) : a;
  return { ...(selected ? setSelector(b, at, port) : b), journal: EMPTY_JOURNAL };
};
const bitsOf = (machine: Machine, at: VcpuRef, port: number): Bits & { readonly upcall: number } => ({
  pending: testBit(machine, pendingBit(machine, at.domid, port)),
  masked: testBit(machine, maskBit(machine, at.domid, port)),
  selected: testSelector(machine, at, port),
  upcall: upcallPending(machine, at),
});

const ALL = [false, true].flatMap((pending) =>
  [false, true].flatMap((masked) => [false, true].map((selected) => ({ pending, masked, selected }))),
);
// The first vCPU's record begins its page, the second's does not; ports 70 and 4095 are in words of their own.
const PLACES = [DOM0, SECOND].flatMap((at) => [3, 70, 4095].map((port) => ({ at, port })));

describe.each(PLACES)('port $port of vCPU $at.vcpu', ({ at, port }) => {
  it.each(ALL)('raised when %o', (bits) => {
    const raised = setPending(withBits(at, port, bits), at, port);
    const isTold = !bits.pending && !bits.masked && !bits.selected;
    const selected = bits.selected || isTold;
    expect(bitsOf(raised, at, port)).toEqual({ ...bits, pending: true, selected, upcall: isTold ? 1 : 0 });
    const clauses = bits.pending
      ? ['evtchn/raise-again']
      : bits.masked
        ? ['evtchn/raise-masked']
        : bits.selected
          ? ['evtchn/raise-selected']
          : ['evtchn/raise-upcall', 'evtchn/upcall-pending'];
    expect(clausesOf(raised.journal)).toEqual(clauses);
  });

  it.each(ALL)('unmasked when %o', (bits) => {
    const open = unmask(withBits(at, port, bits), at, port);
    const isDue = bits.masked && bits.pending && !bits.selected;
    expect(bitsOf(open, at, port)).toEqual({ ...bits, masked: false, selected: bits.selected || isDue, upcall: isDue ? 1 : 0 });
  });

  it('is pending when its bit is set, until it is cleared', () => {
    const pending = withBits(at, port, { pending: true, masked: false, selected: false });
    expect([isPending(pending, 0, port), isPending(fresh, 0, port), isPending(pending, 0, port - 1)]).toEqual([true, false, false]);
    expect(isPending(clearPending(pending, 0, port), 0, port)).toBe(false);
    expect(isBusy(pending, 0, port)).toBe(false);
  });
});

it('a domain of 32 bits has fewer ports, and the same rules for them', () => {
  expect(EVTCHN_PORT_OPS_2L_COMPAT).toEqual({ ...EVTCHN_PORT_OPS_2L, maxPorts: 1024 });
  expect([selector(70), selector(70, 32)]).toEqual([1, 2]);
});

describe('an upcall', () => {
  const asleep = updateVcpu(fresh, SECOND, { blocked: true });

  it('wakes a vCPU to which none was pending', () => {
    expect(vcpuOf(markEventsPending(asleep, SECOND), SECOND).blocked).toBe(false);
    expect(vcpuOf(markEventsPending(setUpcallPending(asleep, SECOND), SECOND), SECOND).blocked).toBe(true);
  });

  it.each<readonly [port: number | null, wakes: boolean]>([
    [null, false],
    [5, true],
    [6, false],
    [-1, true],
    [0, true],
  ])('that polls for port %i: %s when port 5 is raised', (polled, wakes) => {
    const polling = updateVcpu(fresh, SECOND, { blocked: true, poll: polled === null ? null : { port: polled } });
    const woken = wakePollers({ ...polling, journal: EMPTY_JOURNAL }, 0, 5, 'evtchn/raise-poll');
    expect(vcpuOf(woken, SECOND).blocked).toBe(!wakes);
    expect(clausesOf(woken.journal)).toEqual(wakes ? ['evtchn/raise-poll', 'sched/wake-unblock'] : []);
  });
});

describe('a global virtual interrupt', () => {
  const [CONSOLE, ARGO] = [2, 11];
  /** Port 9 of a domain takes the interrupt, for its second vCPU. */
  const bound = (machine: Machine, domid: number, virq: number): Machine => {
    const first = { domid, vcpu: 0 };
    const known = updateVcpu(machine, first, { virqPorts: vcpuOf(machine, first).virqPorts.with(virq, 9) });
    return { ...setChannel(known, domid, 9, { state: 'virq', vcpu: 1, virq }), journal: EMPTY_JOURNAL };
  };
  const both = bound(bound(fresh, 0, CONSOLE), 1, CONSOLE);
  const heard = (machine: Machine) => [0, 1].filter((domid) => upcallPending(machine, { domid, vcpu: 1 }) === 1);

  it('raises the port of its domain, for the vCPU that the port notifies', () => {
    const sent = sendGuestGlobalVirq(both, 1, CONSOLE);
    expect([heard(sent), isPending(sent, 1, 9), upcallPending(sent, { domid: 1, vcpu: 0 })]).toEqual([[1], true, 0]);
    expect(clausesOf(sent.journal)[0]).toBe('evtchn/virq-raised');
  });

  it('is lost where nobody takes it', () => {
    for (const [domid, virq] of [
      [1, ARGO],
      [7, CONSOLE],
    ] as const) {
      const sent = sendGuestGlobalVirq(both, domid, virq);
      expect([heard(sent), clausesOf(sent.journal)]).toEqual([[], ['evtchn/virq-unbound']]);
    }
  });

  it('goes to domain 0, or to the domain that handles it', () => {
    expect(heard(sendGlobalVirq(both, CONSOLE))).toEqual([0]);
    const handled: Machine = { ...both, virqHandlers: new Map([[CONSOLE, 1]]) };
    expect(heard(sendGlobalVirq(handled, CONSOLE))).toEqual([1]);
    expect(heard(sendGlobalVirq({ ...both, virqHandlers: new Map([[ARGO, 1]]) }, CONSOLE))).toEqual([0]);
  });

  it('goes to domain 0 again when the domain that handled it dies', () => {
    const virqHandlers = new Map([
      [CONSOLE, 1],
      [ARGO, 2],
    ]);
    expect(forgetHandler({ ...both, virqHandlers }, 1).virqHandlers).toEqual(new Map([[ARGO, 2]]));
    expect(forgetHandler(both, 1)).toBe(both);
  });
});
