/** A 32-bit guest: start of day, ways into Xen and back, and what the calls that differ answer. */
import { describe, expect, test } from 'vitest';
import { HYPERCALL } from '#spec/abi/hypercall.ts';
import { dom0 } from '#spec/machines/debian_4_17.ts';
import { CS, DS, RAX, RSI, RSP, SS_REG } from '../../cpu/interface.ts';
import { planDomain } from '../domain_builder/build.ts';
import { PGT } from '../frame_table.ts';
import { CODE, CompatGuest, DATA, HYPERCALLS, image32, SPARE, STACK } from '../testing/compat_guest.ts';

const HANDLER = DATA + 0x800;
const USER_CODE = 0xe02b;
const USER_STACK = 0xe033;
const KERNEL_CODE = 0xe019;
const KERNEL_STACK = 0xe021;
const EINVAL = -22;
const EPERM = -1;

/** Frame of the L3, and of the table below an entry. */
const l3 = ({ machine, vcpu }: CompatGuest): number => machine.memory.read32(vcpu.kernelTable * 4096) >>> 12;
const below = ({ machine }: CompatGuest, table: number, slot: number): number => machine.memory.read32(table * 4096 + 8 * slot) >>> 12;

describe('start of day', () => {
  const guest = new CompatGuest();

  test('registers, start_info and the hypercall page are those of a 32-bit kernel', () => {
    const { cpu } = guest.vcpu;
    expect([CS, SS_REG, DS].map((segment) => cpu.selector(segment))).toEqual([KERNEL_CODE, KERNEL_STACK, KERNEL_STACK]);
    const info = guest.register(RSI);
    const magic = guest.machine.memory.readBytes(guest.at(info), 16);
    expect(String.fromCharCode(...magic)).toBe('xen-3.0-x86_32p\0');
    const [pages, shared, flags] = guest.words(info + 32, 3);
    expect([pages, shared, flags]).toEqual([2048, guest.vcpu.domain.sharedInfoMfn * 4096, 0x303]);
    // The list of frames has four bytes an entry.
    const [list] = guest.words(info + 68, 1);
    expect(guest.words(list!, 2)).toEqual([0x1000, 0x1001]);
    expect(guest.words(info + 80, 1)).toEqual([0x006968]);
    expect([...guest.machine.memory.readBytes(guest.at(HYPERCALLS + 32), 8)]).toEqual([0xb8, 1, 0, 0, 0, 0xcd, 0x82, 0xc3]);
    expect([...guest.machine.memory.readBytes(guest.at(HYPERCALLS + 23 * 32), 8)]).toEqual([0x50, 0xb8, 23, 0, 0, 0, 0xcd, 0x82]);
  });

  test('the L3 is pinned, its last L2 has the table of frames, which the kernel reads', () => {
    const { frames } = guest.machine;
    const top = l3(guest);
    expect([frames.type[top], frames.typeRefs[top], frames.refs[top]]).toEqual([PGT.l3, 2, 4]);
    expect([0, 1, 2, 3].map((slot) => frames.type[below(guest, top, slot)])).toEqual([PGT.l2, PGT.l2, PGT.l2, PGT.xen_l2]);
    // MOV EAX, [0xf5800000 + 4 * 0x1005]
    const entry = 0xf5800000 + 4 * 0x1005;
    guest.run([0xa1, ...new Uint8Array(Uint32Array.of(entry).buffer)]);
    expect(guest.register(RAX)).toBe(5);
  });

  test('a kernel without PAE does not fit; one that wants Xen to begin too high neither', () => {
    expect(() => planDomain(dom0(), image32({ 9: null }))).toThrow('PAE_MODE');
    expect(() => planDomain(dom0(), image32({ 12: 0xf6000000 }), undefined, 0x1000)).toThrow('too high');
  });
});

