import { describe, expect, test } from 'vitest';
import { FLAT } from '#spec/abi/xen.ts';
import { CS, R11, RAX, RBX, RCX, RDX, RSP, SS_REG } from '../../cpu/interface.ts';
import { CODE, DATA, type Guest, STACK } from '../testing/guest.ts';
import { HANDLER, masked, ready } from '../testing/ready.ts';
import { infoAddress } from '../vcpu_info.ts';

const UD2 = [0x0f, 0x0b];
const IRET = 23;
const KERNEL_STACK = STACK + 0x1000;

const at = { domid: 0, vcpu: 0 };
const pend = (guest: Guest): void => guest.machine.memory.write8(infoAddress(guest.vcpu), 1);
const mask = (guest: Guest): number => guest.machine.memory.read8(infoAddress(guest.vcpu) + 1);

/** Enter user mode at CODE with `flags` for iret_context, by the kernel's own tables. */
const toUser = (guest: Guest, vgcf = 0, rflags = 0x202): void => {
  guest.vcpu.userTable = guest.vcpu.kernelTable;
  guest.vcpu.kernelSp.set(KERNEL_STACK, 0);
  guest.set(RSP, DATA);
  guest.put(DATA, 0xaaa, 0x111, 0xccc, vgcf, CODE, FLAT.RING3_CS64, rflags, STACK, FLAT.RING3_SS64);
  guest.call(IRET);
};

describe('the frame of an exception', () => {
  test('without error code', () => {
    const guest = ready([6]);
    expect(guest.run(UD2)).toEqual([{ kind: 'exception', at, vector: 6, error: null, address: null }]);
    const bottom = STACK - 16 - 56;
    expect(guest.words(bottom, 7)).toEqual([0xccn, 0x11n, BigInt(CODE), 0xe030n, 0x202n, BigInt(STACK - 8), 0xe02bn]);
    expect([guest.register(RSP), guest.vcpu.cpu.rip]).toEqual([BigInt(bottom), BigInt(HANDLER)]);
    // Entered by SYSRET.
    expect([guest.register(RCX), guest.register(R11), mask(guest)]).toEqual([BigInt(HANDLER), 0x202n, 0]);
    expect([guest.vcpu.cpu.selector(CS), guest.vcpu.cpu.selector(SS_REG)]).toEqual([0xe033, 0xe02b]);
  });

  test('with error code and CR2; the handler masks events when it asks for it', () => {
    const guest = ready([14], 4);
    guest.set(RAX, 0x12345678000n);
    expect(guest.run([0x48, 0x8b, 0x18])).toEqual([{ kind: 'exception', at, vector: 14, error: 0, address: '0x12345678000' }]);
    expect(guest.get(STACK - 16 - 64 + 16)).toBe(0n);
    expect(guest.machine.memory.read64(infoAddress(guest.vcpu) + 16)).toBe(0x12345678000n);
    expect(mask(guest)).toBe(1);
  });

  test('carries the mask in the CS slot and the virtual interrupt flag in RFLAGS', () => {
    const guest = ready([6], 4);
    masked(guest, 0x80);
    guest.run(UD2);
    expect(guest.words(STACK - 16 - 56 + 24, 2)).toEqual([0x800000e030n, 2n]);
    expect(mask(guest)).toBe(0x81);
  });

  test('#UD in user mode goes to the kernel stack', () => {
    const guest = ready([6]);
    toUser(guest);
    expect(guest.vcpu.kernelMode).toBe(false);
    guest.run(UD2);
    expect(guest.words(KERNEL_STACK - 56, 7)).toEqual([0xcccn, 0x111n, BigInt(CODE), 0xe033n, 0x202n, BigInt(STACK), 0xe02bn]);
    expect(guest.vcpu.kernelMode).toBe(true);
  });
});

