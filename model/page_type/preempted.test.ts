import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { RAX, RDI, RSI, RSP } from '../cpu/x86/state.ts';
import { EMPTY_JOURNAL } from '../journal.ts';
import { frame, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { EVENT_CALLBACK, preparedGuest } from '../testing/fresh.ts';
import { ARGUMENTS, call, DOM0, DOM1, frameAt, mmuext, mmuUpdate, POOL, peek64, pokeWords, remap, SELF } from '../testing/guest.ts';
import { CODE, hypercall, load, reg, rip, run, setRegs, wordOf } from '../testing/step.ts';
import { setVcpuInfo } from '../vcpu_info.ts';

const fresh = preparedGuest(ONE_PAGE_KERNEL);
const page = (n: number): number => frameAt(fresh, DOM0, POOL + n * 4096);
const pte = (mfn: number, flags: number): bigint => (BigInt(mfn) << 12n) | BigInt(flags);
const [L1, L2, L3, L4] = [page(1), page(2), page(3), page(4)];

/** Four pages that no mapping can write, and that name each other as a tree of tables. */
const tree = ((): Machine => {
  const loose = [1, 2, 3, 4].reduce((m, n) => remap(m, DOM0, POOL + n * 4096, 0).machine, fresh);
  const { machine } = mmuUpdate(loose, DOM0, [
    [pte(L2, 8), pte(L1, 0x27)],
    [pte(L3, 0), pte(L2, 0x27)],
    [pte(L4, 8), pte(L3, 0x27)],
  ]);
  return { ...machine, journal: EMPTY_JOURNAL };
})();
const due = (m: Machine): Machine => setVcpuInfo(m, DOM0, 'evtchn_upcall_pending', 1);
const quiet = (m: Machine): Machine => setVcpuInfo(m, DOM0, 'evtchn_upcall_pending', 0);
const PIN = { l2: 1, l3: 2, l4: 3, unpin: 4 } as const;

/** One SYSCALL with one operation. */
const ext = (machine: Machine, cmd: number, mfn: number) =>
  hypercall(pokeWords(machine, DOM0, [cmd, mfn, 0]), DOM0, 'mmuext_op', ARGUMENTS, 1, 0, SELF);
const state = (m: Machine, mfn: number) => {
  const { refs, typeRefs, validated, partial } = frame(m, mfn)!;
  return { refs, typeRefs, validated, partial };
};

describe('validation while an upcall is due', () => {
  const once = ext(due(tree), PIN.l2, L2);
  it('stops after its first slot, and the call comes again behind the upcall', () => {
    expect(once.events.map(({ kind }) => kind)).toEqual(['hypercall', 'callback']);
    expect(once.events[0]).toMatchObject({ result: null });
    expect(state(once.machine, L2)).toEqual({ refs: 2, typeRefs: 1, validated: false, partial: { entries: 1, nested: false } });
    expect(frame(once.machine, L1)).toMatchObject({ refs: 1, typeRefs: 0 });
    expect(rip(once.machine, DOM0)).toBe(BigInt(EVENT_CALLBACK));
    expect([reg(once.machine, DOM0, RAX), reg(once.machine, DOM0, RDI), reg(once.machine, DOM0, RSI)]).toEqual([
      26n,
      BigInt(ARGUMENTS),
      0x80000001n,
    ]);
  });
  it('stops tables above at the entry for the one that stopped', () => {
    const { machine } = ext(due(tree), PIN.l4, L4);
    expect(state(machine, L2).partial).toEqual({ entries: 1, nested: false });
    expect(state(machine, L3)).toEqual({ refs: 3, typeRefs: 1, validated: false, partial: { entries: 0, nested: true } });
    expect(state(machine, L4)).toEqual({ refs: 2, typeRefs: 1, validated: false, partial: { entries: 1, nested: true } });
  });
  it('goes on later, and has done the same then', () => {
    const later = mmuext(quiet(ext(due(tree), PIN.l4, L4).machine), DOM0, 'pin_l4_table', L4).machine;
    const plain = mmuext(tree, DOM0, 'pin_l4_table', L4).machine;
    for (const mfn of [L1, L2, L3, L4]) expect(state(later, mfn)).toEqual(state(plain, mfn));
  });
  it('leaves a table that cannot be changed meanwhile', () =>
    expect(mmuUpdate(quiet(once.machine), DOM0, [[pte(L2, 16), 0]]).rc).toBe(-22));
});

describe('a tree with a level 2 table that is refused behind its first entry', () => {
  const bad = mmuUpdate(tree, DOM0, [[pte(L2, 16), pte(L1, 0xa7)]]).machine;
  const pinned = (m: Machine): Machine => {
    const { machine, rc } = mmuext(m, DOM0, 'pin_l4_table', L4);
    expect([rc, vcpuOf(machine, DOM0).oldGuestTable]).toEqual([-22, null]);
    return machine;
  };
  const UNUSED = { owner: 0, type: 'none', refs: 1, typeRefs: 0 };
  it('loses that table when level 3 is refused at its first entry and level 4 at a later one', () => {
    const machine = pinned(bad);
    expect(state(machine, L2)).toEqual({ refs: 3, typeRefs: 1, validated: false, partial: { entries: 2, nested: false } });
    expect(frame(machine, L3)).toMatchObject(UNUSED);
    expect(state(machine, L4)).toMatchObject({ refs: 1, typeRefs: 0 });
  });
  it('gives it all back when level 3 is refused behind its first entry too', () => {
    const moved: [bigint, bigint][] = [
      [pte(L3, 0), 0n],
      [pte(L3, 8), pte(L2, 0x27)],
    ];
    const machine = pinned(mmuUpdate(bad, DOM0, moved).machine);
    for (const mfn of [L1, L2, L3, L4]) expect(state(machine, mfn)).toMatchObject({ refs: 1, typeRefs: 0 });
  });
  it('gives it all back when levels 3 and 4 are refused at their first entries', () => {
    const moved: [bigint, bigint][] = [
      [pte(L4, 8), 0n],
      [pte(L4, 0), pte(L3, 0x27)],
    ];
    const machine = pinned(mmuUpdate(bad, DOM0, moved).machine);
    for (const mfn of [L1, L2, L3, L4]) expect(state(machine, mfn)).toMatchObject({ refs: 1, typeRefs: 0 });
  });
});

describe('the end of a table while an upcall is due', () => {
  const pinned = mmuext(tree, DOM0, 'pin_l2_table', L2).machine;
  it('stops after the last slot, and waits for the vCPU that did it', () => {
    const { machine } = ext(due(pinned), PIN.unpin, L2);
    expect(state(machine, L2)).toEqual({ refs: 3, typeRefs: 1, validated: false, partial: { entries: 511, nested: false } });
    expect(vcpuOf(machine, DOM0).oldGuestTable).toEqual({ mfn: L2, table: null, partial: true });
    const other = call(machine, DOM1, 'mmuext_op', ARGUMENTS, 0, 0, SELF).machine;
    expect(vcpuOf(other, DOM0).oldGuestTable).not.toBe(null);
    const over = call(quiet(machine), DOM0, 'mmuext_op', ARGUMENTS, 0, 0, SELF).machine;
    expect(state(over, L2)).toMatchObject({ refs: 1, typeRefs: 0 });
    expect(state(over, L1)).toMatchObject({ refs: 1, typeRefs: 0 });
  });
});

describe('MOV to CR3 while an upcall is due', () => {
  it('is not done before the upcall', () => {
    const { kernelTable } = vcpuOf(tree, DOM0);
    const ready = setRegs(load(due(tree), DOM0, [0x0f, 0x22, 0xd8]), DOM0, { [RAX]: BigInt(L4) << 12n });
    const { machine, kinds } = run(ready);
    expect(kinds).toEqual(['callback']);
    expect([vcpuOf(machine, DOM0).kernelTable, state(machine, L4).partial]).toEqual([kernelTable, { entries: 1, nested: true }]);
    expect(vcpuOf(machine, DOM0).cpu.rip).toEqual(wordOf(EVENT_CALLBACK));
    // RIP in the upcall's frame, behind RCX and R11.
    expect(peek64(machine, DOM0, Number(reg(machine, DOM0, RSP)) + 16)).toBe(BigInt(CODE));
  });
  it('keeps what a refused table did on the way', () => {
    const bad = mmuUpdate(tree, DOM0, [[pte(L4, 16), pte(L4, 0xa7)]]).machine;
    const ready = setRegs(load({ ...bad, journal: EMPTY_JOURNAL }, DOM0, [0x0f, 0x22, 0xd8]), DOM0, { [RAX]: BigInt(L4) << 12n });
    const { machine, events } = run(ready);
    expect(events).toMatchObject([{ kind: 'exception', vector: 13, error: 0 }]);
    expect(vcpuOf(machine, DOM0).oldGuestTable).toEqual({ mfn: L4, table: null, partial: true });
    expect(state(machine, L4)).toEqual({ refs: 3, typeRefs: 1, validated: false, partial: { entries: 2, nested: false } });
  });
});