describe('ways into Xen and back', () => {
  test('INT 0x82 is the hypercall of ring 1 alone', () => {
    const guest = new CompatGuest();
    expect(guest.call(HYPERCALL.xen_version, 0)).toBe(0x40011);
    expect(guest.call(HYPERCALL.set_segment_base, 0, 0)).toBe(-38);
  });

  test('an exception of the kernel pushes three words on its stack, one of user code five on the registered one; iret goes back', () => {
    const guest = new CompatGuest();
    guest.trap(6, HANDLER);
    guest.set(RSP, STACK);
    expect(guest.run([0x0f, 0x0b])).toEqual([expect.objectContaining({ kind: 'exception', vector: 6 })]);
    expect([guest.register(RSP), guest.vcpu.cpu.ip]).toEqual([STACK - 12, HANDLER]);
    expect(guest.words(STACK - 12, 3)).toEqual([CODE, KERNEL_CODE, 0x202]);

    expect(guest.call(HYPERCALL.stack_switch, KERNEL_STACK, STACK)).toBe(0);
    guest.put(DATA, 0x77, CODE, USER_CODE, 0x202, STACK - 0x100, USER_STACK);
    guest.set(RSP, DATA);
    guest.call(HYPERCALL.iret);
    expect([guest.register(RAX), guest.vcpu.cpu.selector(CS), guest.vcpu.cpu.selector(DS)]).toEqual([0x77, USER_CODE, 0]);
    // The initial mapping is the kernel's: user code cannot be fetched from it.
    guest.trap(14, HANDLER, 4);
    expect(guest.step()).toEqual([expect.objectContaining({ kind: 'exception', vector: 14, error: 21 })]);
    expect(guest.words(STACK - 24, 6)).toEqual([21, CODE, USER_CODE, 0x202, STACK - 0x100, USER_STACK]);
    expect([guest.vcpu.cpu.selector(CS), guest.vcpu.cpu.selector(SS_REG)]).toEqual([KERNEL_CODE, KERNEL_STACK]);
  });

  test('without a handler the domain ends', () => {
    const guest = new CompatGuest();
    guest.set(RSP, STACK);
    expect(guest.run([0x0f, 0x0b])).toContainEqual({ kind: 'crash', domid: 0, why: 'bounce-no-handler' });
  });
});

describe('calls', () => {
  test('multicall has entries of eight words', () => {
    const guest = new CompatGuest();
    guest.put(DATA, HYPERCALL.xen_version, 7, 0, 0, 0, 0, 0, 0, HYPERCALL.nmi_op, 7, 5, 0, 0, 0, 0, 0);
    expect(guest.call(HYPERCALL.multicall, DATA, 2)).toBe(0);
    expect([guest.words(DATA + 4, 1)[0], guest.words(DATA + 36, 1)[0]]).toEqual([0x40011, 0xffffffda]);
  });

  test('lists of frames have four bytes an entry', () => {
    const guest = new CompatGuest();
    const entry = (address: number, flags: number): number => guest.call(HYPERCALL.update_va_mapping, address, flags, 0, 0);
    // What is mapped is not given back; unmapped it is, and comes again.
    guest.put(DATA, DATA + 64, 1, 0, 0, 0x7ff0);
    guest.put(DATA + 64, guest.frame(SPARE));
    expect(entry(SPARE, 0)).toBe(0);
    expect(guest.call(HYPERCALL.memory_op, 1, DATA)).toBe(1);
    guest.put(DATA + 64, 64);
    expect(guest.call(HYPERCALL.memory_op, 6, DATA)).toBe(1);
    expect(guest.words(DATA + 64, 1)[0]).toBe(guest.frame(SPARE));
    guest.put(DATA, 0x7ff0, 2, 0, DATA + 64);
    expect(guest.call(HYPERCALL.grant_table_op, 2, DATA, 1)).toBe(0);
    expect(guest.words(DATA + 64, 2)).toEqual(guest.vcpu.domain.grants.frames);
    expect(guest.call(HYPERCALL.memory_op, 12, DATA)).toBe(0);
    expect(guest.words(DATA, 3)).toEqual([0xf5800000, 0xffe00000, 0xa600000 / 4 - 1]);
    // No 32-bit guest can stake a claim.
    expect(guest.call(HYPERCALL.memory_op, 24, DATA)).toBe(-38);
  });

  test('runstate has no gap', () => {
    const guest = new CompatGuest();
    guest.machine.memory.fill(guest.at(DATA), 48, 0x55);
    expect(guest.call(HYPERCALL.vcpu_op, 4, 0, DATA)).toBe(0);
    expect(guest.words(DATA, 3)).toEqual([0, 0, 0]);
    expect(guest.words(DATA + 44, 1)).toEqual([0x55555555]);
  });

  test('code of 64 bits is no descriptor; others get a ring of guests', () => {
    const guest = new CompatGuest();
    const frame = guest.frame(SPARE);
    const update = (lo: number, hi: number): number => guest.call(HYPERCALL.update_descriptor, frame << 12, 0, lo, hi);
    expect(update(0xffff, 0x00af9b00)).toBe(EINVAL);
    expect(update(0x57ff, 0x00cf9b00)).toBe(0);
    expect(guest.words(SPARE, 2)).toEqual([0x57ff, 0x00cfbb00]);
    // A flat segment that reaches into Xen's part reaches all of it.
    expect(update(0x5800, 0x00cf9b00)).toBe(0);
    expect(guest.words(SPARE, 2)).toEqual([0xffff, 0x00cfbb00]);
  });
});