describe('the domain crashes', () => {
  test.each([
    ['an exception without a handler', 'bounce-no-handler', (guest: Guest) => guest.traps({ 6: 0 })],
    ['an unmapped stack', 'bounce-frame-fault', (guest: Guest) => guest.set(RSP, 0x10000)],
    ["a stack in Xen's range", 'bounce-frame-fault', (guest: Guest) => guest.set(RSP, 0xffff810000000000n)],
    ['a stack at zero', 'bounce-frame-fault', (guest: Guest) => guest.set(RSP, 0)],
    ['a read-only stack', 'bounce-frame-fault', (guest: Guest) => guest.set(RSP, 0x20a000)],
  ])('for %s', (_, why, spoil) => {
    const guest = ready([6]);
    spoil(guest);
    expect(guest.run(UD2)).toEqual([
      { kind: 'crash', domid: 0, why },
      { kind: 'shutdown', domid: 0, reason: 3 },
      { kind: 'runstate', at, state: 'offline' },
    ]);
    expect(guest.machine.halted).toBe(3);
  });

  test('for an upcall without a callback', () => {
    const guest = ready([]);
    pend(guest);
    guest.call(17, 0);
    expect(guest.machine.events.map(({ kind }) => kind)).toEqual(['hypercall', 'crash', 'shutdown', 'runstate']);
  });

  test.each([
    ['iret-frame', (guest: Guest) => guest.set(RSP, 0x10000)],
    [
      'iret-no-user-table',
      (guest: Guest) => {
        guest.set(RSP, DATA);
        guest.put(DATA, 0, 0, 0, 0, 0, FLAT.RING3_CS64);
      },
    ],
  ])('%s', (why, spoil) => {
    const guest = ready([]);
    spoil(guest);
    expect(guest.call(IRET)).toBe(0);
    expect(guest.machine.events.slice(0, 2)).toMatchObject([
      { kind: 'hypercall', call: 'iret', result: null },
      { kind: 'crash', why },
    ]);
  });
});

describe('upcalls', () => {
  test('are delivered on the way out of a hypercall', () => {
    const guest = ready([]);
    guest.vcpu.eventCallback.set(HANDLER, 0);
    pend(guest);
    guest.call(17, 0);
    expect(guest.machine.events).toMatchObject([{ kind: 'hypercall' }, { kind: 'callback', which: 'event' }]);
    expect(guest.get(STACK - 16 - 56 + 16)).toBe(BigInt(CODE + 2));
    expect(mask(guest)).toBe(1);
  });

  test('come on top of an exception that leaves events open', () => {
    const guest = ready([6]);
    guest.vcpu.eventCallback.set(HANDLER + 0x100, 0);
    pend(guest);
    expect(guest.run(UD2).map(({ kind }) => kind)).toEqual(['exception', 'callback']);
    const second = STACK - 16 - 56 - 8 - 56;
    // The interrupted code's RCX and R11, and the first handler as return address.
    expect(guest.words(second, 3)).toEqual([0xccn, 0x11n, BigInt(HANDLER)]);
  });

  test('wait while masked, and are not looked for inside the guest', () => {
    const guest = ready([]);
    guest.vcpu.eventCallback.set(HANDLER, 0);
    pend(guest);
    expect(guest.run([0x90])).toEqual([]);
    masked(guest, 1);
    guest.call(17, 0);
    expect(guest.machine.events).toMatchObject([{ kind: 'hypercall' }]);
  });

  test('an NMI comes before an upcall, once until the next iret', () => {
    const guest = ready([2]);
    guest.vcpu.eventCallback.set(HANDLER, 0);
    pend(guest);
    guest.call(24, 11, 0, 0);
    expect(guest.machine.events.slice(1)).toMatchObject([{ which: 'nmi' }, { which: 'event' }]);
    masked(guest, 1);
    guest.call(24, 11, 0, 0);
    expect(guest.machine.events).toMatchObject([{ kind: 'hypercall' }]);
    expect(guest.vcpu.nmiPending).toBe(true);
  });
});

describe('iret', () => {
  test('to user mode by IRET restores RCX and R11, by SYSRET loses them', () => {
    const guest = ready([]);
    toUser(guest, 0, 0x40ed7);
    expect([guest.register(RAX), guest.register(RCX), guest.register(R11), guest.vcpu.cpu.rflags]).toEqual([
      0xaaan,
      0xcccn,
      0x111n,
      0x40ed7n,
    ]);
    const other = ready([]);
    toUser(other, 0x100, 2);
    expect([other.register(RCX), other.register(R11), mask(other)]).toEqual([BigInt(CODE), 0x202n, 1]);
  });

  test.each([
    ['a bad code selector', FLAT.RING3_SS64, 0x1230, 0x1230, CODE],
    ['a bad stack selector', 0x1233, 0xe030, 0x1230, CODE],
    ['a null stack selector', 0, 0xe030, 0, CODE],
    ['an address that is not canonical', FLAT.RING3_SS64, 0xe030, 0, 0x800000000000],
  ])('to %s is #GP with the frame of the target', (_, ss, cs, error, rip) => {
    const guest = ready([13]);
    guest.vcpu.userTable = guest.vcpu.kernelTable;
    guest.set(RSP, DATA);
    guest.put(DATA, 0xaaa, 0x111, 0xccc, 0, rip, cs, 0x202, STACK, ss);
    guest.call(IRET);
    expect(guest.machine.events.at(-1)).toMatchObject({ kind: 'exception', vector: 13, error });
    expect(guest.words(STACK - 64, 5)).toEqual([0xcccn, 0x111n, BigInt(error), BigInt(rip), BigInt(cs & ~3)]);
  });
});

