import { describe, expect, test } from 'vitest';
import { HYPERCALL } from '#spec/abi/hypercall.ts';
import { MSR } from '#spec/abi/msr.ts';
import { NotModelled } from '#spec/failure.ts';
import { RAX, RCX, RDI, RDX, RSI } from '../../cpu/interface.ts';
import { CODE, DATA, Guest } from '../testing/guest.ts';

const EINVAL = -22;
const EFAULT = -14;
const HANDLER = CODE + 0x800;
const IN_AL_DX = [0xec];
const IN_EAX_DX = [0xed];
const REP_INSB = [0xf3, 0x6c];
const REP_OUTSW = [0xf3, 0x66, 0x6f];
/** A port that nobody answers. */
const NOWHERE = 0x608;

const ready = (): Guest => {
  const guest = new Guest();
  guest.traps({ 1: HANDLER, 6: HANDLER, 13: HANDLER, 14: HANDLER });
  guest.set(4, DATA + 0x1f00);
  return guest;
};
const setIopl = (guest: Guest, iopl: number): number => {
  guest.put(DATA, iopl);
  return guest.call(HYPERCALL.physdev_op, 6, DATA);
};
const setBitmap = (guest: Guest, address: number | bigint, ports: number): number => {
  guest.put(DATA, address, ports);
  return guest.call(HYPERCALL.physdev_op, 7, DATA);
};
const refused = [{ kind: 'exception', vector: 13, error: 0 }];

describe('ports', () => {
  test('set_iopl', () => {
    const guest = ready();
    guest.set(RDX, NOWHERE);
    expect(guest.run(IN_AL_DX)).toMatchObject(refused);
    expect(setIopl(guest, 4)).toBe(EINVAL);
    expect(guest.call(HYPERCALL.physdev_op, 6, 0x10)).toBe(EFAULT);
    expect(setIopl(guest, 1)).toBe(0);
    guest.set(RAX, 0);
    guest.set(RDX, NOWHERE);
    expect(guest.run(IN_AL_DX)).toMatchObject([{ kind: 'emulated', instruction: 'in' }]);
    expect(guest.register(RAX)).toBe(0xffn);
  });

  test('a bitmap lets single ports through', () => {
    const guest = ready();
    expect(setBitmap(guest, 0xffff_8000_0000_0000n, 8)).toBe(EINVAL);
    expect(setBitmap(guest, DATA + 0x100, 65537)).toBe(EINVAL);
    expect(setBitmap(guest, DATA + 0x100, NOWHERE + 4)).toBe(0);
    guest.poke(DATA + 0x100 + (NOWHERE >> 3), [0xf0, 0xff]);
    guest.set(RDX, NOWHERE);
    expect(guest.run(IN_EAX_DX)).toMatchObject([{ kind: 'emulated' }]);
    guest.set(RDX, NOWHERE + 1);
    expect(guest.run(IN_EAX_DX)).toMatchObject(refused);
    guest.set(RDX, NOWHERE + 4);
    expect(guest.run(IN_AL_DX)).toMatchObject(refused);
    expect(setBitmap(guest, 0x7000, 65536)).toBe(0);
    guest.set(RDX, NOWHERE);
    expect(guest.run(IN_AL_DX)).toMatchObject(refused);
  });

  test('INS goes on to the end, or to a page that is not there', () => {
    const guest = ready();
    setIopl(guest, 3);
    guest.put(DATA, 0, 0);
    for (const [register, value] of [
      [RDX, NOWHERE],
      [RCX, 5],
      [RDI, DATA + 1],
    ] as const)
      guest.set(register, value);
    expect(guest.run(REP_INSB)).toMatchObject([{ kind: 'emulated', instruction: 'ins' }]);
    expect([guest.get(DATA), guest.register(RCX), guest.register(RDI)]).toEqual([0xffff_ffff_ff00n, 0n, BigInt(DATA + 6)]);
    guest.set(RCX, 5);
    guest.set(RDI, 0x1ffffe);
    expect(guest.run(REP_INSB)).toMatchObject([{ kind: 'exception', vector: 14, error: 2, address: '0x1ffffe' }]);
    expect(guest.get(guest.register(4))).toBe(5n);
  });

  test('without iterations nobody asks for permission', () => {
    const guest = ready();
    guest.set(RCX, 0);
    guest.set(RDX, NOWHERE);
    expect(guest.run(REP_INSB)).toMatchObject([{ kind: 'emulated' }]);
    expect(guest.vcpu.cpu.rip).toBe(BigInt(CODE + 2));
  });

  test('OUTS backwards, 16 bits at a time, until the address stops being canonical', () => {
    const guest = ready();
    setIopl(guest, 3);
    for (const [register, value] of [
      [RDX, NOWHERE],
      [RCX, 3],
      [RSI, DATA + 8],
    ] as const)
      guest.set(register, value);
    guest.vcpu.cpu.rflags |= 0x400n;
    expect(guest.run(REP_OUTSW)).toMatchObject([{ kind: 'emulated', instruction: 'outs' }]);
    expect([guest.register(RCX), guest.register(RSI)]).toEqual([0n, BigInt(DATA + 2)]);
    guest.set(RCX, 3);
    guest.set(RSI, 0x8000_0000_0000n);
    expect(guest.run(REP_OUTSW)).toMatchObject(refused);
  });

  test('an upcall that waits stops a string after an iteration', () => {
    const guest = ready();
    setIopl(guest, 3);
    guest.machine.preempt = [2];
    for (const [register, value] of [
      [RDX, NOWHERE],
      [RCX, 5],
      [RDI, DATA],
    ] as const)
      guest.set(register, value);
    guest.machine.questions = 0;
    guest.run(REP_INSB);
    expect([guest.register(RCX), guest.vcpu.cpu.rip]).toEqual([3n, BigInt(CODE)]);
  });

  test('breakpoints on ports are told behind the instruction', () => {
    const guest = ready();
    setIopl(guest, 3);
    guest.vcpu.cr4 |= 8;
    expect(guest.call(HYPERCALL.set_debugreg, 1, NOWHERE)).toBe(0);
    expect(guest.call(HYPERCALL.set_debugreg, 7, 0x0020_0004)).toBe(0);
    expect(guest.call(HYPERCALL.get_debugreg, 7)).toBe(0x0020_0404);
    guest.set(RDX, NOWHERE);
    expect(guest.run(IN_AL_DX)).toMatchObject([{ kind: 'emulated' }, { kind: 'exception', vector: 1 }]);
    expect(guest.call(HYPERCALL.get_debugreg, 6)).toBe(0xffff_0ff2);
  });
});