describe('page tables', () => {
  test('an L3 of its own: four entries, of which the last cannot change, and whose L2 keeps Xen its slots', () => {
    const guest = new CompatGuest();
    const { machine } = guest;
    const [table, top] = [SPARE, SPARE + 4096];
    const readOnly = (address: number): void => {
      expect(guest.call(HYPERCALL.update_va_mapping, address, (guest.frame(address) << 12) | 0x21, 0, 0)).toBe(0);
    };
    const old = l3(guest);
    for (let slot = 0; slot < 3; slot++) guest.put(table + 8 * slot, machine.memory.read32(old * 4096 + 8 * slot) & ~0x66, 0);
    guest.put(table + 24, (guest.frame(top) << 12) | 1, 0, 0xdead, 0);
    readOnly(table);
    readOnly(top);
    guest.put(DATA, 2, guest.frame(table), 0, 5, guest.frame(table), 0);
    expect(guest.call(HYPERCALL.mmuext_op, DATA, 2, DATA + 64, 0x7ff0)).toBe(0);
    expect(guest.words(DATA + 64, 1)).toEqual([2]);
    expect(l3(guest)).toBe(guest.frame(table));
    expect(machine.frames.type[guest.frame(top)]).toBe(PGT.xen_l2);
    expect(guest.words(table + 32, 1)).toEqual([0]);
    expect(guest.words(top + 8 * 428, 2)).toEqual([(machine.compatM2p << 12) | 0x81, 0]);
    const change = (address: number): number => {
      guest.put(DATA, guest.at(address), 0, 0, 0);
      return guest.call(HYPERCALL.mmu_update, DATA, 1, 0, 0x7ff0);
    };
    expect([change(table + 24), change(top + 8 * 428), change(top + 8)]).toEqual([EINVAL, EPERM, 0]);
    // An L4 is pinned in silence, and nothing comes of it; there is no second base pointer.
    guest.put(DATA, 3, guest.frame(SPARE + 8192), 0, 15, 0, 0);
    expect(guest.call(HYPERCALL.mmuext_op, DATA, 2, 0, 0x7ff0)).toBe(EINVAL);
  });
});

describe('grants', () => {
  test('elements of a copy have half the width, and their status is told when all are done', () => {
    const guest = new CompatGuest();
    const [from, to] = [SPARE, SPARE + 4096];
    guest.put(from, 1, 2, 3, 4);
    const element = (at: number, source: number, length: number): void =>
      guest.put(at, source, 0x7ff0 | (4 << 16), guest.frame(to), 0x7ff0 | (8 << 16), length, 0xffff);
    element(DATA, guest.frame(from), 8);
    element(DATA + 24, guest.frame(from), 5000);
    expect(guest.call(HYPERCALL.grant_table_op, 5, DATA, 2)).toBe(0);
    expect(guest.words(to, 4)).toEqual([0, 0, 2, 3]);
    expect([guest.words(DATA + 20, 1), guest.words(DATA + 44, 1)]).toEqual([[0], [0xfff6]]);
    expect(guest.call(HYPERCALL.grant_table_op, 5, DATA, -1)).toBe(EINVAL);
  });

  test('a page that cannot be given to anybody', () => {
    const guest = new CompatGuest();
    guest.put(DATA, guest.frame(SPARE), 7, 0, 0xffff);
    expect(guest.call(HYPERCALL.grant_table_op, 4, DATA, 1)).toBe(0);
    expect(guest.words(DATA + 12, 1)).toEqual([0xfff7]);
  });

  test('frames of marks: a list of none, and more than there are', () => {
    const guest = new CompatGuest();
    const call = (frames: number, count = 1): number => {
      guest.put(DATA, frames, 0x7ff0, DATA + 64);
      return guest.call(HYPERCALL.grant_table_op, 9, DATA, count);
    };
    expect([call(0), guest.words(DATA + 4, 1)[0]! >>> 16]).toEqual([0, 0]);
    expect([call(1), guest.words(DATA + 4, 1)[0]! >>> 16]).toEqual([0, 0xffff]);
    expect([call(1, 0), call(1, 2)]).toEqual([0, EINVAL]);
  });
});

