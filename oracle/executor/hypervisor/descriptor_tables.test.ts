import { describe, expect, test } from 'vitest';
import { HYPERCALL } from '#spec/abi/hypercall.ts';
import { DS, FS, RAX, RBX, RCX } from '../cpu/interface.ts';
import { CODE, DATA, Guest } from './testing/guest.ts';

const EINVAL = -22;
const EFAULT = -14;
const HANDLER = CODE + 0x800;
const READ_ONLY = 0x65n;

const DATA32 = 0x00cf92000000ffffn;
const CODE32 = 0x00cf9a000000ffffn;
const CODE64 = 0x00af9a000000ffffn;
const CODE16 = 0x00009a000000ffffn;
const DPL3 = 0x0000_6000_0000_0000n;
const ACCESSED = 0x0000_0100_0000_0000n;
const CALL_GATE = 0x0000_8c00_e033_1234n;

/** A guest whose second data page holds descriptors, and is mapped read-only. */
const TABLE = DATA + 0x1000;
/** The stack: the page below it. */
const TOP = TABLE - 0x100;
const withTable = (...descriptors: readonly bigint[]): Guest => {
  const guest = new Guest();
  guest.traps({ 11: HANDLER, 12: HANDLER, 13: HANDLER, 14: HANDLER });
  guest.put(TABLE, ...descriptors);
  const pte = (BigInt(guest.at(TABLE) >>> 12) << 12n) | READ_ONLY;
  expect(guest.call(HYPERCALL.update_va_mapping, TABLE, pte, 0)).toBe(0);
  return guest;
};
const frameOf = (guest: Guest): number => guest.at(TABLE) >>> 12;
const setGdt = (guest: Guest, entries = 512): number => {
  guest.put(DATA, frameOf(guest));
  return guest.call(HYPERCALL.set_gdt, DATA, entries);
};
const setLdt = (guest: Guest, address: number, entries: number): number => {
  guest.put(DATA, 13, address, entries);
  return guest.call(HYPERCALL.mmuext_op, DATA, 1, 0, 0x7ff0);
};
const frame = (guest: Guest) => guest.machine.frames.observe(frameOf(guest));

describe('set_gdt', () => {
  test('takes a page of descriptors, which get DPL 3', () => {
    const guest = withTable(0n, DATA32, CODE64, CALL_GATE, 0n, 0x00ff_1234_0000_0000n);
    expect(setGdt(guest)).toBe(0);
    expect(frame(guest)).toMatchObject({ type: 'seg_desc', type_refs: 1, refs: 3 });
    expect(guest.words(TABLE, 6)).toEqual([0n, DATA32 | DPL3, CODE64 | DPL3, CALL_GATE, 0n, 0x00ff_1234_0000_0000n]);
    expect(guest.vcpu.gdtEntries).toBe(512);
    expect(guest.call(HYPERCALL.set_gdt, 0x10, 0)).toBe(0);
    expect(frame(guest)).toMatchObject({ type: 'none', type_refs: 0, refs: 2 });
  });

  test.each([
    ['a task state', 0x0000_8900_0000_0000n],
    ['a gate into Xen', 0x0000_8c00_e008_1234n],
    ['a gate with reserved bits', 0x0000_8c01_e033_1234n],
  ])('refuses %s; what stands before it stays put right', (_, bad) => {
    const guest = withTable(DATA32, bad, DATA32);
    expect(setGdt(guest)).toBe(EINVAL);
    expect(guest.words(TABLE, 3)).toEqual([DATA32 | DPL3, bad, DATA32]);
    expect(frame(guest)).toMatchObject({ type: 'none', type_refs: 0 });
  });

  test('looks at the count, the list, the frames', () => {
    const guest = new Guest();
    expect(guest.call(HYPERCALL.set_gdt, 0x10, 7169)).toBe(EINVAL);
    expect(guest.call(HYPERCALL.set_gdt, 0x10, 1)).toBe(EFAULT);
    guest.put(DATA, guest.at(DATA) >>> 12);
    expect(guest.call(HYPERCALL.set_gdt, DATA, 1)).toBe(EINVAL);
  });
});

