import { describe, expect, test } from 'vitest';
import { BadInput } from '#spec/failure.ts';
import { RAX, RBX, RSP } from '../cpu/interface.ts';
import { execute, passTime, schedule, typeConsole } from './run.ts';
import { CODE, DATA, Guest, STACK } from './testing/guest.ts';
import { infoAddress } from './vcpu_info.ts';

const LOOP = [0xeb, 0xfe];
const int32 = (value: number): number[] => [...new Uint8Array(Int32Array.of(value).buffer)];
const TICK = 10_000_000;

/** Bind VIRQ `virq` of vCPU 0 by hand: port 1. */
const bind = (guest: Guest, virq: number): void => {
  guest.put(DATA, BigInt(virq), 0n);
  guest.call(32, 1, DATA);
};

describe('execute', () => {
  test('takes as many steps as asked for, and none when idle', () => {
    const guest = new Guest();
    guest.poke(CODE, LOOP);
    expect([execute(guest.machine, 0, 1000), guest.machine.retired]).toEqual([1000, 1000]);
    schedule(guest.machine, 0, null);
    expect(execute(guest.machine, 0, 10)).toBe(0);
    expect(() => execute(guest.machine, 1, 10)).toThrow(BadInput);
  });

  test('ends early after a yield, the vCPU keeps running', () => {
    const guest = new Guest();
    guest.set(RAX, 29);
    guest.poke(CODE, [0x0f, 0x05, ...LOOP]);
    guest.vcpu.cpu.setGpr(7, 0n);
    guest.vcpu.cpu.rip = BigInt(CODE);
    expect(execute(guest.machine, 0, 100)).toBe(1);
    expect([guest.vcpu.runstate, execute(guest.machine, 0, 100)]).toEqual([0, 100]);
  });
});

describe('behind a hypercall', () => {
  test('whose SYSCALL reaches into the next page, the guest goes on in that page', () => {
    const guest = new Guest();
    const next = DATA + 4096;
    // Where the SYSCALL begins, code stands at the same offset as behind its end: a jump to the SYSCALL.
    guest.poke(DATA + 1, [0xe9, ...int32(4095 - 6)]);
    guest.poke(DATA + 4095, [0x0f, 0x05, 0xff, 0xc3, ...LOOP]);
    guest.set(RAX, 17);
    guest.vcpu.cpu.setGpr(7, 0n);
    guest.vcpu.cpu.setGpr(RBX, 0n);
    guest.vcpu.cpu.rip = BigInt(DATA + 1);
    execute(guest.machine, 0, 3);
    expect([guest.register(RBX), guest.vcpu.cpu.rip]).toEqual([1n, BigInt(next + 3)]);
  });
});

describe('schedule', () => {
  test('out and in: runstates in order, fresh time, periodic tick made up for', () => {
    const guest = new Guest({ domUs: 1 });
    const { machine, vcpu } = guest;
    bind(guest, 0);
    const other = machine.domains[1]!.vcpus[0]!;
    machine.events = [];
    schedule(machine, 0, other.ref);
    expect(machine.events).toMatchObject([
      { at: vcpu.ref, state: 'runnable' },
      { at: other.ref, state: 'running' },
    ]);
    passTime(machine, 3 * TICK);
    machine.events = [];
    schedule(machine, 0, vcpu.ref);
    expect(machine.events).toMatchObject([{ state: 'runnable' }, { state: 'running' }, { kind: 'timer', which: 'periodic' }]);
    expect([vcpu.periodicDue, machine.memory.read32(infoAddress(vcpu) + 32), machine.memory.read64(infoAddress(vcpu) + 48)]).toEqual([
      4 * TICK,
      4,
      30_000_000n,
    ]);
  });

  test('to what it holds: nothing; to what cannot run or runs elsewhere: refused', () => {
    const guest = new Guest({ pcpus: 2, vcpus: 2 });
    const { machine, vcpu } = guest;
    schedule(machine, 0, vcpu.ref);
    expect(machine.events).toEqual([]);
    expect(() => schedule(machine, 1, vcpu.ref)).toThrow('runs elsewhere');
    expect(() => schedule(machine, 1, { domid: 0, vcpu: 1 })).toThrow('cannot run');
    expect(() => schedule(machine, 1, { domid: 7, vcpu: 0 })).toThrow(BadInput);
  });
});

