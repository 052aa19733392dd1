import { describe, expect, test } from 'vitest';
import { HYPERCALL as H, SUBOPERATIONS as SUB } from '#spec/abi/hypercall.ts';
import { R11, RAX, RCX, RDI, RSI, RSP } from '../../cpu/interface.ts';
import { CODE, DATA, Guest, STACK } from '../testing/guest.ts';
import { infoAddress } from '../vcpu_info.ts';

const EPERM = -1;
const EFAULT = -14;
const ENODEV = -19;
const EINVAL = -22;
const ENOSYS = -38;
const ENOBUFS = -105;
const NOWHERE = 0x10000000;

const text = (guest: Guest, address: number, length: number): string =>
  String.fromCharCode(...guest.machine.memory.readBytes(guest.at(address), length)).replace(/\0+$/, '');

describe('the dispatcher', () => {
  test('changes RAX alone besides what SYSCALL does', () => {
    const guest = new Guest();
    expect(guest.call(H.xen_version, 0, 0, 3, 4, 5)).toBe(0x40011);
    expect([guest.register(RDI), guest.register(RCX), guest.register(R11), guest.vcpu.cpu.rip]).toEqual([
      0n,
      BigInt(CODE + 2),
      0x202n,
      BigInt(CODE + 2),
    ]);
    expect(guest.machine.events).toEqual([
      { kind: 'hypercall', at: { domid: 0, vcpu: 0 }, call: 'xen_version', args: ['0x0', '0x0'], result: '0x40011', depth: 0 },
    ]);
  });

  test('refuses numbers that Xen does not know, and stops at those that the slice lacks', () => {
    const guest = new Guest();
    expect([guest.call(63, 1), guest.call(0x100000000)]).toEqual([ENOSYS, ENOSYS]);
    expect(guest.machine.events).toMatchObject([{ call: 'hypercall_4294967296', result: '0xffffffffffffffda' }]);
    expect(() => guest.call(H.xenoprof_op, 14)).toThrow('not modelled: xenoprof_op');
    const lenient = new Guest({ lenient: true });
    expect(lenient.call(H.xenoprof_op, 14)).toBe(ENOSYS);
    expect(lenient.machine.events).toMatchObject([{ kind: 'not_modelled', what: 'xenoprof_op' }, { kind: 'hypercall' }]);
  });
});

describe('xen_version', () => {
  const guest = new Guest({ domUs: 1 });
  const { xen_version: V } = SUB;
  const call = (cmd: number, at: number = DATA): number => guest.call(H.xen_version, cmd, at);

  test('texts', () => {
    expect([call(V.extraversion), text(guest, DATA, 16)]).toEqual([0, '.7']);
    expect([call(V.compile_info), text(guest, DATA + 64, 16)]).toEqual([0, 'pkg-xen-devel']);
    expect([call(V.capabilities), text(guest, DATA, 15)]).toEqual([0, 'xen-3.0-x86_64 ']);
    expect([call(V.commandline), text(guest, DATA, 12)]).toEqual([0, 'console=com1']);
    expect([call(V.guest_handle), call(V.changeset), call(V.extraversion, NOWHERE), call(11)]).toEqual([0, 0, EFAULT, ENOSYS]);
  });

  test('numbers', () => {
    expect([call(V.platform_parameters), guest.get(DATA)]).toEqual([0, 0xffff800000000000n]);
    expect([call(V.pagesize, 0), call(V.pagesize)]).toEqual([4096, EINVAL]);
    guest.put(DATA, 0);
    expect([call(V.get_features), guest.get(DATA)]).toEqual([0, 0x228f000000000n]);
    guest.put(DATA, 1);
    expect([call(V.get_features), guest.get(DATA)]).toEqual([EINVAL, 1n]);
  });

  test('build id', () => {
    guest.put(DATA, 64, 0);
    expect([call(V.build_id, 0), call(V.build_id), guest.get(DATA)]).toEqual([20, 20, 0x3f371b1500000040n]);
    guest.put(DATA, 4);
    expect(call(V.build_id)).toBe(ENOBUFS);
    guest.put(DATA, 0);
    expect(call(V.build_id)).toBe(EINVAL);
  });
});