describe('update_descriptor', () => {
  test('writes into a page of descriptors and into one that is none', () => {
    const guest = withTable(DATA32);
    expect(setGdt(guest)).toBe(0);
    expect(guest.call(HYPERCALL.update_descriptor, guest.at(TABLE) + 16, CODE32)).toBe(0);
    expect(guest.get(TABLE + 16)).toBe(CODE32 | DPL3);
    expect(guest.call(HYPERCALL.update_descriptor, guest.at(DATA) + 64, 1n)).toBe(0);
    expect(guest.get(DATA + 64)).toBe(1n);
  });

  test('refuses', () => {
    const guest = withTable();
    expect(guest.call(HYPERCALL.update_descriptor, guest.at(DATA) + 4, 0n)).toBe(EINVAL);
    expect(guest.call(HYPERCALL.update_descriptor, guest.at(DATA), 0x0000_8900_0000_0000n)).toBe(EINVAL);
    expect(guest.call(HYPERCALL.update_descriptor, 0x1000, 0n)).toBe(EINVAL);
    expect(guest.call(HYPERCALL.update_descriptor, guest.vcpu.kernelTable * 4096, 0n)).toBe(EINVAL);
  });
});

describe('loads', () => {
  const MOV_DS_AX = [0x8e, 0xd8];
  const load = (guest: Guest, selector: number) => {
    guest.set(RAX, selector);
    return guest.run(MOV_DS_AX)[0];
  };

  test("from the guest's GDT, which is marked", () => {
    const guest = withTable(0n, DATA32, DATA32 & ~0x0000_8000_0000_0000n, CODE64 & ~0x0000_0200_0000_0000n);
    expect(load(guest, 8)).toMatchObject({ kind: 'exception', vector: 13, error: 8 });
    setGdt(guest, 2);
    expect(load(guest, 0xb)).toBeUndefined();
    expect(guest.vcpu.cpu.selector(DS)).toBe(0xb);
    expect(guest.get(TABLE + 8)).toBe(DATA32 | DPL3 | ACCESSED);
    expect(load(guest, 0x13)).toMatchObject({ vector: 13, error: 0x10 });
    expect(load(guest, 0x1b)).toMatchObject({ vector: 13, error: 0x18 });
    expect(load(guest, 0xf003)).toMatchObject({ vector: 13, error: 0xf000 });
  });

  test('null selectors in DS and ES lose their RPL on a return by IRET', () => {
    const guest = withTable();
    load(guest, 3);
    guest.run([0x8e, 0xe0]);
    expect(guest.vcpu.cpu.selector(DS)).toBe(3);
    guest.run([0x0f, 0x20, 0xc0]);
    expect([guest.vcpu.cpu.selector(DS), guest.vcpu.cpu.selector(FS)]).toEqual([0, 3]);
  });

  test('not present and readable is #NP', () => {
    const guest = withTable(0n, (DATA32 | DPL3) & ~0x0000_8000_0000_0000n);
    setGdt(guest);
    expect(load(guest, 0xb)).toMatchObject({ vector: 11, error: 8 });
  });

  test('from the LDT, whose page gets its type then', () => {
    const guest = withTable(DATA32);
    expect(load(guest, 7)).toMatchObject({ vector: 13, error: 4 });
    expect(setLdt(guest, TABLE, 1)).toBe(0);
    expect(frame(guest)?.type).toBe('none');
    expect(load(guest, 7)).toBeUndefined();
    expect(frame(guest)).toMatchObject({ type: 'seg_desc', type_refs: 1 });
    expect(load(guest, 0xf)).toMatchObject({ vector: 13, error: 0xc });
    expect(setLdt(guest, 0, 0)).toBe(0);
    expect(frame(guest)).toMatchObject({ type: 'none' });
  });

  test('an LDT that is not there, or writable, is a page fault at its address', () => {
    const guest = withTable(DATA32);
    setLdt(guest, 0x7000, 0x20);
    expect(load(guest, 0x1f)).toMatchObject({ vector: 14, error: 0, address: '0x7018' });
    setLdt(guest, DATA, 0x20);
    expect(load(guest, 0x1f)).toMatchObject({ vector: 14, error: 0 });
  });
});

test('SGDT, SLDT and STR tell what Xen has loaded', () => {
  const guest = withTable();
  const run = (...code: readonly number[]): bigint => {
    guest.set(RAX, DATA + 0x40);
    guest.run(code);
    return guest.register(RAX);
  };
  run(0x0f, 0x01, 0x00);
  expect(guest.words(DATA + 0x40, 2)).toEqual([0x8200_0000_0000_efffn, 0xffffn]);
  expect([run(0x0f, 0x00, 0xc8), run(0x0f, 0x00, 0xc0)]).toEqual([0xe040n, 0n]);
  setLdt(guest, TABLE, 1);
  expect(run(0x0f, 0x00, 0xc0)).toBe(0xe050n);
});

