import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { CS, DS, ES, FS, RAX, RCX, RSP, SS } from './cpu/x86/state.ts';
import { setLdtOf } from './descriptor_tables.ts';
import { frame, updateVcpu, vcpuOf } from './lens.ts';
import type { Machine } from './machine.ts';
import { readWord } from './memory/memory.ts';
import { HANDLERS, preparedGuest, SYSCALL_CALLBACK } from './testing/fresh.ts';
import { DOM0, frameAt, POOL, peek64, poke, pokeWords, remap } from './testing/guest.ts';
import { apply, CODE, hypercall, load, reg, rip, run, setRegs, wordOf } from './testing/step.ts';
import { toBigInt } from './word/word.ts';

const guest = preparedGuest(ONE_PAGE_KERNEL);
const GDT = POOL + 0x1000;
const LDT = POOL + 0x2000;
const LIST = POOL + 0x3000;
const CODE32 = 0x00cffa000000ffffn;
/** 64 KiB at CODE. */
const CODE16 = 0x0000fa3e0000ffffn;
/** 0x1000 bytes at 0x303000. */
const SMALL = 0x0040f23030000fffn;
const ABSENT = 0x00cf72000000ffffn;

const descriptors = (machine: Machine, at: number, list: readonly bigint[]): Machine =>
  poke(machine, DOM0, at, new Uint8Array(new BigUint64Array(list).buffer));
/** A global table with selectors 0x0b 32-bit code, 0x13 16-bit code, 0x1b small data, 0x23 absent data. */
const withGdt = (): Machine => {
  const filled = descriptors(guest, GDT, [0n, CODE32, CODE16, SMALL, ABSENT]);
  const listed = descriptors(remap(filled, DOM0, GDT, 0n).machine, LIST, [BigInt(frameAt(guest, DOM0, GDT))]);
  return hypercall(listed, DOM0, 'set_gdt', LIST, 5).machine;
};
const ready = withGdt();
const selectorsOf = (machine: Machine) => vcpuOf(machine, DOM0).cpu.segments.selectors;
const loadFs = (machine: Machine, selector: number) => run(setRegs(load(machine, DOM0, [0x8e, 0xe1]), DOM0, { [RCX]: selector }));

describe('a load from the guest’s own table', () => {
  it('takes base, limit and rights, and marks the descriptor as accessed', () => {
    const { machine, clauses } = loadFs(ready, 0x1b);
    const { segments } = vcpuOf(machine, DOM0).cpu;
    expect([toBigInt(segments.fsBase), segments.hidden[FS].limit, segments.selectors[FS]]).toEqual([0x303000n, 0xfff, 0x1b]);
    expect(clauses).toContain('x86/descriptor-accessed');
    expect(toBigInt(readWord(machine.memory, frameAt(guest, DOM0, GDT), 3))).toBe(SMALL | (1n << 40n));
  });

  it('reads zeros where no frame is, and what lies behind the entries that count', () => {
    const faultOf = (selector: number) => loadFs(ready, selector).events.find(({ kind }) => kind === 'exception');
    expect(faultOf(0x1003)).toMatchObject({ vector: 13, error: 0x1000 });
    expect(faultOf(0x23)).toMatchObject({ vector: 11, error: 0x20 });
    expect(faultOf(0xf000)).toMatchObject({ vector: 13, error: 0xf000 });
    const fewer = updateVcpu(ready, DOM0, { tables: { ...vcpuOf(ready, DOM0).tables, gdtEntries: 1 } });
    expect(loadFs(fewer, 0x1b).events).toEqual([]);
  });
});