describe('console_io', () => {
  test('writes whole pieces before a fault', () => {
    const guest = new Guest();
    guest.poke(DATA, [0x68, 0x69, 0x0a]);
    expect(guest.call(H.console_io, 0, 3, DATA)).toBe(0);
    expect(guest.machine.events[0]).toEqual({ kind: 'console', domid: 0, bytes: 'hi\n' });
    expect(guest.call(H.console_io, 0, 200, 0x400000 - 150)).toBe(EFAULT);
    expect(guest.machine.events[0]).toMatchObject({ bytes: '\0'.repeat(127) });
    expect(guest.vcpu.domain.consoleBytes).toBe(130);
    expect([
      guest.call(H.console_io, 0, 1, NOWHERE),
      guest.call(H.console_io, 2, 0, 0),
      guest.call(H.console_io, 1, 0x80000000, DATA),
    ]).toEqual([EFAULT, ENOSYS, -7]);
  });
});

describe('traps and callbacks', () => {
  test('set_trap_table goes on to an entry without address, checks each, and clears on null', () => {
    const guest = new Guest();
    guest.put(DATA, 0xe0330006n | (4n << 8n), 0x1000, 0x10n, 0x2000, 0, 0);
    expect(guest.call(H.set_trap_table, DATA)).toBe(0);
    expect([guest.vcpu.trapLo[6], guest.vcpu.trapFlags[6], guest.vcpu.trapCs[6], guest.vcpu.trapLo[16], guest.vcpu.trapCs[16]]).toEqual([
      0x1000, 4, 0xe033, 0x2000, 3,
    ]);
    guest.put(DATA, 7n, 0x800000000000n);
    expect([guest.call(H.set_trap_table, DATA), guest.call(H.set_trap_table, NOWHERE), guest.call(H.set_trap_table, 0)]).toEqual([
      EINVAL,
      EFAULT,
      0,
    ]);
    expect(guest.vcpu.trapLo[6]).toBe(0);
  });

  test('callback_op', () => {
    const guest = new Guest();
    const register = (type: number, address: bigint, flags = 0): number => {
      guest.put(DATA, type | (flags << 16), address);
      return guest.call(H.callback_op, 0, DATA);
    };
    expect([register(0, 0x1000n), register(1, 0x2000n, 1), register(9, 1n), register(9, 0x800000000000n), register(4, 0x3000n)]).toEqual([
      0,
      0,
      ENOSYS,
      EINVAL,
      0,
    ]);
    expect([guest.vcpu.eventCallback.lo, guest.vcpu.failsafeDisablesEvents, guest.vcpu.trapLo[2], guest.vcpu.trapFlags[2]]).toEqual([
      0x1000,
      true,
      0x3000,
      4,
    ]);
    const unregister = (type: number): number => {
      guest.put(DATA, type);
      return guest.call(H.callback_op, 1, DATA);
    };
    expect([unregister(4), unregister(2), unregister(9), guest.call(H.callback_op, 2, DATA), guest.vcpu.trapLo[2]]).toEqual([
      0,
      EINVAL,
      ENOSYS,
      ENOSYS,
      0,
    ]);
  });

  test('set_callbacks passes over what is not canonical', () => {
    const guest = new Guest();
    expect(guest.call(H.set_callbacks, 0x1000, 0x800000000000n, 0x3000)).toBe(0);
    expect([guest.vcpu.eventCallback.lo, guest.vcpu.failsafeCallback.hi, guest.vcpu.syscallCallback.lo]).toEqual([0x1000, 0, 0x3000]);
  });
});