describe('breakpoints', () => {
  const enable = (guest: Guest, register: number, address: number, control: number): void => {
    expect(guest.call(HYPERCALL.set_debugreg, register, address)).toBe(0);
    expect(guest.call(HYPERCALL.set_debugreg, 7, control)).toBe(0);
  };
  const dr6 = (guest: Guest): number => guest.call(HYPERCALL.get_debugreg, 6);

  test('on an instruction, before it; RF of iret lets it through', () => {
    const guest = ready();
    enable(guest, 0, CODE + 0x101, 1);
    guest.poke(CODE + 0x100, [0x90, 0x90, 0x90]);
    guest.vcpu.cpu.rip = BigInt(CODE + 0x100);
    expect(guest.step(2)).toMatchObject([{ kind: 'exception', vector: 1 }]);
    expect(guest.words(guest.register(4), 3)[2]).toBe(BigInt(CODE + 0x101));
    expect(dr6(guest)).toBe(0xffff_0ff1);
    guest.put(DATA, 0, 0, 0, 0, CODE + 0x101, 0xe030, 0x10202, DATA + 0x1f00, 0xe02b);
    guest.set(4, DATA);
    guest.call(HYPERCALL.iret);
    expect(guest.step(1)).toEqual([]);
    expect(guest.vcpu.cpu.rip).toBe(BigInt(CODE + 0x102));
  });

  test('on data, behind the instruction that touches it', () => {
    const guest = ready();
    enable(guest, 3, DATA + 8, 0xd000_0080);
    guest.set(RAX, DATA + 0xc);
    expect(guest.run([0x8a, 0x10])).toEqual([]);
    expect(guest.run([0x88, 0x50, 0xfc])).toMatchObject([{ kind: 'exception', vector: 1 }]);
    expect(dr6(guest)).toBe(0xffff_0ff8);
    guest.set(RAX, DATA + 0x10);
    expect(guest.run([0x88, 0x10])).toEqual([]);
  });
});