describe('the local table', () => {
  const local = setLdtOf(descriptors(guest, LDT, [0n, CODE32, SMALL]), DOM0, wordOf(LDT), 3);
  const readOnly = remap(local, DOM0, LDT, (BigInt(frameAt(guest, DOM0, LDT)) << 12n) | 0x65n).machine;

  it('is mapped when it is needed, in the same step, and keeps its page from being written', () => {
    const { machine, clauses } = loadFs(readOnly, 0x17);
    expect([selectorsOf(machine)[FS], machine.retired - readOnly.retired]).toEqual([0x17, 1]);
    expect(clauses).toContain('descriptor/ldt-mapped');
    expect(frame(machine, frameAt(guest, DOM0, LDT))).toMatchObject({ type: 'seg_desc', typeRefs: 1 });
    expect(remap(machine, DOM0, LDT, (BigInt(frameAt(guest, DOM0, LDT)) << 12n) | 0x67n).rc).toBe(-16);
  });

  it('faults at the descriptor when its page cannot be mapped', () => {
    const { events, machine } = loadFs(local, 0x17);
    expect(events.at(-1)).toMatchObject({ vector: 14, error: 0, address: `0x${(LDT + 16).toString(16)}` });
    expect(machine.retired - local.retired).toBe(1);
    expect(loadFs(readOnly, 0x1f).events.at(-1)).toMatchObject({ vector: 13, error: 0x1c });
    const beyond = setLdtOf(guest, DOM0, wordOf(0x7ffffffff000n), 1024);
    expect(loadFs(beyond, 0x1007).events.at(-1)).toMatchObject({ vector: 13, error: 0x1004 });
  });
});

describe('32-bit code', () => {
  /** A far jump through [RCX] to `selector`, at what follows it. */
  const into = (machine: Machine, selector: number, code: readonly number[], base = 0): Machine => {
    const jump = [0xff, 0x29];
    const pointed = pokeWords(machine, DOM0, [(BigInt(selector) << 32n) | BigInt(CODE + jump.length - base)]);
    return setRegs(load(pointed, DOM0, [...jump, ...code]), DOM0, { [RCX]: 0x3f0000 });
  };

  it('runs in a segment of the guest’s, and as 16-bit code', () => {
    const ran = run(into(ready, 0x0b, [0x40, 0x8c, 0xc8]), 3).machine; // inc eax; mov eax,cs
    expect([reg(ran, DOM0, RAX), vcpuOf(ran, DOM0).cpu.system.mode]).toEqual([0x0bn, 'compat32']);
    expect(vcpuOf(run(into(ready, 0x13, [0x90], CODE)).machine, DOM0).cpu.system.mode).toBe('compat16');
  });

  it('asks segments for their limits', () => {
    const ended = (offset: number) =>
      run(into(ready, 0x0b, [0xb8, 0x1b, 0, 0, 0, 0x8e, 0xd8, 0xa1, offset & 255, offset >> 8, 0, 0]), 4).events.at(-1);
    expect(ended(0xffc)).toBeUndefined();
    expect(ended(0xffd)).toMatchObject({ kind: 'exception', vector: 13, error: 0 });
  });

  it('gets handlers in 64-bit code, and goes back by iret', () => {
    const struck = run(into(ready, 0x0b, [0xcd, 0x80]), 2).machine; // int 0x80
    expect([rip(struck, DOM0), selectorsOf(struck)[CS]]).toEqual([BigInt(HANDLERS + 0x80 * 16), 0xe033]);
    const sp = Number(reg(struck, DOM0, RSP));
    expect(peek64(struck, DOM0, sp + 24) & 0xffffn).toBe(0x08n);
    const frameAtSp = pokeWords(struck, DOM0, [7, 0, 0, 0, CODE + 2, 0x08, 0x202, sp + 64, 0xe028]);
    const back = run(setRegs(load(frameAtSp, DOM0, [0x0f, 0x05]), DOM0, { [RAX]: 23, [RSP]: 0x3f0000 })).machine;
    expect([selectorsOf(back)[CS], selectorsOf(back)[SS], reg(back, DOM0, RAX), rip(back, DOM0)]).toEqual([
      0x0b,
      0xe02b,
      7n,
      BigInt(CODE + 2),
    ]);
  });

  it('calls Xen’s other SYSCALL entry, whose callback is another', () => {
    const none = run(into(ready, 0xe023, [0x0f, 0x05]), 2);
    expect(none.events.at(-1)).toMatchObject({ kind: 'exception', vector: 6 });
    const { callbacks } = vcpuOf(ready, DOM0);
    const registered = updateVcpu(ready, DOM0, { callbacks: { ...callbacks, syscall32: callbacks.syscall } });
    const called = run(into(registered, 0x0b, [0x0f, 0x05]), 2);
    expect([rip(called.machine, DOM0), called.clauses.includes('trap/syscall-compat')]).toEqual([BigInt(SYSCALL_CALLBACK), true]);
    expect(peek64(called.machine, DOM0, Number(reg(called.machine, DOM0, RSP)) + 24) & 0xffffn).toBe(0xe020n);
  });
});