describe('SYSCALL from user mode', () => {
  test('enters the callback with flags masked by the stack pointer (F-001)', () => {
    const guest = ready([]);
    toUser(guest, 0, 0x240ed7);
    guest.vcpu.syscallCallback.set(HANDLER, 0);
    expect(guest.run([0x0f, 0x05])).toEqual([{ kind: 'callback', at, which: 'syscall' }]);
    const rsp = guest.register(RSP);
    expect(rsp).toBe(BigInt(KERNEL_STACK - 56));
    expect(guest.register(R11)).toBe((0x200ed7n & rsp) | 0x200n);
    expect(guest.words(rsp, 5)).toEqual([BigInt(CODE + 2), 0x240ed7n, BigInt(CODE + 2), 0xe033n, 0x240ed7n]);
  });

  test('without a callback is #UD at the instruction', () => {
    const guest = ready([6]);
    toUser(guest);
    expect(guest.run([0x0f, 0x05])).toMatchObject([{ kind: 'exception', vector: 6 }]);
    expect(guest.get(guest.register(RSP) + 16n)).toBe(BigInt(CODE));
  });
});

describe('software interrupts', () => {
  test.each([
    [0, 13, 0x21 * 8 + 2, 0],
    [1, 0x21, null, 2],
  ])('INT 0x21 of a kernel through a gate of level %i', (level, vector, error, length) => {
    const guest = ready([13, 0x21]);
    guest.vcpu.trapFlags[0x21] = level;
    expect(guest.run([0xcd, 0x21])).toMatchObject([{ kind: 'exception', vector, error }]);
    expect(guest.get(guest.register(RSP) + (error === null ? 16n : 24n))).toBe(BigInt(CODE + length));
  });

  test('INT 0x80 needs no level, and without a handler is any other', () => {
    expect(ready([0x80]).run([0xcd, 0x80])).toMatchObject([{ vector: 0x80 }]);
    expect(ready([13]).run([0xcd, 0x80])).toMatchObject([{ vector: 13, error: 0x402 }]);
  });
});