describe('time', () => {
  test('fires timers by deadline, and does not go back', () => {
    const guest = new Guest({ domUs: 1 });
    const { machine, vcpu } = guest;
    const other = machine.domains[1]!.vcpus[0]!;
    vcpu.singleshot = 900;
    other.singleshot = 500;
    machine.events = [];
    passTime(machine, 1000);
    expect(machine.events).toMatchObject([
      { at: other.ref, which: 'singleshot' },
      { at: vcpu.ref, which: 'singleshot' },
    ]);
    expect(() => passTime(machine, 999)).toThrow(BadInput);
  });

  test('an upcall that a timer brings interrupts the guest, by IRET afterwards', () => {
    const guest = new Guest();
    const { machine, vcpu } = guest;
    bind(guest, 0);
    machine.memory.write8(infoAddress(vcpu) + 1, 0);
    vcpu.eventCallback.set(DATA + 0x800, 0);
    guest.set(RSP, STACK);
    machine.events = [];
    passTime(machine, TICK);
    expect(machine.events).toMatchObject([{ which: 'periodic' }, { kind: 'callback', which: 'event' }]);
    expect(guest.get(STACK - 56 + 16)).toBe(BigInt(CODE + 2));
  });

  test('the time record is refreshed each second', () => {
    const guest = new Guest();
    const version = (): number => guest.machine.memory.read32(infoAddress(guest.vcpu) + 32);
    guest.vcpu.periodicPeriod = null;
    passTime(guest.machine, 999_999_999);
    expect(version()).toBe(2);
    passTime(guest.machine, 1_000_000_000);
    expect(version()).toBe(4);
  });
});

describe('console input', () => {
  test('is read by dom0, after its VIRQ', () => {
    const guest = new Guest();
    bind(guest, 2);
    typeConsole(guest.machine, 'key');
    expect(guest.machine.memory.read64(guest.vcpu.domain.sharedInfoMfn * 4096 + 0x800)).toBe(2n);
    expect([guest.call(18, 1, 2, DATA), guest.get(DATA) & 0xffffn, guest.call(18, 1, 9, DATA), guest.call(18, 1, 9, DATA)]).toEqual([
      2,
      0x656bn,
      1,
      0,
    ]);
  });

  test('is dropped when nobody reads', () => {
    const guest = new Guest();
    typeConsole(guest.machine, 'x'.repeat(20000));
    expect(guest.machine.consoleInput).toHaveLength(16384);
  });
});

test('a secondary vCPU: initialise, up, run', () => {
  const guest = new Guest({ vcpus: 2, pcpus: 2 });
  const { machine } = guest;
  const context = DATA;
  machine.memory.fill(guest.at(context), 5168, 0);
  guest.put(context + 512, 4);
  guest.put(context + 520 + 128, CODE, 0xe033, 0, STACK, 0xe02b);
  guest.put(context + 4984 + 24, BigInt(guest.vcpu.kernelTable) << 12n);
  expect(guest.call(24, 0, 1, context)).toBe(0);
  expect(guest.call(24, 0, 1, context)).toBe(-17);
  expect(() => schedule(machine, 1, { domid: 0, vcpu: 1 })).toThrow(BadInput);
  expect(guest.call(24, 1, 1, 0)).toBe(0);
  schedule(machine, 1, { domid: 0, vcpu: 1 });
  guest.poke(CODE, LOOP);
  expect(execute(machine, 1, 50)).toBe(50);
  expect(machine.frames.typeRefs[guest.vcpu.kernelTable]).toBe(3);
});