describe('a return that cannot be', () => {
  const iretTo = (cs: number, ss: number, target: number | bigint = CODE) => {
    const framed = pokeWords(ready, DOM0, [0, 0, 0, 0, target, cs, 0x202, 0x3c0000, ss]);
    return run(setRegs(load(framed, DOM0, [0x0f, 0x05]), DOM0, { [RAX]: 23, [RSP]: 0x3f0000 }));
  };
  it.each([
    ['no code', 0x18, 0xe028, 13, 0x18],
    ['a null CS', 0, 0xe028, 13, 0],
    ['a null SS', 0x08, 0, 13, 0],
    ['an SS that is not present', 0x08, 0x20, 12, 0x20],
    ['an SS that is code', 0xe030, 0x08, 13, 0x08],
  ])('is a fault there: %s', (_, cs, ss, vector, error) => {
    expect(iretTo(cs, ss).events.at(-1)).toMatchObject({ kind: 'exception', vector, error });
  });
  it('and a target behind the segment’s limit too', () => {
    expect(iretTo(0x10, 0xe028, 0x10000).events.at(-1)).toMatchObject({ vector: 13, error: 0 });
  });
});

describe('a vCPU that gets a pCPU after another', () => {
  const VCPU1 = { domid: 0, vcpu: 1 };
  const second = (machine: Machine): Machine =>
    updateVcpu(machine, VCPU1, {
      initialised: true,
      online: true,
      runstate: { ...vcpuOf(machine, VCPU1).runstate, state: 'runnable' },
      kernelTable: vcpuOf(machine, DOM0).kernelTable,
      cpu: { ...vcpuOf(machine, DOM0).cpu },
    });
  const loaded = loadFs(ready, 0x1b).machine;
  const away = apply(second(loaded), { kind: 'schedule', cpu: 0, vcpu: VCPU1 }).machine;
  const spoil = (machine: Machine): Machine =>
    hypercall(machine, VCPU1, 'update_descriptor', frameAt(guest, DOM0, GDT) * 4096 + 24, ABSENT).machine;
  const failsafe = wordOf(HANDLERS + 0x1100);
  const registered = (machine: Machine): Machine =>
    updateVcpu(machine, DOM0, { callbacks: { ...vcpuOf(machine, DOM0).callbacks, failsafe } });

  it('loads its segments anew, and keeps the base of FS', () => {
    const { machine, clauses } = apply(away, { kind: 'schedule', cpu: 0, vcpu: DOM0 });
    expect([selectorsOf(machine)[FS], toBigInt(vcpuOf(machine, DOM0).cpu.segments.fsBase)]).toEqual([0x1b, 0x303000n]);
    expect(clauses).toContain('descriptor/switch-reload');
  });

  it('goes to its failsafe callback when one cannot be loaded', () => {
    const { machine, events } = apply(spoil(registered(away)), { kind: 'schedule', cpu: 0, vcpu: DOM0 });
    expect(events).toContainEqual({ kind: 'callback', at: DOM0, which: 'failsafe' });
    expect([selectorsOf(machine)[FS], rip(machine, DOM0)]).toEqual([0, toBigInt(failsafe)]);
    const sp = Number(reg(machine, DOM0, RSP));
    const words = Array.from({ length: 11 }, (_, k) => peek64(machine, DOM0, sp + 8 * k));
    const before = selectorsOf(away);
    expect(words.slice(2, 6)).toEqual([DS, ES, FS].map((n) => BigInt(before[n])).concat(0n));
    expect(words[7] & 0xffffn).toBe(0xe030n);
  });

  it('has everything still when nobody ran meanwhile', () => {
    const idle = apply(registered(loaded), { kind: 'schedule', cpu: 0, vcpu: null }).machine;
    const stale = { ...idle, cpus: [{ current: null, loaded: DOM0 }] };
    expect(apply(stale, { kind: 'schedule', cpu: 0, vcpu: DOM0 }).clauses).not.toContain('descriptor/switch-reload');
  });
});
