import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { domainOf, updateDomain, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { EVENT_CALLBACK, preparedGuest, STACK } from '../testing/fresh.ts';
import { ARGUMENTS, DOM0, peek, peek64, poke, pokeWords } from '../testing/guest.ts';
import { CODE, hypercall, reg, rip } from '../testing/step.ts';
import { setVcpuInfo } from '../vcpu_info.ts';
import { toHex } from '../word/word.ts';

const guest = preparedGuest(ONE_PAGE_KERNEL);
const NOWHERE = 0x10000000;
const words = (...list: (number | bigint)[]): Machine => pokeWords(guest, DOM0, list);
const text = (machine: Machine, size: number): string => String.fromCharCode(...peek(machine, DOM0, ARGUMENTS, size));

describe('hypercall numbers', () => {
  it('that Xen does not know are ENOSYS', () => {
    const { rc, events } = hypercall(guest, DOM0, 63, 1, 2);
    expect([rc, events[0]]).toEqual([
      -38,
      {
        kind: 'hypercall',
        at: DOM0,
        call: 'hypercall_63',
        args: ['0x1', '0x2', '0x0', '0x0', '0x0'],
        result: '0xffffffffffffffda',
        depth: 0,
      },
    ]);
  });
  it('that the slice lacks stop with their name', () =>
    expect(() => hypercall(guest, DOM0, 'xenoprof_op', 14)).toThrow('not modelled: xenoprof_op'));
  it('or answer ENOSYS when the run is lenient', () => {
    const lenient = { ...guest, config: { ...guest.config, lenient: true } };
    const { rc, kinds } = hypercall(lenient, DOM0, 'xenoprof_op', 14);
    expect([rc, kinds]).toEqual([-38, ['not_modelled', 'hypercall']]);
  });
});

describe('console_io', () => {
  const hello = poke(
    guest,
    DOM0,
    ARGUMENTS,
    Uint8Array.from('hello\n', (c) => c.charCodeAt(0)),
  );
  it('writes bytes as they are', () => {
    const { rc, events, machine } = hypercall(hello, DOM0, 'console_io', 0, 6, ARGUMENTS);
    expect([rc, events[0], domainOf(machine, 0).consoleBytes]).toEqual([0, { kind: 'console', domid: 0, bytes: 'hello\n' }, 6]);
  });
  it('writes the pieces before one that cannot be read', () => {
    const { rc, events } = hypercall(guest, DOM0, 'console_io', 0, 1000, 0x400000 - 200);
    expect([rc, events[0]]).toMatchObject([-14, { kind: 'console' }]);
    expect((events[0] as { bytes: string }).bytes).toHaveLength(127);
  });
  it('reads what was typed', () => {
    const typed = { ...guest, consoleInput: 'abc' };
    const { rc, machine } = hypercall(typed, DOM0, 'console_io', 1, 2, ARGUMENTS);
    expect([rc, text(machine, 2), machine.consoleInput]).toEqual([2, 'ab', 'c']);
  });
  it.each([
    ['an unknown command', [2, 0, 0], -38],
    ['too much to read', [1, 0x80000000, 0], -7],
    ['nothing typed, nowhere to put it', [1, 5, NOWHERE], 0],
  ])('%s', (_, args, rc) => expect(hypercall(guest, DOM0, 'console_io', ...args).rc).toBe(rc));
});

describe('xen_version', () => {
  it.each([
    ['version', [0, 0], 0x40011],
    ['pagesize', [7, 0], 4096],
    ['pagesize with an argument', [7, 1], -22],
    ['the size of the build id', [10, 0], 20],
    ['an unknown command', [11, 0], -38],
    ['a text nowhere', [2, NOWHERE], -14],
  ])('%s', (_, args, rc) => expect(hypercall(guest, DOM0, 'xen_version', ...args).rc).toBe(rc));
  it('fills texts up with zeros', () =>
    expect(text(hypercall(guest, DOM0, 'xen_version', 1, ARGUMENTS).machine, 16)).toBe('.7'.padEnd(16, '\0')));
  it('tells features of submap 0 only, one of them by the domain’s assist', () => {
    const on = hypercall(words(0), DOM0, 'xen_version', 6, ARGUMENTS).machine;
    const off = hypercall(updateDomain(words(0), 0, { vmAssist: 0n }), DOM0, 'xen_version', 6, ARGUMENTS).machine;
    expect([peek64(on, DOM0, ARGUMENTS) >> 32n, peek64(off, DOM0, ARGUMENTS) >> 32n]).toEqual([0x228f0n, 0x228e0n]);
    expect(hypercall(words(1), DOM0, 'xen_version', 6, ARGUMENTS).rc).toBe(-22);
  });
  it('wants room for the build id', () => {
    expect(hypercall(words(4), DOM0, 'xen_version', 10, ARGUMENTS).rc).toBe(-105);
    const { rc, machine } = hypercall(words(64), DOM0, 'xen_version', 10, ARGUMENTS);
    expect([rc, [...peek(machine, DOM0, ARGUMENTS, 8)]]).toEqual([20, [64, 0, 0, 0, 0x15, 0x1b, 0x37, 0x3f]]);
  });
});

describe('callbacks', () => {
  const register = (type: number, flags: number, address: bigint): Machine => words(BigInt(type) | (BigInt(flags) << 16n), address);
  it('look at the address before the type', () =>
    expect(hypercall(register(99, 0, 1n << 47n), DOM0, 'callback_op', 0, ARGUMENTS).rc).toBe(-22));
  it.each([
    ['an unknown type', 99, -38],
    ['an event callback', 0, 0],
    ['an NMI callback', 4, 0],
  ])('%s', (_, type, rc) => expect(hypercall(register(type, 0, 0x1234n), DOM0, 'callback_op', 0, ARGUMENTS).rc).toBe(rc));
  it('can mask events, and are then listed', () => {
    const { machine } = hypercall(register(2, 1, 0x1234n), DOM0, 'callback_op', 0, ARGUMENTS);
    expect([toHex(vcpuOf(machine, DOM0).callbacks.syscall), vcpuOf(machine, DOM0).masking.syscall]).toEqual(['0x1234', true]);
  });
  it.each([
    ['NMI', 4, 0],
    ['syscall', 2, -22],
    ['an unknown type', 9, -38],
  ])('unregister %s', (_, type, rc) => expect(hypercall(words(type), DOM0, 'callback_op', 1, ARGUMENTS).rc).toBe(rc));
  it('set_callbacks skips a bad address without a word', () => {
    const { rc, machine } = hypercall(guest, DOM0, 'set_callbacks', 0x1000, 1n << 60n, 0x3000);
    const { event, failsafe, syscall } = vcpuOf(machine, DOM0).callbacks;
    expect([rc, toHex(event), toHex(failsafe), toHex(syscall)]).toEqual([0, '0x1000', '0x0', '0x3000']);
  });
});

describe('multicall', () => {
  const entry = (op: number, ...args: number[]): (number | bigint)[] => [op, 0, ...args, ...new Array(6 - args.length).fill(0)];
  const result = (machine: Machine, n: number): bigint => peek64(machine, DOM0, ARGUMENTS + n * 64 + 8);
  it('runs entries in order and stores each result', () => {
    const { rc, machine, events } = hypercall(words(...entry(17, 0, 0), ...entry(63)), DOM0, 'multicall', ARGUMENTS, 2);
    expect([rc, result(machine, 0), result(machine, 1)]).toEqual([0, 0x40011n, BigInt.asUintN(64, -38n)]);
    expect(events.map((event) => event.kind === 'hypercall' && [event.call, event.depth])).toEqual([
      ['xen_version', 1],
      ['hypercall_63', 1],
      ['multicall', 0],
    ]);
  });
  it('refuses itself inside', () =>
    expect(result(hypercall(words(...entry(13, 0, 0)), DOM0, 'multicall', ARGUMENTS, 1).machine, 0)).toBe(BigInt.asUintN(64, -22n)));
  it('is EFAULT for a list in Xen’s range, even an empty one', () =>
    expect(hypercall(guest, DOM0, 'multicall', 0xffff800000000000n, 0).rc).toBe(-14));
  it('stops before the next entry when an entry set a timer that is due', () => {
    const entry = (op: number, ...args: number[]) => [op, 0, ...args, ...new Array(6 - args.length).fill(0)];
    const late = { ...words(...entry(15, 1), ...entry(17, 0)), now: 5_000_000 };
    const { machine, kinds } = hypercall(late, DOM0, 'multicall', ARGUMENTS, 2);
    expect([kinds, rip(machine, DOM0)]).toEqual([['hypercall', 'hypercall', 'timer'], BigInt(CODE)]);
  });
  it('stops before the next entry when an upcall is due', () => {
    const due = setVcpuInfo(words(...entry(17, 0, 0), ...entry(17, 0, 0)), DOM0, 'evtchn_upcall_pending', 1);
    const { machine, events } = hypercall(due, DOM0, 'multicall', ARGUMENTS, 2);
    expect(events.at(-2)).toMatchObject({ call: 'multicall', result: null });
    expect(rip(machine, DOM0)).toBe(BigInt(EVENT_CALLBACK));
    expect([reg(machine, DOM0, 0), reg(machine, DOM0, 7), reg(machine, DOM0, 6)]).toEqual([13n, BigInt(ARGUMENTS + 64), 1n]);
    expect(peek64(machine, DOM0, Number(reg(machine, DOM0, 4)) + 16)).toBe(BigInt(CODE));
  });
});

describe('the small ones', () => {
  it('stack_switch takes anything', () => {
    const { rc, machine } = hypercall(guest, DOM0, 'stack_switch', 0xe028, 0xffff800000000000n);
    expect([rc, vcpuOf(machine, DOM0).kernelSs, toHex(vcpuOf(machine, DOM0).kernelSp)]).toEqual([0, 0xe02b, '0xffff800000000000']);
  });
  it('fpu_taskswitch sets TS', () => expect(vcpuOf(hypercall(guest, DOM0, 'fpu_taskswitch', 5).machine, DOM0).taskSwitched).toBe(true));
  it.each([
    ['a type nobody knows, before the command', [7, 6], -22],
    ['a command nobody knows', [2, 4], -38],
    ['on', [0, 4], 0],
    ['off', [1, 4], 0],
  ])('vm_assist %s', (_, args, rc) => expect(hypercall(guest, DOM0, 'vm_assist', ...args).rc).toBe(rc));
  it.each([
    ['FS', 0, 0xffff800000000000n, 0],
    ['an address that is not canonical', 2, 1n << 47n, -22],
    ['an unknown register', 4, 0n, -22],
    ['a bad selector', 3, 0x1234n, 0],
  ])('set_segment_base %s', (_, which, base, rc) => expect(hypercall(guest, DOM0, 'set_segment_base', which, base).rc).toBe(rc));
  it('a bad user GS selector becomes null', () =>
    expect(vcpuOf(hypercall(guest, DOM0, 'set_segment_base', 3, 0x1234).machine, DOM0).cpu.segments.selectors[5]).toBe(0));
  it.each([
    ['DR0 in Xen’s range', [0, 0xffff800000000000n], -1],
    ['DR6 beyond 32 bits', [6, 1n << 32n], -22],
    ['DR7 with general detect', [7, 0x2000n], -1],
    ['DR8', [8, 0n], -19],
    ['DR4, which is DR6', [4, 0n], 0],
  ])('set_debugreg %s', (_, args, rc) => expect(hypercall(guest, DOM0, 'set_debugreg', ...args).rc).toBe(rc));
  it('get_debugreg reads with fixed bits', () => {
    const set = hypercall(guest, DOM0, 'set_debugreg', 6, 0xffffffff).machine;
    expect([
      hypercall(set, DOM0, 'get_debugreg', 6).rc,
      hypercall(guest, DOM0, 'get_debugreg', 5).rc,
      hypercall(guest, DOM0, 'get_debugreg', 9).rc,
    ]).toEqual([0xffffefff, 0x400, -19]);
  });
});

describe('set_trap_table', () => {
  const traps = (...entries: (readonly [vector: number, flags: number, cs: number, address: bigint])[]): Machine =>
    words(...entries.flatMap(([vector, flags, cs, address]) => [BigInt(vector | (flags << 8)) | (BigInt(cs) << 16n), address]));
  it('takes entries up to the first null address', () => {
    const { rc, machine } = hypercall(traps([9, 4, 0xe030, 0x5000n], [0, 0, 0, 0n], [8, 0, 0, 0x6000n]), DOM0, 'set_trap_table', ARGUMENTS);
    const { traps: set } = vcpuOf(machine, DOM0);
    expect([rc, set[9].flags, set[9].cs, toHex(set[9].address), toHex(set[8].address)]).toEqual([
      0,
      4,
      0xe033,
      '0x5000',
      toHex(vcpuOf(guest, DOM0).traps[8].address),
    ]);
  });
  it('keeps what came before a bad address', () => {
    const { rc, machine } = hypercall(traps([9, 0, 0, 0x5000n], [10, 0, 0, 1n << 50n]), DOM0, 'set_trap_table', ARGUMENTS);
    expect([rc, toHex(vcpuOf(machine, DOM0).traps[9].address)]).toEqual([-22, '0x5000']);
  });
  it('without a list clears everything', () =>
    expect(vcpuOf(hypercall(guest, DOM0, 'set_trap_table', 0).machine, DOM0).traps.every(({ address }) => toHex(address) === '0x0')).toBe(
      true,
    ));
});

it('a hypercall changes RCX, R11 and RAX alone', () => {
  const before = vcpuOf(guest, DOM0).cpu.regs;
  const { machine } = hypercall(updateVcpu(guest, DOM0, {}), DOM0, 'xen_version', 0, 0);
  expect(
    vcpuOf(machine, DOM0)
      .cpu.regs.map(toHex)
      .filter((_, r) => ![0, 1, 2, 6, 7, 8, 9, 10, 11].includes(r)),
  ).toEqual(before.map(toHex).filter((_, r) => ![0, 1, 2, 6, 7, 8, 9, 10, 11].includes(r)));
  expect([reg(machine, DOM0, 1), reg(machine, DOM0, 11), reg(machine, DOM0, 4)]).toEqual([BigInt(CODE + 2), 0x202n, BigInt(STACK)]);
});

describe('vCPU timers and areas', () => {
  const vcpu_op = (machine: Machine, cmd: number) => hypercall(machine, DOM0, 'vcpu_op', cmd, 0, ARGUMENTS);
  it('a one-shot time of 2^63 and more is negative, and due at once', () => {
    const { kinds, machine } = vcpu_op(words(1n << 63n, 0), 8);
    expect([kinds, vcpuOf(machine, DOM0).timers.singleshot]).toEqual([['hypercall', 'timer'], null]);
  });
  it('times beyond exact numbers are told as the last exact one', () =>
    expect(vcpuOf(vcpu_op(words(1n << 62n, 0), 8).machine, DOM0).timers.singleshot).toBe(Number.MAX_SAFE_INTEGER));
  it('taking the runstate area away writes to address 0 once', () => {
    const { rc, machine, clauses } = vcpu_op(words(0), 5);
    expect([rc, vcpuOf(machine, DOM0).runstateArea]).toEqual([0, null]);
    expect(clauses).toContain('vcpu/register_runstate_memory_area-set');
  });
});
