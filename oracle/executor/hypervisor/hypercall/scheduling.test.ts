import { describe, expect, test } from 'vitest';
import { HYPERCALL as H, SUBOPERATIONS as SUB } from '#spec/abi/hypercall.ts';
import { execute, passTime, schedule } from '../run.ts';
import { DATA, Guest } from '../testing/guest.ts';
import { infoAddress } from '../vcpu_info.ts';

const ENOENT = -2;
const ESRCH = -3;
const EFAULT = -14;
const EBUSY = -16;
const EEXIST = -17;
const EINVAL = -22;
const ENOSYS = -38;
const NOWHERE = 0x10000000;

describe('sched_op', () => {
  const op = SUB.sched_op;

  test('block opens the mask, sleeps, and an event wakes', () => {
    const guest = new Guest();
    guest.call(H.sched_op, op.block);
    expect(guest.machine.events).toMatchObject([
      { call: 'sched_op', result: '0x0' },
      { kind: 'runstate', state: 'blocked' },
    ]);
    expect([guest.machine.pcpus[0]!.current, guest.machine.memory.read8(infoAddress(guest.vcpu) + 1)]).toEqual([null, 0]);
    guest.call(H.xen_version);
    expect(guest.machine.events).toEqual([]);
  });

  test('poll sees a pending port, sleeps for others, and wakes at its timeout', () => {
    const guest = new Guest();
    guest.put(DATA + 0x100, 1n);
    guest.call(H.event_channel_op, SUB.event_channel_op.bind_ipi, DATA + 0x100);
    const poll = (ports: number, count: number, timeout: number): number => {
      guest.put(DATA, ports, count, timeout);
      return guest.call(H.sched_op, op.poll, DATA);
    };
    guest.put(DATA + 0x200, 99);
    expect([poll(0, 129, 0), poll(NOWHERE, 1, 0), poll(DATA + 0x200, 1, 0)]).toEqual([EINVAL, EFAULT, EINVAL]);
    poll(0, 0, 5000);
    expect([guest.vcpu.pauseFlags, guest.vcpu.domain.polling.has(0)]).toEqual([1, true]);
    guest.machine.events = [];
    passTime(guest.machine, 5000);
    expect(guest.machine.events).toMatchObject([
      { kind: 'timer', which: 'poll' },
      { kind: 'runstate', state: 'runnable' },
    ]);
    schedule(guest.machine, 0, guest.vcpu.ref);
    expect(guest.vcpu.runstateTime[2]).toBe(5000);
  });

  test('shutdown of dom0 stops the machine; a stored code wins', () => {
    const guest = new Guest();
    guest.put(DATA, 1);
    expect(guest.call(H.sched_op, op.shutdown_code, DATA)).toBe(0);
    guest.put(DATA, 0);
    guest.call(H.sched_op, op.shutdown, DATA);
    expect(guest.machine.events).toMatchObject([{ result: null }, { kind: 'shutdown', reason: 1 }, { state: 'offline' }]);
    expect([guest.machine.halted, execute(guest.machine, 0, 5)]).toEqual([1, 0]);
  });

  test('remote_shutdown is for dom0', () => {
    const guest = new Guest({ domUs: 1 });
    const remote = (domid: number): number => {
      guest.put(DATA, domid, 0);
      guest.machine.memory.write32(guest.at(DATA) + 4, 2);
      return guest.call(H.sched_op, op.remote_shutdown, DATA);
    };
    expect([remote(9), remote(1), remote(1)]).toEqual([ESRCH, 0, 0]);
    expect(guest.machine.domains[1]!.shutdown).toBe(2);
  });

  test('watchdogs: two slots, then an unsigned -ENOSPC', () => {
    const guest = new Guest();
    const watchdog = (id: number, timeout: number): number => {
      guest.put(DATA, BigInt(id) | (BigInt(timeout) << 32n));
      return guest.call(H.sched_op, op.watchdog, DATA);
    };
    expect([watchdog(3, 1), watchdog(1, 1), watchdog(0, 10), watchdog(0, 20), watchdog(0, 30)]).toEqual([EINVAL, EINVAL, 1, 2, 0xffffffe4]);
    expect([watchdog(1, 0), watchdog(1, 5), guest.vcpu.domain.watchdogs]).toEqual([0, EINVAL, [null, 20e9]]);
    passTime(guest.machine, 20e9);
    expect(guest.machine.halted).toBe(4);
  });

  test('pin_override', () => {
    const guest = new Guest({ pcpus: 2 });
    const pin = (cpu: number): number => {
      guest.put(DATA, cpu);
      return guest.call(H.sched_op, op.pin_override, DATA);
    };
    expect([pin(-1), pin(2), pin(0), pin(0), pin(-1)]).toEqual([EINVAL, EINVAL, 0, EBUSY, 0]);
    pin(1);
    expect(guest.machine.events).toMatchObject([{ call: 'sched_op' }, { state: 'runnable' }]);
    expect(() => schedule(guest.machine, 0, guest.vcpu.ref)).toThrow('pinned');
    schedule(guest.machine, 1, guest.vcpu.ref);
    expect(guest.vcpu.processor).toBe(1);
  });
});