describe('code of 32 bits', () => {
  /** Far jump through the pointer at DATA. */
  const jump = (guest: Guest, target: number, selector: number): void => {
    guest.poke(DATA, [target & 0xff, (target >>> 8) & 0xff, (target >>> 16) & 0xff, target >>> 24, selector & 0xff, selector >>> 8]);
    guest.set(RBX, DATA);
  };
  const JMP_FAR = [0xff, 0x2b];
  const AT = CODE + 0x200;

  test('a far jump through the GDT goes on at the base of its segment; exceptions tell offsets', () => {
    const base = 0x1000n;
    const guest = withTable(0n, CODE32 | (base << 16n));
    setGdt(guest);
    guest.traps({ 0: HANDLER });
    jump(guest, AT - 0x1000, 0xb);
    // inc ecx (in 64-bit code a prefix); aam 0
    guest.poke(AT, [0x41, 0xd4, 0]);
    guest.set(RCX, 0x1_ffff_fffen);
    guest.run(JMP_FAR);
    expect(guest.vcpu.cpu.rip).toBe(BigInt(AT));
    guest.step(1);
    expect(guest.register(RCX)).toBe(0xffff_ffffn);
    guest.set(4, TOP);
    expect(guest.step(1)).toMatchObject([{ kind: 'exception', vector: 0 }]);
    expect(guest.words(guest.register(4), 4).slice(2)).toEqual([BigInt(AT - 0x1000 + 1), 8n | (1n << 32n)]);
    expect(guest.vcpu.cpu.legacy).toBe(false);
  });

  test('SYSCALL goes to the callback of its own, from the kernel too; iret comes back', () => {
    const guest = withTable(0n, CODE16);
    guest.vcpu.syscall32Callback.set(HANDLER, 0);
    jump(guest, AT, 0xe023);
    guest.poke(AT, [0x0f, 0x05, 0x41]);
    guest.set(4, TOP);
    expect(guest.run(JMP_FAR, 2)).toMatchObject([{ kind: 'callback', which: 'syscall' }]);
    expect(guest.words(guest.register(4), 4)).toEqual([BigInt(AT + 2), 0x202n, BigInt(AT + 2), 0xe020n | (1n << 32n)]);
    for (const flags of [0, 0x100]) {
      guest.put(DATA, 0, 0, 0x41, flags, AT + 2, 0xe020, 0x202, TOP, 0xe02b);
      guest.set(4, DATA);
      guest.call(HYPERCALL.iret);
      expect([guest.vcpu.cpu.legacy, guest.vcpu.cpu.rip]).toEqual([true, BigInt(AT + 2)]);
      guest.set(RCX, 1);
      guest.step(1);
      expect(guest.register(RCX)).toBe(2n);
      guest.vcpu.cpu.xen.enterBySysret(true);
    }
  });

  test('without a callback it is #UD', () => {
    const guest = withTable();
    guest.traps({ 6: HANDLER });
    jump(guest, AT, 0xe023);
    guest.poke(AT, [0x0f, 0x05]);
    guest.set(4, TOP);
    expect(guest.run(JMP_FAR, 2)).toMatchObject([{ kind: 'exception', vector: 6 }]);
    expect(guest.words(guest.register(4), 3)[2]).toBe(BigInt(AT));
  });

  test.each([
    ['no selector', 3, 0xe02b, 13, 0],
    ['data', 0xe02b, 0xe02b, 13, 0xe028],
    ['a stack that is null', 0xe023, 3, 13, 0],
    ['a stack that is code', 0xe023, 0xe033, 13, 0xe030],
    ['code that is not present', 0xb, 0xe02b, 11, 8],
    ['a stack that is not present', 0xe023, 0x13, 12, 0x10],
    ['an offset beyond the limit', 0x1b, 0xe02b, 13, 0],
  ])('iret to %s arrives as its fault there', (_, cs, ss, vector, error) => {
    const absent = ~0x0000_8000_0000_0000n;
    const guest = withTable(0n, (CODE32 | DPL3) & absent, (DATA32 | DPL3) & absent, CODE16);
    setGdt(guest);
    guest.put(DATA, 0, 0, 0, 0, AT, cs & ~3, 0x202, TOP, ss);
    guest.set(4, DATA);
    guest.call(HYPERCALL.iret);
    expect(guest.machine.events.at(-1)).toMatchObject({ kind: 'exception', vector, error });
  });
});
