import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { R11, RAX, RCX, RSP } from '../cpu/x86/state.ts';
import { updateDomain, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { EVENT_CALLBACK, HANDLERS, KERNEL_STACK, preparedGuest, STACK, SYSCALL_CALLBACK } from '../testing/fresh.ts';
import { ARGUMENTS, DOM0, peek64, pokeWords } from '../testing/guest.ts';
import { CODE, hypercall, load, reg, rip, run, setRegs, wordOf } from '../testing/step.ts';
import { setVcpuInfo, vcpuInfo } from '../vcpu_info.ts';
import { ZERO } from '../word/word.ts';
import { toggleMode } from './mode.ts';

const guest = preparedGuest(ONE_PAGE_KERNEL);
const UD2 = [0x0f, 0x0b];
const SYSCALL = [0x0f, 0x05];
/** mov %rax,(0x10) */
const STORE_LOW = [0x48, 0x89, 0x04, 0x25, 0x10, 0, 0, 0];
/** mov (%rbx),%rax */
const LOAD_RBX = [0x48, 0x8b, 0x03];

/** Words of a frame, from RSP up. */
const frame = (machine: Machine, words: number): bigint[] =>
  Array.from({ length: words }, (_, i) => peek64(machine, DOM0, Number(reg(machine, DOM0, RSP)) + i * 8));
const inUser = (machine: Machine): Machine => updateVcpu(machine, DOM0, { mode: 'user' });

describe('an exception of the guest kernel', () => {
  const ran = run(setRegs(load(guest, DOM0, UD2), DOM0, { [RCX]: 1, [R11]: 2 }));
  it('pushes RCX, R11, RIP, CS with RPL 0, RFLAGS, RSP and SS below the stack pointer', () => {
    expect(frame(ran.machine, 7)).toEqual([1n, 2n, BigInt(CODE), 0xe030n, 0x202n, BigInt(STACK), 0xe02bn]);
    expect(reg(ran.machine, DOM0, RSP)).toBe(BigInt(STACK - 56));
  });
  it('goes on at the handler, with RCX and R11 as SYSRET leaves them', () => {
    expect(rip(ran.machine, DOM0)).toBe(BigInt(HANDLERS + 6 * 16));
    expect([reg(ran.machine, DOM0, RCX), reg(ran.machine, DOM0, R11)]).toEqual([BigInt(HANDLERS + 96), 0x202n]);
    expect(ran.events).toEqual([{ kind: 'exception', at: DOM0, vector: 6, error: null, address: null }]);
  });
  it('leaves the machine before it as it was', () => expect(rip(guest, DOM0)).toBe(0x200000n));

  it('rounds the stack pointer down to 16 and keeps the old one', () => {
    const odd = run(setRegs(load(guest, DOM0, UD2), DOM0, { [RSP]: STACK - 3 })).machine;
    expect(reg(odd, DOM0, RSP)).toBe(BigInt(STACK - 16 - 56));
    expect(frame(odd, 7)[5]).toBe(BigInt(STACK - 3));
  });
});

describe('a page fault', () => {
  it('has an error code and an address, told in vcpu_info too', () => {
    const { machine, events } = run(load(guest, DOM0, STORE_LOW));
    expect(frame(machine, 8)).toEqual([0n, 0n, 2n, BigInt(CODE), 0xe030n, 0x202n, BigInt(STACK), 0xe02bn]);
    expect([vcpuInfo(machine, DOM0, 'cr2'), events[0]]).toEqual([
      0x10,
      { kind: 'exception', at: DOM0, vector: 14, error: 2, address: '0x10' },
    ]);
  });
  it('says user for user mode', () => {
    const { machine } = run(inUser(load(guest, DOM0, STORE_LOW)));
    expect(frame(machine, 8)[2]).toBe(6n);
    expect(frame(machine, 8)[4]).toBe(0xe033n);
    expect(reg(machine, DOM0, RSP)).toBe(BigInt(KERNEL_STACK - 64));
    expect(vcpuOf(machine, DOM0).mode).toBe('kernel');
  });
  it('says present where Xen keeps itself', () => {
    const { events, clauses } = run(setRegs(load(guest, DOM0, LOAD_RBX), DOM0, { 3: 0xffff830000000000n }));
    expect(events[0]).toMatchObject({ vector: 14, error: 1, address: '0xffff830000000000' });
    expect(clauses).toContain('trap/page_fault-xen_range');
  });
});

describe('the upcall mask', () => {
  const masked = setVcpuInfo(guest, DOM0, 'evtchn_upcall_mask', 0x80);
  it('is saved whole into the CS slot, and makes IF of the frame', () => {
    const { machine } = run(load(masked, DOM0, UD2));
    expect(frame(machine, 5).slice(3)).toEqual([0x000000800000e030n, 0x2n]);
  });
  it('gains bit 0 when the entry asks for it', () => {
    const { machine } = run(load(masked, DOM0, [0xcc]));
    expect(vcpuInfo(machine, DOM0, 'evtchn_upcall_mask')).toBe(0x81);
    expect(rip(machine, DOM0)).toBe(BigInt(HANDLERS + 3 * 16));
  });
});

describe('a pending upcall', () => {
  const pending = setVcpuInfo(guest, DOM0, 'evtchn_upcall_pending', 1);
  it('is delivered after a hypercall, whose result the frame’s RAX already has', () => {
    const { machine, events } = hypercall(pending, DOM0, 'xen_version', 0, 0);
    expect(rip(machine, DOM0)).toBe(BigInt(EVENT_CALLBACK));
    expect(reg(machine, DOM0, RAX)).toBe(0x40011n);
    expect(frame(machine, 3)).toEqual([BigInt(CODE + 2), 0x202n, BigInt(CODE + 2)]);
    expect(vcpuInfo(machine, DOM0, 'evtchn_upcall_mask')).toBe(1);
    expect(events.map(({ kind }) => kind)).toEqual(['hypercall', 'callback']);
  });
  it('nests upon an exception that does not mask events', () => {
    const { machine, kinds } = run(setRegs(load(pending, DOM0, UD2), DOM0, { [RCX]: 7 }));
    expect(kinds).toEqual(['exception', 'callback']);
    // The upper frame interrupts the handler's first instruction; its RCX slot has the interrupted code's RCX still.
    expect(frame(machine, 3)).toEqual([7n, 0n, BigInt(HANDLERS + 96)]);
  });
  it('waits when nothing enters Xen', () => expect(run(load(pending, DOM0, [0x90])).kinds).toEqual([]));
  it('waits while the mask has any bit', () =>
    expect(hypercall(setVcpuInfo(pending, DOM0, 'evtchn_upcall_mask', 0x80), DOM0, 'xen_version', 0, 0).kinds).toEqual(['hypercall']));
  it('without a callback ends the domain', () => {
    const lost = updateVcpu(pending, DOM0, { callbacks: { ...vcpuOf(pending, DOM0).callbacks, event: ZERO } });
    expect(hypercall(lost, DOM0, 'xen_version', 0, 0).events.slice(1, 3)).toEqual([
      { kind: 'crash', domid: 0, why: 'bounce-no-handler' },
      { kind: 'shutdown', domid: 0, reason: 3 },
    ]);
  });
});

describe('a frame that cannot be stored ends the domain', () => {
  it.each([
    ['stack not mapped', 0x10000000n, 'trap/frame-fault'],
    ['stack pointer zero', 0n, 'trap/frame-fault'],
    ['stack in Xen’s range', 0xffff800000001000n, 'trap/frame-xen_range'],
    ['stack just above Xen’s range', 0xffff880000000030n, 'trap/frame-xen_range'],
  ])('%s', (_, sp, clause) => {
    const { events, clauses, machine } = run(setRegs(load(guest, DOM0, UD2), DOM0, { [RSP]: sp }));
    expect(events[0]).toEqual({ kind: 'crash', domid: 0, why: 'bounce-frame-fault' });
    expect(clauses).toContain(clause);
    expect(machine.halted).toBe(3);
  });
});

describe('SYSCALL from user mode', () => {
  it('calls the callback on the kernel stack', () => {
    const { machine, events } = run(inUser(setRegs(load(guest, DOM0, SYSCALL), DOM0, { [RAX]: 99 })));
    expect(rip(machine, DOM0)).toBe(BigInt(SYSCALL_CALLBACK));
    expect(frame(machine, 4)).toEqual([BigInt(CODE + 2), 0x202n, BigInt(CODE + 2), 0xe033n]);
    expect(reg(machine, DOM0, RAX)).toBe(99n);
    expect(events).toEqual([{ kind: 'callback', at: DOM0, which: 'syscall' }]);
  });
  it('has its flags cut by the stack pointer, as 4.17.7 does it', () => {
    const user = inUser(load(guest, DOM0, SYSCALL));
    const flagged = updateVcpu(user, DOM0, { cpu: { ...vcpuOf(user, DOM0).cpu, flags: 0x240ed7 }, kernelSp: wordOf(0x221000) });
    const { machine } = run(flagged);
    expect([reg(machine, DOM0, R11), vcpuOf(machine, DOM0).cpu.flags]).toEqual([0x200ec0n, 0x200ec2]);
  });
  it('is #UD at the instruction without a callback', () => {
    const none = updateVcpu(guest, DOM0, { callbacks: { ...vcpuOf(guest, DOM0).callbacks, syscall: ZERO } });
    const { machine, events } = run(inUser(load(none, DOM0, SYSCALL)));
    expect(events[0]).toMatchObject({ kind: 'exception', vector: 6 });
    expect(frame(machine, 3)[2]).toBe(BigInt(CODE));
  });
});

describe('INT n', () => {
  const int = (n: number): readonly number[] => [0xcd, n];
  it('0x80 goes to its handler, RIP behind it', () => {
    const { machine, events } = run(load(guest, DOM0, int(0x80)));
    expect(events[0]).toEqual({ kind: 'exception', at: DOM0, vector: 0x80, error: null, address: null });
    expect(frame(machine, 3)[2]).toBe(BigInt(CODE + 2));
  });
  it('0x80 is #GP without a handler, where INT1 ends the domain', () => {
    const without = (vector: number) =>
      updateVcpu(guest, DOM0, { traps: vcpuOf(guest, DOM0).traps.with(vector, { flags: 0, cs: 0, address: ZERO }) });
    expect(run(load(without(0x80), DOM0, int(0x80))).events[0]).toMatchObject({ vector: 13, error: 0x80 * 8 + 2 });
    expect(run(load(without(1), DOM0, [0xf1])).events[0]).toEqual({ kind: 'crash', domid: 0, why: 'bounce-no-handler' });
  });
  it('n goes to its handler when the entry’s level allows', () =>
    expect(run(load(guest, DOM0, int(0x21))).events[0]).toMatchObject({ vector: 0x21, error: null }));
  it('n is #GP with the gate’s number when it does not', () => {
    const closed = updateVcpu(guest, DOM0, {
      traps: vcpuOf(guest, DOM0).traps.with(0x21, { flags: 0, cs: 0xe033, address: wordOf(HANDLERS) }),
    });
    expect(run(load(closed, DOM0, int(0x21))).events[0]).toMatchObject({ vector: 13, error: 0x21 * 8 + 2 });
  });
});

describe('the iret hypercall', () => {
  const FRAME = { KERNEL: 0xe030, USER: 0xe033 };
  const iret = (cs: number, flags: number, rflags: number, target = CODE + 0x100, ss = 0xe02b) => {
    const at = setRegs(load(pokeWords(guest, DOM0, [11, 22, 33, flags, target, cs, rflags, STACK - 64, ss]), DOM0, SYSCALL), DOM0, {
      [RAX]: 23,
      [RSP]: ARGUMENTS,
    });
    return run(at);
  };
  it('restores registers, flags and the mask, and stays in the kernel', () => {
    const { machine, events } = iret(FRAME.KERNEL, 0, 0x3046);
    expect([RAX, R11, RCX, RSP].map((r) => reg(machine, DOM0, r))).toEqual([11n, 22n, 33n, BigInt(STACK - 64)]);
    expect([rip(machine, DOM0), vcpuOf(machine, DOM0).mode, vcpuOf(machine, DOM0).cpu.flags]).toEqual([
      BigInt(CODE + 0x100),
      'kernel',
      0x246,
    ]);
    expect(vcpuInfo(machine, DOM0, 'evtchn_upcall_mask')).toBe(1);
    expect(events).toEqual([{ kind: 'hypercall', at: DOM0, call: 'iret', args: [], result: null, depth: 0 }]);
  });
  it('goes to user mode by RPL 3', () => expect(vcpuOf(iret(FRAME.USER, 0, 0x202).machine, DOM0).mode).toBe('user'));
  it('with in_syscall leaves RIP and RFLAGS in RCX and R11, and no selector matters', () => {
    const { machine } = iret(0x1230, 0x100, 0x202);
    expect([reg(machine, DOM0, RCX), reg(machine, DOM0, R11), vcpuOf(machine, DOM0).cpu.segments.selectors[1]]).toEqual([
      BigInt(CODE + 0x100),
      0x202n,
      0xe033,
    ]);
  });
  it('to a bad selector is #GP at the target', () => {
    const { machine, events } = iret(0x1233, 0, 0x202);
    expect(events[1]).toMatchObject({ kind: 'exception', vector: 13, error: 0x1230 });
    expect(frame(machine, 4)[3]).toBe(BigInt(CODE + 0x100));
  });
  it('to an address that is not canonical is #GP(0)', () =>
    expect(iret(FRAME.KERNEL, 0, 0x202, 0x8000_0000_0000).events[1]).toMatchObject({ vector: 13, error: 0 }));
  it('without user page tables ends the domain', () => {
    const bare = updateVcpu(guest, DOM0, { userTable: 0 });
    const at = setRegs(load(pokeWords(bare, DOM0, [0, 0, 0, 0, CODE, 0xe033, 0x202, STACK, 0xe02b]), DOM0, SYSCALL), DOM0, {
      [RAX]: 23,
      [RSP]: ARGUMENTS,
    });
    expect(run(at).events[1]).toEqual({ kind: 'crash', domid: 0, why: 'iret-no-user-table' });
  });
  it('from a frame that cannot be read ends the domain', () =>
    expect(run(setRegs(load(guest, DOM0, SYSCALL), DOM0, { [RAX]: 23, [RSP]: 0x10000000 })).events[1]).toEqual({
      kind: 'crash',
      domid: 0,
      why: 'iret-frame',
    }));
});

describe('emulation', () => {
  it('shows MTRR to domain 0’s kernel alone, and OSXSAVE to user mode by CR4', () => {
    const told = (machine: Machine): readonly [boolean, boolean] => {
      const asked = run(setRegs(load(machine, DOM0, [0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2]), DOM0, { [RAX]: 1 })).machine;
      return [(reg(asked, DOM0, 2) & (1n << 12n)) !== 0n, (reg(asked, DOM0, 1) & (1n << 27n)) !== 0n];
    };
    expect(told(guest)).toEqual([true, true]);
    expect(told(toggleMode(guest, DOM0))).toEqual([false, false]);
  });
  it('answers CPUID behind Xen’s prefix, and keeps RCX and R11 of the way back', () => {
    const { machine, events } = run(
      setRegs(load(guest, DOM0, [0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2]), DOM0, { [RAX]: 0x40000000, [R11]: 5 }),
    );
    expect(reg(machine, DOM0, 3)).toBe(0x566e6558n);
    expect([rip(machine, DOM0), reg(machine, DOM0, R11), events[0]]).toEqual([
      BigInt(CODE + 7),
      5n,
      { kind: 'emulated', at: DOM0, instruction: 'cpuid' },
    ]);
  });
  it.each([
    ['mov %cr0,%rax', [0x0f, 0x20, 0xc0], 0x80050033n],
    ['mov %cr4,%rax', [0x0f, 0x20, 0xe0], 0x660n],
    ['mov %dr7,%rax', [0x0f, 0x21, 0xf8], 0x400n],
  ])('%s', (_, code, value) => {
    const { machine, kinds } = run(load(guest, DOM0, code));
    expect([reg(machine, DOM0, RAX), kinds]).toEqual([value, ['emulated']]);
  });
  it.each([
    ['hlt', [0xf4]],
    ['cli without IOPL', [0xfa]],
    ['mov %cr8,%rax', [0x44, 0x0f, 0x20, 0xc0]],
  ])('%s stays #GP(0)', (_, code) =>
    expect(run(load(guest, DOM0, code)).events[0]).toMatchObject({ kind: 'exception', vector: 13, error: 0 }),
  );
  it('lets cli do nothing with the assist architectural_iopl', () => {
    const { machine, kinds } = run(load(updateDomain(guest, 0, { vmAssist: 16n }), DOM0, [0xfa]));
    expect([kinds, vcpuInfo(machine, DOM0, 'evtchn_upcall_mask')]).toEqual([['emulated'], 0]);
  });
  it('carries nothing out for user mode', () =>
    expect(run(inUser(load(guest, DOM0, [0x0f, 0x20, 0xc0]))).events[0]).toMatchObject({ vector: 13, error: 0 }));
});

describe('single steps', () => {
  it('trap behind the instruction and say so in DR6', () => {
    const at = load(guest, DOM0, [0x90]);
    const { machine, events } = run(updateVcpu(at, DOM0, { cpu: { ...vcpuOf(at, DOM0).cpu, flags: 0x302 } }));
    expect(events[0]).toMatchObject({ vector: 1, error: null });
    expect([frame(machine, 5)[2], frame(machine, 5)[4]]).toEqual([BigInt(CODE + 1), 0x302n]);
    expect(vcpuOf(machine, DOM0).dr[4].lo >>> 0).toBe(0xffff4ff0);
  });
});