describe('MSRs', () => {
  const read = (guest: Guest, register: number): bigint | null => {
    guest.set(RCX, register);
    const [event] = guest.run([0x0f, 0x32]);
    return event?.kind === 'emulated' ? (guest.register(RDX) << 32n) | guest.register(RAX) : null;
  };
  const write = (guest: Guest, register: number, value: bigint): boolean => {
    guest.set(RCX, register);
    guest.set(RAX, value & 0xffffffffn);
    guest.set(RDX, value >> 32n);
    return guest.run([0x0f, 0x30])[0]?.kind === 'emulated';
  };

  test.each([
    ['machine check', MSR.MCG_CAP, 2n],
    ['a bank', 0x400, 0xffffffffffffffffn],
    ['its status', 0x401, 0n],
    ['a bank beyond', 0x408, 0n],
    ['old machine check', 0, 0n],
    ['a counter', 0xc0010004, 0n],
    ['a power state', 0xc0010064, 0n],
    ['the memory layout', MSR.K8_SYSCFG, 0n],
    ['LFENCE', MSR.DE_CFG, 2n],
    ['features of Intel', MSR.FEATURE_CONTROL, null],
    ['SYSCALL', MSR.LSTAR, null],
  ])('%s reads', (_, register, value) => {
    expect(read(ready(), register)).toBe(value);
  });

  test('TSC_AUX is what RDTSCP tells', () => {
    const guest = ready();
    expect(write(guest, MSR.TSC_AUX, 0x1_0000_0000n)).toBe(false);
    expect(write(guest, MSR.TSC_AUX, 7n)).toBe(true);
    guest.run([0x0f, 0x01, 0xf9]);
    expect(guest.register(RCX)).toBe(7n);
  });

  test('writes', () => {
    const guest = ready();
    const taken = [
      [MSR.K8_HWCR, 0x40n],
      [MSR.MCG_STATUS, 4n],
      [0x401, 0n],
      [0x405, 0n],
      [0x280, 1n],
      [MSR.MISC_ENABLE, 0n],
    ] as const;
    for (const [register, value] of taken) expect(write(guest, register, value)).toBe(true);
    expect(read(guest, MSR.MCG_STATUS)).toBe(4n);
    for (const [register, value] of [
      [0x401, 1n],
      [MSR.MISC_FEATURES_ENABLES, 1n],
      [MSR.TSC, 0n],
      [MSR.PAT, 0n],
    ] as const)
      expect(write(guest, register, value)).toBe(false);
  });
});

describe('time and extended state', () => {
  test('CR4.TSD takes RDTSC from guest user, and makes Xen do it for the kernel', () => {
    const guest = ready();
    guest.set(RAX, 0x66c);
    guest.run([0x0f, 0x22, 0xe0]);
    expect(guest.run([0x0f, 0x31])).toMatchObject([{ kind: 'emulated', instruction: 'rdtsc' }]);
    expect(guest.run([0x0f, 0x01, 0xf9])).toMatchObject([{ kind: 'emulated', instruction: 'rdtscp' }]);
  });

  test('XSETBV needs OSXSAVE of the guest, and leaves AVX out', () => {
    const guest = ready();
    const set = (value: number) => {
      for (const [register, to] of [
        [RCX, 0],
        [RDX, 0],
        [RAX, value],
      ] as const)
        guest.set(register, to);
      return guest.run([0x0f, 0x01, 0xd1]);
    };
    const get = (): bigint => {
      guest.set(RCX, 0);
      guest.run([0x0f, 0x01, 0xd0]);
      return guest.register(RAX);
    };
    expect(get()).toBe(3n);
    expect(set(1)).toMatchObject([{ kind: 'exception', vector: 6 }]);
    guest.vcpu.cr4 |= 0x40000;
    expect(set(1)).toMatchObject([{ kind: 'emulated', instruction: 'xsetbv' }]);
    expect(get()).toBe(1n);
    for (const bad of [0, 2, 5, 9]) expect(set(bad)).toMatchObject(refused);
    expect(() => set(7)).toThrow(NotModelled);
  });
});

describe('hypercalls of old', () => {
  test('find their command in the structure', () => {
    const guest = ready();
    guest.put(DATA, 6, 3);
    expect(guest.call(HYPERCALL.physdev_op_compat, DATA)).toBe(0);
    expect(guest.vcpu.iopl).toBe(3);
    guest.put(DATA, 6n | (0x7ff0n << 32n), 0, 0, 0);
    expect(guest.call(HYPERCALL.event_channel_op_compat, DATA)).toBe(0);
    expect(guest.get(DATA + 8)).toBe(1n);
    guest.put(DATA, 10n, 0, 0, 0);
    expect(guest.call(HYPERCALL.event_channel_op_compat, DATA)).toBe(-38);
    expect(guest.call(HYPERCALL.sched_op_compat, 3, 0)).toBe(-38);
    expect(guest.call(HYPERCALL.nmi_op, 2, 0)).toBe(-38);
    guest.put(DATA, HANDLER);
    expect(guest.call(HYPERCALL.nmi_op, 0, DATA)).toBe(0);
    expect(guest.vcpu.trapLo[2]).toBe(HANDLER);
    expect(guest.call(HYPERCALL.nmi_op, 1, 0)).toBe(0);
    expect(guest.vcpu.trapLo[2]).toBe(0);
    guest.call(HYPERCALL.sched_op_compat, 2, 0x103);
    expect(guest.machine.halted).toBe(3);
  });
});