describe('operations that a PV guest is refused, or that tell nothing', () => {
  const guest = new CompatGuest();
  const call = (op: number, ...words: readonly number[]): number => {
    guest.put(DATA, ...words);
    return guest.call(HYPERCALL.memory_op, op, DATA);
  };

  test('a batch of frames for its physical map is read first', () => {
    expect(call(23, 0x7ff0, 1, DATA + 64, DATA + 64, DATA + 64)).toBe(-13);
    expect(call(23, 0x7ff0, 1, 0x100000, DATA + 64, DATA + 64)).toBe(-14);
    expect(call(23, 0x7ff0, 1, DATA + 64, DATA + 64, 0xf5800000)).toBe(-14);
    expect(call(23, 5, 0, 0, 0, 0)).toBe(-3);
  });

  test('no memory is reserved for devices', () => {
    expect([call(27, 1, 9, DATA + 64, 0), guest.words(DATA, 3)]).toEqual([0, [1, 0, DATA + 64]]);
    expect([call(27, 2, 9, DATA + 64, 0), call(27, 0, 1, 0xf5800000, 0)]).toEqual([EINVAL, -14]);
  });

  test('resources are those of another domain', () => {
    expect(call(28, 0x1_0000, 0, 1, 0, 0, 0, DATA + 64)).toBe(EPERM);
    expect(call(28, 0x1_0005, 0, 1, 0, 0, 0, DATA + 64)).toBe(-3);
    expect(call(28 | (1 << 6), 0x1_0005, 0, 1, 0, 0, 0, DATA + 64)).toBe(EINVAL);
  });
});

test('frames are exchanged by lists of words', () => {
  const guest = new CompatGuest();
  const given = guest.frame(SPARE);
  const exchange = (...list: readonly number[]): number => {
    guest.put(DATA, ...list);
    return guest.call(HYPERCALL.memory_op, 11, DATA);
  };
  const list = (address: number): readonly number[] => [address, 1, 0, 0, 0x7ff0];
  for (const page of [SPARE, SPARE + 4096]) expect(guest.call(HYPERCALL.update_va_mapping, page, 0, 0, 0)).toBe(0);
  // What is given back can come.
  guest.put(DATA, DATA + 64, 1, 0, 0, 0x7ff0);
  guest.put(DATA + 64, guest.frame(SPARE + 4096));
  expect(guest.call(HYPERCALL.memory_op, 1, DATA)).toBe(1);
  guest.put(DATA + 64, given, 64);
  expect([exchange(...list(DATA + 64), ...list(DATA + 68), 0), guest.words(DATA + 40, 1)]).toEqual([0, [1]]);
  const [came] = guest.words(DATA + 68, 1);
  expect([guest.machine.frames.owner[came!], came === given]).toEqual([0, false]);
  expect(exchange(...list(DATA + 64), ...list(DATA + 68), 2)).toBe(EINVAL);
  expect(exchange(...list(DATA + 64), ...list(0xf5800000), 0)).toBe(-14);
  expect(exchange(DATA + 64, 4096, 0, 0, 0x7ff0, DATA + 68, 1, 12, 0, 0x7ff0, 0)).toBe(-7);
});