describe('vcpu_op', () => {
  const op = SUB.vcpu_op;
  const call = (guest: Guest, cmd: number, vcpu = 0, at = DATA): number => guest.call(H.vcpu_op, cmd, vcpu, at);

  test('numbers, up and down', () => {
    const guest = new Guest({ vcpus: 2 });
    expect([call(guest, op.is_up), call(guest, op.is_up, 1), call(guest, op.is_up, 2), call(guest, 14)]).toEqual([1, 0, ENOENT, ENOSYS]);
    expect([call(guest, op.up, 1), call(guest, op.initialise), call(guest, op.initialise, 1, NOWHERE), call(guest, op.send_nmi)]).toEqual([
      EINVAL,
      EEXIST,
      EFAULT,
      EINVAL,
    ]);
    call(guest, op.down);
    expect(guest.machine.halted).toBe(0);
  });

  test('timers', () => {
    const guest = new Guest({ vcpus: 2 });
    const set = (cmd: number, value: number | bigint, vcpu = 0): number => {
      guest.put(DATA, value, 0);
      return call(guest, cmd, vcpu);
    };
    expect([set(op.set_periodic_timer, 999_999), set(op.set_periodic_timer, 1n << 62n), set(op.set_periodic_timer, 2_000_000)]).toEqual([
      EINVAL,
      EINVAL,
      0,
    ]);
    expect([guest.vcpu.periodicPeriod, guest.vcpu.periodicDue, call(guest, op.stop_periodic_timer), guest.vcpu.periodicDue]).toEqual([
      2_000_000,
      2_000_000,
      0,
      null,
    ]);
    expect([
      set(op.set_singleshot_timer, 5000, 1),
      set(op.set_singleshot_timer, 5000),
      guest.vcpu.singleshot,
      call(guest, op.stop_singleshot_timer),
      guest.vcpu.singleshot,
    ]).toEqual([EINVAL, 0, 5000, 0, null]);
    guest.call(H.set_timer_op, 0);
    expect(guest.vcpu.singleshot).toBe(null);
    guest.call(H.set_timer_op, 1n << 63n);
    expect(guest.vcpu.singleshot).toBe(100_000_000);
  });

  test('a single shot brings VIRQ_TIMER; one set to a past time fires on the way out', () => {
    const guest = new Guest();
    guest.put(DATA, 0n, 0n);
    guest.call(H.event_channel_op, SUB.event_channel_op.bind_virq, DATA);
    passTime(guest.machine, 100);
    guest.call(H.set_timer_op, 50);
    expect(guest.machine.events).toMatchObject([{ call: 'set_timer_op' }, { kind: 'timer', which: 'singleshot' }]);
    expect(guest.machine.memory.read64(guest.vcpu.domain.sharedInfoMfn * 4096 + 0x800)).toBe(2n);
  });

  test('runstate', () => {
    const guest = new Guest();
    passTime(guest.machine, 700);
    expect([call(guest, op.get_runstate_info), guest.words(DATA, 3)]).toEqual([0, [0n, 0n, 700n]]);
    guest.put(DATA, DATA + 0x100);
    expect(call(guest, op.register_runstate_memory_area)).toBe(0);
    schedule(guest.machine, 0, null);
    expect(guest.words(DATA + 0x100, 4)).toEqual([1n, 700n, 700n, 0n]);
    guest.put(DATA, 0xffff800000000000n);
    schedule(guest.machine, 0, guest.vcpu.ref);
    expect(call(guest, op.register_runstate_memory_area)).toBe(EFAULT);
  });

  test('vcpu_info moves once, everything pending; time follows, also to a second area', () => {
    const guest = new Guest();
    const mfn = BigInt(guest.at(DATA) / 4096);
    const register = (frame: bigint, offset: number): number => {
      guest.put(DATA, frame, offset);
      return call(guest, op.register_vcpu_info);
    };
    expect([register(mfn, 4), register(mfn, 4096), register(3n, 0), register(mfn, 0x200), register(mfn, 0x200)]).toEqual([
      -6,
      -6,
      EINVAL,
      0,
      EINVAL,
    ]);
    expect(guest.words(DATA + 0x200, 2)).toEqual([0x101n, 0xffffffffffffffffn]);
    guest.put(DATA, DATA + 0x300);
    expect(call(guest, op.register_vcpu_time_memory_area)).toBe(0);
    expect(guest.words(DATA + 0x300, 4)).toEqual(guest.words(DATA + 0x220, 4));
  });
});
