import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { evtchn } from '#spec/abi/event_channel.ts';
import { VIRQ } from '#spec/abi/xen.ts';
import { BadInput } from '#spec/failure.ts';
import { DS } from '../cpu/x86/state.ts';
import { statusOf } from '../engine.ts';
import { domainOf, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { preparedGuest } from '../testing/fresh.ts';
import { ARGUMENTS, DOM0, DOM1, operate, POOL, peek64, poke, pokeWords } from '../testing/guest.ts';
import { apply, hypercall, load, run } from '../testing/step.ts';
import { setVcpuInfo, vcpuInfo } from '../vcpu_info.ts';

const guest = preparedGuest(ONE_PAGE_KERNEL);
const words = (machine: Machine, ...list: (number | bigint)[]): Machine => pokeWords(machine, DOM0, list);
const VCPU1 = { domid: 0, vcpu: 1 };
/** Domain 0 with VIRQ_TIMER on port 1. */
const timed = operate(guest, DOM0, 'event_channel_op', 'bind_virq', evtchn.bind_virq, { virq: VIRQ.TIMER, vcpu: 0 }).machine;
const masked = (machine: Machine): Machine => setVcpuInfo(machine, DOM0, 'evtchn_upcall_mask', 1);

describe('sched_op', () => {
  it('yield ends the execute input and changes nothing else', () => {
    const { machine, kinds } = run(load(hypercall(guest, DOM0, 'sched_op', 0).machine, DOM0, [0x90, 0x90]), 2);
    expect([kinds, machine.cpus[0].current]).toEqual([[], DOM0]);
    expect(hypercall(guest, DOM0, 'sched_op', 0).machine.cpus[0].current).toEqual(DOM0);
  });
  it('block unmasks, sleeps and leaves the pCPU', () => {
    const { machine, events } = hypercall(masked(guest), DOM0, 'sched_op', 1);
    expect([vcpuInfo(machine, DOM0, 'evtchn_upcall_mask'), machine.cpus[0].current]).toEqual([0, null]);
    expect(events.at(-1)).toEqual({ kind: 'runstate', at: DOM0, state: 'blocked' });
    expect(statusOf(machine).runnable).not.toContainEqual(DOM0);
  });
  it('block with an upcall due does not sleep', () => {
    const { kinds, machine } = hypercall(setVcpuInfo(masked(guest), DOM0, 'evtchn_upcall_pending', 1), DOM0, 'sched_op', 1);
    expect([kinds, machine.cpus[0].current]).toEqual([['hypercall', 'callback'], DOM0]);
  });
  it('poll on a port that is pending returns at once', () => {
    const bound = masked(operate(guest, DOM0, 'event_channel_op', 'bind_ipi', evtchn.bind_ipi, { vcpu: 0 }).machine);
    const sent = operate(bound, DOM0, 'event_channel_op', 'send', evtchn.send, { port: 1 }).machine;
    const ask = (machine: Machine) =>
      hypercall(words(poke(machine, DOM0, POOL, Uint8Array.from([1, 0, 0, 0])), POOL, 1, 0), DOM0, 'sched_op', 3, ARGUMENTS);
    expect(ask(sent).machine.cpus[0].current).toEqual(DOM0);
    expect(vcpuOf(ask(bound).machine, DOM0).poll).toEqual({ port: 1 });
  });
  it.each([
    ['a free port', [POOL, 1, 0], -22],
    ['too many ports', [POOL, 129, 0], -22],
    ['a list in Xen’s range', [0xffff800000000000n, 1, 0], -14],
  ])('poll refuses %s', (_, poll, rc) => expect(hypercall(words(guest, ...poll), DOM0, 'sched_op', 3, ARGUMENTS).rc).toBe(rc));

  it('shutdown of dom0 halts the machine, which then accepts every input', () => {
    const { machine, events } = hypercall(words(guest, 1), DOM0, 'sched_op', 2, ARGUMENTS);
    expect(events.map(({ kind }) => kind)).toEqual(['hypercall', 'shutdown', 'runstate']);
    expect([events[0], machine.halted]).toMatchObject([{ result: null }, 1]);
    expect(apply(machine, { kind: 'time', now: 5 }, { kind: 'execute', cpu: 0, steps: 9 }).events).toEqual([]);
  });
  it('a stored code is the reason', () => {
    const stored = hypercall(words(guest, 2), DOM0, 'sched_op', 5, ARGUMENTS).machine;
    expect(hypercall(words(stored, 0), DOM0, 'sched_op', 2, ARGUMENTS).machine.halted).toBe(2);
  });
  it('reason 3 is told as a crash that the guest asked for', () =>
    expect(hypercall(words(guest, 3), DOM0, 'sched_op', 2, ARGUMENTS).events[1]).toEqual({
      kind: 'crash',
      domid: 0,
      why: 'guest-request',
    }));
  it('remote_shutdown ends another domain and stops its vCPUs', () => {
    const { rc, machine, kinds } = hypercall(words(guest, 1n | (7n << 32n)), DOM0, 'sched_op', 4, ARGUMENTS);
    expect([rc, domainOf(machine, 1).shutdown, vcpuOf(machine, DOM1).runstate.state, kinds]).toEqual([
      0,
      7,
      'offline',
      ['shutdown', 'runstate', 'hypercall'],
    ]);
    expect(hypercall(words(guest, 99), DOM0, 'sched_op', 4, ARGUMENTS).rc).toBe(-3);
  });
  it('watchdogs are two, and the third is a number that Xen forgot to sign', () => {
    const take = (machine: Machine) => hypercall(words(machine, 100n << 32n), DOM0, 'sched_op', 6, ARGUMENTS);
    const [first, second] = [take(guest), take(take(guest).machine)];
    expect([first.rc, second.rc, take(second.machine).rc]).toEqual([1, 2, 0xffffffe4]);
    expect(hypercall(words(second.machine, 1), DOM0, 'sched_op', 6, ARGUMENTS).rc).toBe(0);
    expect(apply(first.machine, { kind: 'time', now: 100_000_000_000 }).machine.halted).toBe(4);
  });
  it('a watchdog of 0 s fires before the next instruction', () =>
    expect(hypercall(words(guest, 0), DOM0, 'sched_op', 6, ARGUMENTS).machine.halted).toBe(4));
  it('pin_override knows one pinning at a time', () => {
    const pinned = hypercall(words(guest, 0), DOM0, 'sched_op', 7, ARGUMENTS);
    expect([
      pinned.rc,
      hypercall(words(pinned.machine, 0), DOM0, 'sched_op', 7, ARGUMENTS).rc,
      hypercall(words(guest, 0xffffffff), DOM0, 'sched_op', 7, ARGUMENTS).rc,
    ]).toEqual([0, -16, -22]);
  });
});

describe('scheduling inputs', () => {
  it('move running from one vCPU to the next, and renew its time record', () => {
    const { machine, events } = apply(guest, { kind: 'schedule', cpu: 0, vcpu: DOM1 });
    expect(events).toEqual([
      { kind: 'runstate', at: DOM0, state: 'runnable' },
      { kind: 'runstate', at: DOM1, state: 'running' },
    ]);
    expect(vcpuInfo(machine, DOM1, 'time_version')).toBe(2);
  });
  it('deliver what is due to the vCPU that comes in', () => {
    const away = apply(guest, { kind: 'schedule', cpu: 0, vcpu: null }).machine;
    expect(apply(setVcpuInfo(away, DOM0, 'evtchn_upcall_pending', 1), { kind: 'schedule', cpu: 0, vcpu: DOM0 }).kinds).toEqual([
      'runstate',
      'callback',
    ]);
  });
  it('to the vCPU that runs already do nothing', () => expect(apply(guest, { kind: 'schedule', cpu: 0, vcpu: DOM0 }).events).toEqual([]));
  it.each([
    ['a vCPU that is down', { kind: 'schedule', cpu: 0, vcpu: VCPU1 }],
    ['a vCPU that is not there', { kind: 'schedule', cpu: 0, vcpu: { domid: 9, vcpu: 0 } }],
    ['a pCPU that is not there', { kind: 'schedule', cpu: 4, vcpu: null }],
    ['time that runs backwards', { kind: 'time', now: -1 }],
  ] as const)('refuse %s', (_, input) => expect(() => apply(guest, input)).toThrow(BadInput));
});

describe('timers', () => {
  const second = 1_000_000_000;
  it('singleshot raises VIRQ_TIMER when it is due', () => {
    const { machine } = hypercall(masked(timed), DOM0, 'set_timer_op', second);
    expect(statusOf(machine).deadline).toBe(second);
    expect(apply(machine, { kind: 'time', now: second - 1 }).kinds).toEqual([]);
    const { machine: fired, kinds } = apply(machine, { kind: 'time', now: second });
    expect([kinds, vcpuInfo(fired, DOM0, 'evtchn_upcall_pending')]).toEqual([['timer'], 1]);
  });
  it('in the past fire on the way out', () => {
    const late = apply(masked(timed), { kind: 'time', now: second }).machine;
    expect(hypercall(late, DOM0, 'set_timer_op', 5).kinds).toEqual(['hypercall', 'timer']);
  });
  it('wake a vCPU that blocks, and a stale poll deadline ends a later poll', () => {
    const polling = hypercall(words(masked(timed), 0, 0, second), DOM0, 'sched_op', 3, ARGUMENTS).machine;
    expect(polling.cpus[0].current).toBeNull();
    const { machine, kinds } = apply(polling, { kind: 'time', now: second });
    expect([kinds, vcpuOf(machine, DOM0).blocked]).toEqual([['timer', 'runstate'], false]);
  });
  it('periodic ticks while the vCPU runs, from its last tick on', () => {
    const { machine } = hypercall(words(masked(timed), 20_000_000), DOM0, 'vcpu_op', 6, 0, ARGUMENTS);
    expect(statusOf(machine).deadline).toBe(20_000_000);
    expect(apply(machine, { kind: 'schedule', cpu: 0, vcpu: null }).machine.domains[0].vcpus[0].timers.periodicDeadline).toBeNull();
  });
  it.each([
    ['too short a period', [6, 0, 999_999n], -22],
    ['too long a period', [6, 0, 1n << 62n], -22],
    ['another vCPU’s one-shot timer', [8, 1, 0n], -22],
    ['a vCPU that is not there', [6, 2, 0n], -2],
    ['an unknown command', [99, 0, 0n], -38],
  ])('vcpu_op refuses %s', (_, [cmd, vcpu, value], rc) =>
    expect(hypercall(words(guest, value), DOM0, 'vcpu_op', cmd, vcpu, ARGUMENTS).rc).toBe(rc),
  );
});

describe('vCPUs', () => {
  it('come up after they were initialised, and go down', () => {
    expect(hypercall(guest, DOM0, 'vcpu_op', 1, 1, 0).rc).toBe(-22);
    const ready = updateVcpu(guest, VCPU1, { initialised: true, kernelTable: vcpuOf(guest, DOM0).kernelTable });
    const up = hypercall(ready, DOM0, 'vcpu_op', 1, 1, 0);
    expect([up.rc, vcpuOf(up.machine, VCPU1).runstate.state, hypercall(up.machine, DOM0, 'vcpu_op', 3, 1, 0).rc]).toEqual([
      0,
      'runnable',
      1,
    ]);
    const down = hypercall(up.machine, DOM0, 'vcpu_op', 2, 1, 0);
    expect([down.rc, vcpuOf(down.machine, VCPU1).runstate.state]).toEqual([0, 'offline']);
  });
  it('the last of them takes the domain along', () => expect(hypercall(guest, DOM0, 'vcpu_op', 2, 0, 0).machine.halted).toBe(0));
  it('an NMI without handler is lost, with one it arrives once', () => {
    const { machine, kinds } = hypercall(guest, DOM0, 'vcpu_op', 11, 0, 0);
    expect([kinds, vcpuOf(machine, DOM0).nmiMasked, vcpuOf(machine, DOM0).nmiPending]).toEqual([['hypercall', 'callback'], true, false]);
  });
  it('runstate areas follow scheduling', () => {
    const area = hypercall(words(guest, POOL), DOM0, 'vcpu_op', 5, 0, ARGUMENTS).machine;
    const later = apply(area, { kind: 'time', now: 700 }, { kind: 'schedule', cpu: 0, vcpu: null }).machine;
    expect([peek64(later, DOM0, POOL), peek64(later, DOM0, POOL + 8), peek64(later, DOM0, POOL + 16)]).toEqual([1n, 700n, 700n]);
  });
  it('of another are told through the caller’s page tables', () => {
    const told = hypercall(words(guest, POOL), DOM0, 'vcpu_op', 13, 1, ARGUMENTS);
    expect([told.rc, peek64(told.machine, DOM0, POOL) & 0xffffffffn]).toEqual([0, 2n]);
  });
  it('their record can move once', () => {
    const mfn = domainOf(guest, 0).firstMfn + (POOL - 0x200000) / 4096;
    const moved = hypercall(words(guest, mfn, 8), DOM0, 'vcpu_op', 10, 0, ARGUMENTS);
    expect([moved.rc, vcpuOf(moved.machine, DOM0).vcpuInfo]).toEqual([0, { mfn, offset: 8 }]);
    expect(hypercall(words(moved.machine, mfn, 8), DOM0, 'vcpu_op', 10, 0, ARGUMENTS).rc).toBe(-22);
    expect(hypercall(words(guest, mfn, 4033), DOM0, 'vcpu_op', 10, 0, ARGUMENTS).rc).toBe(-6);
  });
});

describe('what a vCPU does when its turn comes again', () => {
  const odd = (machine: Machine): Machine => {
    const { cpu } = vcpuOf(machine, DOM0);
    const selectors = cpu.segments.selectors.with(DS, 3);
    return updateVcpu(machine, DOM0, { cpu: { ...cpu, segments: { ...cpu.segments, selectors } } });
  };
  const again = (machine: Machine): Machine =>
    apply(apply(machine, { kind: 'schedule', cpu: 0, vcpu: null }).machine, { kind: 'schedule', cpu: 0, vcpu: DOM0 }).machine;
  const ds = (machine: Machine): number => vcpuOf(machine, DOM0).cpu.segments.selectors[DS];
  const polls = (machine: Machine): Machine =>
    hypercall(words(masked(machine), POOL, 0, 9_000_000_000_000n), DOM0, 'sched_op', 3, ARGUMENTS).machine;

  it('it goes back by SYSRET when it had stopped in a hypercall', () => {
    const waits = polls(odd(guest));
    expect([waits.cpus[0].current, vcpuOf(waits, DOM0).wayBack]).toEqual([null, 'sysret']);
  });
  it('it goes back by IRET, which makes null selectors 0, when it was interrupted', () => {
    expect([ds(odd(guest)), ds(again(odd(guest))), vcpuOf(again(guest), DOM0).wayBack]).toEqual([3, 0, 'iret']);
  });
});