describe('processor state', () => {
  const guest = new Guest();

  test('debug registers', () => {
    const set = (register: number, value: number | bigint): number => guest.call(H.set_debugreg, register, value);
    const get = (register: number): bigint => {
      guest.call(H.get_debugreg, register);
      return guest.register(RAX);
    };
    expect([set(1, 0x7fffffffffffn), get(1), set(0, 0xffff800000000000n)]).toEqual([0, 0x7fffffffffffn, EPERM]);
    expect([set(6, 0), get(6), get(4), set(6, 1n << 32n)]).toEqual([0, 0xffff0ff0n, 0xffff0ff0n, EINVAL]);
    expect([set(7, 0xd800), get(5), set(7, 0x2000), set(7, 0x20001), set(8, 0), guest.call(H.get_debugreg, 9)]).toEqual([
      0,
      0x400n,
      EPERM,
      EPERM,
      ENODEV,
      ENODEV,
    ]);
    expect(set(7, 1)).toBe(0);
  });

  test('segment bases', () => {
    expect([0, 1, 2].map((which) => guest.call(H.set_segment_base, which, 0x1000 * (which + 1)))).toEqual([0, 0, 0]);
    expect([guest.vcpu.cpu.fsBase, guest.vcpu.gsBaseOther.lo, guest.vcpu.cpu.gsBase]).toEqual([0x1000n, 0x2000, 0x3000n]);
    expect([
      guest.call(H.set_segment_base, 3, 0x1234),
      guest.vcpu.gsBaseOther.lo,
      guest.call(H.set_segment_base, 4, 0),
      guest.call(H.set_segment_base, 0, 1n << 63n),
    ]).toEqual([0, 0, EINVAL, EINVAL]);
  });

  test('vm_assist', () => {
    expect([guest.call(H.vm_assist, 0, 4), guest.call(H.vm_assist, 0, 32), guest.call(H.vm_assist, 1, 4)]).toEqual([0, 0, 0]);
    expect([guest.vcpu.domain.vmAssist, guest.vcpu.domain.vmAssistHigh]).toEqual([8, 1]);
    expect([guest.call(H.vm_assist, 9, 6), guest.call(H.vm_assist, 0, 33), guest.call(H.vm_assist, 2, 5)]).toEqual([
      EINVAL,
      EINVAL,
      ENOSYS,
    ]);
  });

  test('stack_switch', () => {
    expect(guest.call(H.stack_switch, 0xe028, 0xffff880000001000n)).toBe(0);
    expect([guest.vcpu.kernelSs, guest.vcpu.kernelSp.hi >>> 0]).toEqual([0xe02b, 0xffff8800]);
  });
});

describe('multicall', () => {
  const entry = (guest: Guest, index: number, op: number, ...args: readonly (number | bigint)[]): void =>
    guest.put(DATA + 64 * index, op, 0xabc, ...args, ...new Array(6 - args.length).fill(0));
  const result = (guest: Guest, index: number): bigint => BigInt.asIntN(64, guest.get(DATA + 64 * index + 8));

  test('stores each result, and refuses itself inside', () => {
    const guest = new Guest();
    entry(guest, 0, H.xen_version);
    entry(guest, 1, 63);
    entry(guest, 2, H.multicall, DATA, 1);
    expect(guest.call(H.multicall, DATA, 3)).toBe(0);
    expect([0, 1, 2].map((i) => result(guest, i))).toEqual([0x40011n, -38n, -22n]);
    expect(guest.machine.events).toMatchObject([{ depth: 1 }, { depth: 1 }, { depth: 1 }, { call: 'multicall', depth: 0 }]);
    expect([
      guest.call(H.multicall, NOWHERE, 1),
      guest.call(H.multicall, 0xffff800000000000n, 0),
      guest.call(H.multicall, NOWHERE, 0),
    ]).toEqual([EFAULT, EFAULT, 0]);
  });

  test('is interrupted when an upcall can be delivered', () => {
    const guest = new Guest();
    guest.set(RSP, STACK);
    guest.vcpu.eventCallback.set(DATA + 0x800, 0);
    guest.machine.memory.write8(infoAddress(guest.vcpu), 1);
    guest.machine.memory.write8(infoAddress(guest.vcpu) + 1, 0);
    entry(guest, 0, H.xen_version);
    entry(guest, 1, H.xen_version);
    expect(guest.call(H.multicall, DATA, 2)).toBe(H.multicall);
    expect([guest.register(RDI), guest.register(RSI), guest.get(STACK - 56 + 16)]).toEqual([BigInt(DATA + 64), 1n, BigInt(CODE)]);
    expect(guest.machine.events).toMatchObject([{ depth: 1 }, { call: 'multicall', result: null }, { which: 'event' }]);
    expect(result(guest, 1)).toBe(0xabcn);
  });

  test('ends with an iret, whose RAX is cut to 32 bits', () => {
    const guest = new Guest();
    guest.set(RSP, DATA + 0x400);
    guest.put(DATA + 0x400, 0x1_8000_0000n, 0x11, 0xcc, 0, CODE, 0xe030, 0x202, STACK, 0xe02b);
    entry(guest, 0, H.iret);
    entry(guest, 1, H.xen_version);
    expect(guest.call(H.multicall, DATA, 2)).toBe(-0x80000000);
    expect([result(guest, 0), result(guest, 1)]).toEqual([0x180000000n, 0xabcn]);
  });
});