describe('privileged instructions', () => {
  test.each([
    ['mov rax, cr0', [0x0f, 0x20, 0xc0], 0x80050033n],
    ['mov rax, cr4', [0x0f, 0x20, 0xe0], 0x660n],
    ['mov rax, dr6', [0x0f, 0x21, 0xf0], 0xffff0ff0n],
    ['mov rax, dr7', [0x0f, 0x21, 0xf8], 0x400n],
  ])('%s', (_, code, value) => {
    const guest = ready([13]);
    expect(guest.run(code)).toMatchObject([{ kind: 'emulated' }]);
    expect([guest.register(RAX), guest.register(RCX)]).toEqual([value, 0xccn]);
  });

  test('CR3 is the frame of the kernel table', () => {
    const guest = ready([]);
    guest.run([0x0f, 0x20, 0xd8]);
    expect(guest.register(RAX)).toBe(BigInt(guest.vcpu.kernelTable) << 12n);
    expect(guest.run([0x0f, 0x22, 0xd8])).toMatchObject([{ instruction: 'mov_to_cr' }]);
  });

  test('CR0 takes TS only; clts clears it', () => {
    const guest = ready([13]);
    guest.set(RAX, 0x8005003b);
    guest.run([0x0f, 0x22, 0xc0]);
    expect(guest.vcpu.taskSwitched).toBe(true);
    expect(guest.run([0x0f, 0x06])).toMatchObject([{ instruction: 'clts' }]);
    expect(guest.vcpu.taskSwitched).toBe(false);
    guest.set(RAX, 0x33);
    expect(guest.run([0x0f, 0x22, 0xc0])).toMatchObject([{ kind: 'exception', vector: 13, error: 0 }]);
  });

  test('hlt, and all of them in user mode, are #GP', () => {
    expect(ready([13]).run([0xf4])).toMatchObject([{ vector: 13 }]);
    const guest = ready([13]);
    toUser(guest);
    expect(guest.run([0x0f, 0x20, 0xc0])).toMatchObject([{ vector: 13, error: 0 }]);
  });

  test('cli needs I/O privilege, and does nothing', () => {
    expect(ready([13]).run([0xfa])).toMatchObject([{ vector: 13 }]);
    const guest = ready([13]);
    guest.vcpu.domain.vmAssist |= 1 << 4;
    expect(guest.run([0xfa])).toMatchObject([{ instruction: 'cli' }]);
    expect(mask(guest)).toBe(0);
  });

  test('ports: the debug port, what nobody answers, and devices', () => {
    const guest = ready([13]);
    guest.vcpu.iopl = 1;
    guest.run([0xe4, 0xe9]);
    expect(guest.register(RAX)).toBe(0xffn);
    guest.set(RDX, 0x3f8);
    guest.run([0xed]);
    expect(guest.register(RAX)).toBe(0xffffffffn);
    expect(() => guest.run([0xe6, 0x64])).toThrow('not modelled: port/64');
  });

  test('MSRs: GS base of the other mode, a refused one', () => {
    const guest = ready([13]);
    guest.vcpu.gsBaseOther.set(0x7000, 0);
    guest.set(RCX, 0xc0000102);
    guest.run([0x0f, 0x32]);
    expect([guest.register(RAX), guest.register(RDX)]).toEqual([0x7000n, 0n]);
    guest.set(RCX, 0xc0000082);
    expect(guest.run([0x0f, 0x32])).toMatchObject([{ vector: 13, error: 0 }]);
  });

  test('the marked CPUID', () => {
    const guest = ready([6]);
    guest.set(RAX, 0x40000000);
    guest.set(RCX, 0);
    expect(guest.run([0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2])).toMatchObject([{ instruction: 'cpuid' }]);
    expect(guest.register(RBX)).toBe(0x566e6558n);
    expect(guest.vcpu.cpu.rip).toBe(BigInt(CODE + 7));
    expect(guest.run([0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x90])).toMatchObject([{ vector: 6 }]);
    guest.set(RAX, 1);
    guest.run([0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2]);
    expect(guest.register(RDX) & 0x1000n, 'MTRR, to the kernel of domain 0').toBe(0x1000n);
  });

  test('single steps go on over an emulated instruction', () => {
    const guest = ready([1]);
    guest.vcpu.cpu.rflags = 0x302n;
    expect(guest.run([0x0f, 0x06]).map(({ kind }) => kind)).toEqual(['emulated', 'exception']);
    expect(guest.vcpu.dr6 >>> 0).toBe(0xffff4ff0);
  });
});

test('#NM clears the virtual CR0.TS', () => {
  const guest = ready([7]);
  guest.call(5, 1);
  expect(guest.vcpu.taskSwitched).toBe(true);
  expect(guest.run([0x9b])).toMatchObject([{ vector: 7 }]);
  expect(guest.vcpu.taskSwitched).toBe(false);
});

test('SYSRET with TF traps at once, IRET after one instruction', () => {
  const guest = ready([1]);
  guest.vcpu.cpu.rflags = 0x302n;
  guest.call(17, 0);
  expect(guest.machine.events).toMatchObject([{ kind: 'hypercall' }, { kind: 'exception', vector: 1 }]);
  expect(guest.get(STACK - 16 - 56 + 16)).toBe(BigInt(CODE + 2));
  expect(guest.get(STACK - 16 - 56 + 8)).toBe(0x302n);
});

describe('IRET that refuses a stack selector', () => {
  test('has the instruction read, and its page fault delivered', () => {
    const guest = ready([13, 14]);
    guest.set(RSP, DATA);
    guest.put(DATA, 0, 0, 0, 0, 0x10000, FLAT.RING3_CS64 & ~3, 0x202, STACK, 0);
    guest.call(IRET);
    expect(guest.machine.events).toMatchObject([{ kind: 'hypercall' }, { kind: 'exception', vector: 14, error: 0, address: '0x10000' }]);
  });
});
