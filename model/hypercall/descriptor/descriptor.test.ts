import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { frame, updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { readWord } from '../../memory/memory.ts';
import { accepted } from '../../page_type/descriptors.ts';
import { miscounted } from '../../testing/census.ts';
import { preparedGuest } from '../../testing/fresh.ts';
import { DOM0, frameAt, mmuext, POOL, poke, remap } from '../../testing/guest.ts';
import { hypercall } from '../../testing/step.ts';
import { equal, fromBigInt, toBigInt } from '../../word/word.ts';

const guest = updateVcpu(preparedGuest(ONE_PAGE_KERNEL), DOM0, { userTable: 0 });
const LIST = POOL;
/** Pages that the test turns into tables. */
const page = (n: number): number => POOL + n * 4096;
const mfnOf = (n: number): number => frameAt(guest, DOM0, page(n));
const bytes = (words: readonly bigint[]): Uint8Array => new Uint8Array(new BigUint64Array(words.map((w) => BigInt.asUintN(64, w))).buffer);

const CODE32 = 0x00cf9a000000ffffn;
const TASK = 0x0000890000000067n;
/** Descriptors in page `n`, which is then no longer mapped. */
const table = (machine: Machine, n: number, descriptors: readonly bigint[]): Machine =>
  remap(poke(machine, DOM0, page(n), bytes(descriptors)), DOM0, page(n), 0n).machine;
const setGdt = (machine: Machine, frames: readonly number[], entries: number) =>
  hypercall(poke(machine, DOM0, LIST, bytes(frames.map(BigInt))), DOM0, 'set_gdt', LIST, entries);
const entry = (machine: Machine, n: number, index: number): bigint => toBigInt(readWord(machine.memory, mfnOf(n), index));

describe('set_gdt', () => {
  it('takes frames as descriptor pages, adjusts them, and gives the old ones back', () => {
    const first = setGdt(table(table(guest, 1, [0n, CODE32]), 2, []), [mfnOf(1)], 512);
    expect([first.rc, frame(first.machine, mfnOf(1))!.type, entry(first.machine, 1, 1)]).toEqual([0, 'seg_desc', CODE32 | (3n << 45n)]);
    const second = setGdt(first.machine, [mfnOf(2), mfnOf(2)], 513);
    expect([second.rc, frame(second.machine, mfnOf(1))!.typeRefs, frame(second.machine, mfnOf(2))!.typeRefs]).toEqual([0, 0, 2]);
    expect(miscounted(second.machine)).toEqual([]);
    expect(vcpuOf(setGdt(second.machine, [], 0).machine, DOM0).tables.gdtFrames).toEqual([]);
  });

  it('refuses in this order: the count, the list, the frames; and changes nothing then', () => {
    expect(hypercall(guest, DOM0, 'set_gdt', 1, 7169).rc).toBe(-22);
    expect(hypercall(guest, DOM0, 'set_gdt', 1, 7168).rc).toBe(-14);
    expect(hypercall(guest, DOM0, 'set_gdt', 1, 0).rc).toBe(0);
    const ready = table(table(guest, 1, [CODE32]), 2, [CODE32, TASK]);
    for (const frames of [
      [mfnOf(1), mfnOf(2)],
      [mfnOf(1), mfnOf(3)],
      [mfnOf(1), 2 ** 40],
      [mfnOf(1), vcpuOf(guest, DOM0).kernelTable],
    ]) {
      const { rc, machine } = setGdt(ready, frames, 1024);
      expect([rc, vcpuOf(machine, DOM0).tables.gdtFrames, miscounted(machine)]).toEqual([-22, [], []]);
    }
  });

  it('keeps pages from being mapped writable', () => {
    const { machine } = setGdt(table(guest, 1, []), [mfnOf(1)], 1);
    expect(remap(machine, DOM0, page(1), (BigInt(mfnOf(1)) << 12n) | 0x67n).rc).toBe(-16);
    expect(remap(machine, DOM0, page(1), (BigInt(mfnOf(1)) << 12n) | 0x65n).rc).toBe(0);
    const released = setGdt(machine, [], 0).machine;
    expect(remap(released, DOM0, page(1), (BigInt(mfnOf(1)) << 12n) | 0x67n).rc).toBe(0);
  });
});

describe('update_descriptor', () => {
  const update = (machine: Machine, address: number, descriptor: bigint) =>
    hypercall(machine, DOM0, 'update_descriptor', address, descriptor);

  it('writes a descriptor into a table and anywhere else that is writable', () => {
    const { machine } = setGdt(table(guest, 1, []), [mfnOf(1)], 1);
    const inTable = update(machine, mfnOf(1) * 4096 + 24, CODE32);
    expect([inTable.rc, entry(inTable.machine, 1, 3)]).toEqual([0, CODE32 | (3n << 45n)]);
    const elsewhere = update(machine, mfnOf(3) * 4096, CODE32);
    expect([elsewhere.rc, entry(elsewhere.machine, 3, 0)]).toEqual([0, CODE32 | (3n << 45n)]);
    expect(miscounted(elsewhere.machine)).toEqual([]);
  });

  it('refuses what Xen does not accept, and frames that are not to be had', () => {
    expect(update(guest, mfnOf(3) * 4096 + 4, CODE32).rc).toBe(-22);
    expect(update(guest, mfnOf(3) * 4096, TASK).rc).toBe(-22);
    expect(update(guest, 0x7000, CODE32).rc).toBe(-22);
    expect(update(guest, vcpuOf(guest, DOM0).kernelTable * 4096, CODE32).rc).toBe(-22);
  });
});

describe('the local table', () => {
  it('is noted, and changes nothing when it is the same', () => {
    const set = mmuext(guest, DOM0, 'set_ldt', page(1), 512);
    expect([set.rc, toBigInt(vcpuOf(set.machine, DOM0).tables.ldtBase)]).toEqual([0, BigInt(page(1))]);
    expect(mmuext(set.machine, DOM0, 'set_ldt', page(1), 512).clauses).toContain('mmu/set_ldt-same');
    expect(vcpuOf(mmuext(set.machine, DOM0, 'set_ldt', 5, 0).machine, DOM0).tables.ldtEntries).toBe(0);
    for (const [base, entries] of [
      [page(1) + 8, 1],
      [page(1), 8193],
      [0xffff800000000000n, 1],
    ] as const)
      expect(mmuext(guest, DOM0, 'set_ldt', base, entries).rc).toBe(-22);
  });
});

describe('what Xen accepts', () => {
  const descriptor = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((d) => (d & ~(0xffn << 32n)) | (0x8cn << 40n)),
  );

  it('stays as it is the second time, and never lets ring 3 through a gate or onto a system segment', () => {
    fc.assert(
      fc.property(descriptor, (d) => {
        const once = accepted(fromBigInt(d));
        if (once === null) return;
        const again = accepted(once);
        expect(again !== null && equal(again, once)).toBe(true);
        if ((once.hi & 0x8000) === 0) return;
        const dpl = (once.hi >>> 13) & 3;
        if ((once.hi & 0x1000) !== 0) expect(dpl).toBe(3);
        else expect((once.hi & 0xf00) === 0 || ((once.hi & 0xf00) === 0xc00 && dpl === 0)).toBe(true);
      }),
    );
  });
});
