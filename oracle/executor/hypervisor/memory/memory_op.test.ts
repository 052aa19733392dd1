import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRNO } from '#spec/abi/errno.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { memory, XENMEMF } from '#spec/abi/memory.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { NO_OWNER, PGF } from '../frame_table.ts';
import { CALL_STATE } from '../hypercall/continuation.ts';
import { WIDE } from '../result.ts';
import { audit } from '../testing/audit.ts';
import { ARGS_AT, ARGUMENTS, FIRST_FREE, PAGES, TwoDomains } from '../testing/two_domains.ts';
import { heapOf } from './allocate.ts';
import { memory_op } from './memory_op.ts';

const OP = SUBOPERATIONS.memory_op;
/** A page for lists, and its address. */
const LIST = 17;
const LIST_AT = LIST * 4096;
const OTHER_LIST_AT = LIST_AT + 2048;

const argument = (t: TwoDomains, domid: number, layout: keyof typeof memory, values: Readonly<Record<string, number>>): void => {
  const { size, fields } = memory[layout] as { size: number; fields: Readonly<Record<string, { at: number; size: number }>> };
  const bytes = new DataView(new ArrayBuffer((size + 3) & ~3));
  for (const [name, value] of Object.entries(values)) {
    const { at, size: width } = fields[name]!;
    if (width === 8) bytes.setBigUint64(at, BigInt(value), true);
    else if (width === 4) bytes.setUint32(at, value, true);
    else bytes.setUint16(at, value, true);
  }
  t.put(domid, ARGUMENTS, 0, ...new Int32Array(bytes.buffer));
};
const list = (t: TwoDomains, domid: number, at: number, values: readonly number[]): void =>
  t.put(domid, LIST, at - LIST_AT, ...values.flatMap((value) => [value, 0]));
const m2p = (t: TwoDomains, mfn: number): bigint => t.machine.memory.read64(t.machine.config.layout.m2p_first * 4096 + 8 * mfn);

const reserve = (
  t: TwoDomains,
  domid: number,
  op: number,
  values: readonly number[],
  order = 0,
  more: Readonly<Record<string, number>> = {},
): number => {
  list(t, domid, LIST_AT, values);
  argument(t, domid, 'reservation', { extent_start: LIST_AT, nr_extents: values.length, extent_order: order, domid: DOMID.SELF, ...more });
  return t.call(domid, memory_op, op, ARGS_AT);
};

/** A page that a domain's tables no longer map. */
const unmapped = (t: TwoDomains, domid: number, page: number): number => {
  const mfn = t.mfn(domid, page);
  t.machine.memory.write64(t.mfn(domid, 4) * 4096 + 8 * page, 0n);
  t.machine.frames.refs[mfn]--;
  t.machine.frames.typeRefs[mfn]--;
  return mfn;
};

/** What holds whatever a guest does. */
const isSound = (t: TwoDomains): void => {
  const { machine } = t;
  const { frames, domains } = machine;
  for (const { domid, pages } of domains) {
    let owned = 0;
    for (let mfn = 0; mfn < frames.count; mfn++) if (frames.owner[mfn] === domid && (frames.flags[mfn] & PGF.xenheap) === 0) owned++;
    expect(pages).toBe(owned);
  }
  let free = 0;
  for (let mfn = machine.config.layout.domheap_first; mfn < frames.count; mfn++) {
    if (frames.owner[mfn] !== NO_OWNER) continue;
    free++;
    expect([frames.refs[mfn], frames.typeRefs[mfn], m2p(t, mfn)]).toEqual([0, 0, 0xffffffffffffffffn]);
  }
  expect(heapOf(machine).free).toBe(free);
  expect(machine.claims).toBe(domains.reduce((sum, { claimed }) => sum + claimed, 0));
  expect(machine.claims).toBeLessThanOrEqual(free);
  expect(audit(machine)).toEqual([]);
};

describe('memory_op', () => {
  it('keeps counts true, whatever is asked', () => {
    const frame = fc.oneof(fc.integer({ min: 0x500, max: 0x7ff }), fc.integer({ min: 0x600, max: 0x610 }));
    const call = fc.record({
      domid: fc.nat(1),
      op: fc.constantFrom(OP.increase_reservation, OP.decrease_reservation, OP.populate_physmap, OP.exchange, OP.claim_pages),
      values: fc.array(frame, { minLength: 1, maxLength: 4 }),
      order: fc.nat(3),
      otherOrder: fc.nat(3),
      bits: fc.constantFrom(0, 0, 0, 23, 24),
      target: fc.constantFrom(DOMID.SELF, 0, 1),
      pages: fc.nat(300),
    });
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 25 }), fc.integer({ min: PAGES, max: 200 }), (calls, maxPages) => {
        const t = new TwoDomains();
        // Room for frames of its own, so that its lists and tables stay.
        t.machine.domains[1]!.maxPages = maxPages;
        for (let page = 64; page < PAGES; page++) unmapped(t, 0, page);
        for (const { domid, op, values, order, otherOrder, bits, target, pages } of calls) {
          if (op === OP.claim_pages) {
            argument(t, domid, 'reservation', { nr_extents: pages, domid: target });
            t.call(domid, memory_op, op, ARGS_AT);
          } else if (op === OP.exchange) {
            list(t, domid, LIST_AT, values);
            list(t, domid, OTHER_LIST_AT, values);
            argument(t, domid, 'exchange', {
              in_extent_start: LIST_AT,
              in_nr_extents: values.length,
              in_extent_order: order,
              in_domid: target,
              out_extent_start: OTHER_LIST_AT,
              out_nr_extents: (values.length * 2 ** order) >> otherOrder,
              out_extent_order: otherOrder,
              out_mem_flags: bits,
              out_domid: target,
            });
            t.call(domid, memory_op, op, ARGS_AT);
          } else reserve(t, domid, op, values, order, { domid: target, mem_flags: bits });
          isSound(t);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('gives the lowest free frames, names them, and takes them back', () => {
    const t = new TwoDomains();
    expect(reserve(t, 0, OP.populate_physmap, [500, 600])).toBe(2);
    expect([t.get(0, LIST, 0), t.get(0, LIST, 8)]).toEqual([FIRST_FREE, FIRST_FREE + 1]);
    expect([m2p(t, FIRST_FREE), m2p(t, FIRST_FREE + 1), t.machine.domains[0]!.pages]).toEqual([500n, 600n, PAGES + 2]);
    t.machine.memory.write8(FIRST_FREE * 4096, 7);
    expect(reserve(t, 0, OP.decrease_reservation, [FIRST_FREE])).toBe(1);
    expect([t.machine.frames.owner[FIRST_FREE], t.machine.memory.read8(FIRST_FREE * 4096)]).toEqual([NO_OWNER, 7]);
    expect(reserve(t, 0, OP.increase_reservation, [0], 1)).toBe(1);
    expect(t.get(0, LIST, 0)).toBe(FIRST_FREE + 2);
  });

  it('leaves a frame that is mapped to its owner until the last reference goes', () => {
    const t = new TwoDomains();
    const mfn = t.mfn(1, 40);
    expect(reserve(t, 1, OP.decrease_reservation, [mfn, mfn])).toBe(2);
    expect([t.machine.frames.owner[mfn], t.machine.frames.refs[mfn], t.machine.domains[1]!.pages]).toEqual([1, 1, PAGES]);
    isSound(t);
  });

  it('answers the extent with which a call came, when nothing was begun', () => {
    const t = new TwoDomains();
    const start = (extent: number): number => OP.populate_physmap | (extent << 6);
    expect(reserve(t, 1, start(5), [1])).toBe(WIDE);
    expect([CALL_STATE.wideLo, CALL_STATE.wideHi]).toEqual([5, 0]);
    expect(reserve(t, 1, OP.populate_physmap, [1], 10)).toBe(0);
    expect(reserve(t, 1, OP.populate_physmap, [1], 0, { mem_flags: 12 })).toBe(0);
    expect(reserve(t, 1, OP.populate_physmap, [1], 0, { mem_flags: XENMEMF.exact_node_request | 0x100 })).toBe(0);
    expect(reserve(t, 1, OP.populate_physmap, [1], 0, { domid: 0 })).toBe(0);
    expect(reserve(t, 1, OP.populate_physmap, [1])).toBe(0);
    expect(t.call(1, memory_op, start(7), 0x7000000)).toBe(WIDE);
    expect(CALL_STATE.wideLo).toBe(7);
  });

  it('ends alike whether or not it was stopped on the way', () => {
    const run = (preempt: readonly number[]): readonly unknown[] => {
      const t = new TwoDomains();
      t.machine.preempt = preempt;
      const pages = [64, 65, 66, 67].map((page) => unmapped(t, 0, page));
      const answers = [reserve(t, 0, OP.populate_physmap, [1, 2, 3, 4, 5])];
      list(t, 0, LIST_AT, pages);
      list(t, 0, OTHER_LIST_AT, [9, 10, 11, 12]);
      const both = { in_nr_extents: 4, out_nr_extents: 4, in_domid: DOMID.SELF, out_domid: DOMID.SELF };
      argument(t, 0, 'exchange', { ...both, in_extent_start: LIST_AT, out_extent_start: OTHER_LIST_AT });
      answers.push(t.call(0, memory_op, OP.exchange, ARGS_AT));
      return [answers, t.counts(), t.machine.memory.digest()];
    };
    const whole = run([]);
    expect(whole[0]).toEqual([5, 0]);
    for (let at = 1; at <= 7; at++) expect(run([at])).toEqual(whole);
    expect(run([1, 2, 3, 4, 5, 6, 7])).toEqual(whole);
  });

  it('keeps claimed memory for those who claimed it', () => {
    const t = new TwoDomains();
    const claim = (domid: number, target: number, pages: number): number => {
      argument(t, domid, 'reservation', { nr_extents: pages, domid: target });
      return t.call(domid, memory_op, OP.claim_pages, ARGS_AT);
    };
    const [, domU] = t.machine.domains;
    const free = heapOf(t.machine).free;
    domU!.maxPages = 1000;
    expect(claim(1, 1, 200)).toBe(-ERRNO.EPERM);
    expect(claim(0, DOMID.SELF, 200)).toBe(-ERRNO.EINVAL);
    expect(claim(0, 1, PAGES)).toBe(-ERRNO.EINVAL);
    expect(claim(0, 1, PAGES + free + 1)).toBe(-ERRNO.ENOMEM);
    expect(claim(0, 1, PAGES + free)).toBe(0);
    expect(claim(0, 1, PAGES + 5)).toBe(-ERRNO.EINVAL);
    expect(reserve(t, 0, OP.increase_reservation, [0])).toBe(0);
    expect(reserve(t, 1, OP.increase_reservation, [0])).toBe(1);
    expect(domU!.claimed).toBe(free - 1);
    expect(claim(0, 1, 0)).toBe(0);
    expect(reserve(t, 0, OP.increase_reservation, [0])).toBe(1);
  });

  it('refuses frames for exchange that anything but their allocation holds', () => {
    const t = new TwoDomains();
    const exchange = (mfn: number): number => {
      list(t, 1, LIST_AT, [mfn]);
      list(t, 1, OTHER_LIST_AT, [77]);
      const lists = { in_extent_start: LIST_AT, out_extent_start: OTHER_LIST_AT, in_nr_extents: 1, out_nr_extents: 1 };
      argument(t, 1, 'exchange', { ...lists, in_domid: DOMID.SELF, out_domid: DOMID.SELF });
      return t.call(1, memory_op, OP.exchange, ARGS_AT);
    };
    const before = t.counts();
    for (const mfn of [t.mfn(1, 40), t.mfn(0, 40), t.machine.domains[1]!.sharedInfoMfn, 0x9000]) expect(exchange(mfn)).toBe(-ERRNO.EINVAL);
    expect(t.counts()).toEqual(before);
    const gone = unmapped(t, 1, 40);
    t.machine.memory.write8(gone * 4096, 5);
    expect(exchange(gone)).toBe(0);
    expect([t.get(1, LIST, 2048), m2p(t, FIRST_FREE), t.machine.memory.read8(gone * 4096)]).toEqual([FIRST_FREE, 77n, 0]);
    isSound(t);
  });

  it("tells of the machine's memory, and of domains'", () => {
    const t = new TwoDomains();
    argument(t, 0, 'domain', { domid: 1 });
    const ask = (op: number, domid = 0): number => t.call(domid, memory_op, op, ARGS_AT);
    expect([ask(OP.maximum_ram_page), ask(OP.current_reservation), ask(OP.maximum_reservation)]).toEqual([0x800, PAGES, PAGES]);
    argument(t, 0, 'domain', { domid: 0 });
    expect(ask(OP.maximum_reservation)).toBe(0xffffffff);
    expect(ask(OP.maximum_ram_page | 64)).toBe(-ERRNO.EINVAL);
    expect(ask(OP.machphys_mapping | 64)).toBe(-ERRNO.ENOSYS);
    expect(ask(63)).toBe(-ERRNO.ENOSYS);
    expect(ask(OP.machine_memory_map, 1)).toBe(-ERRNO.EPERM);
    argument(t, 0, 'memory_map', { nr_entries: 100, buffer: LIST_AT });
    expect(ask(OP.memory_map)).toBe(-ERRNO.ENOSYS);
    expect(ask(OP.machine_memory_map)).toBe(0);
    // What the firmware says, and one range for the local APIC and what lies around it, another for the I/O APIC.
    expect(t.get(0, ARGUMENTS, 0)).toBe(t.machine.config.e820.length + 2);
  });

  it('keeps a memory map as it was given', () => {
    const t = new TwoDomains();
    t.put(0, LIST, 0, 0x1000, 0, 0x2000, 1, 7, 0x3000, 0, 0, 0, 2);
    argument(t, 0, 'foreign_memory_map', { domid: 1, nr_entries: 2, buffer: LIST_AT });
    expect(t.call(0, memory_op, OP.set_memory_map, ARGS_AT)).toBe(0);
    argument(t, 1, 'memory_map', { nr_entries: 1, buffer: LIST_AT });
    expect(t.call(1, memory_op, OP.memory_map, ARGS_AT)).toBe(0);
    expect([0, 4, 8, 12, 16].map((at) => t.get(1, LIST, at))).toEqual([0x1000, 0, 0x2000, 1, 7]);
    expect([t.get(1, ARGUMENTS, 0), t.get(1, LIST, 20)]).toEqual([1, 0]);
  });

  it("finds another domain's grant table, in strides that can be interrupted", () => {
    const t = new TwoDomains();
    const acquire = (values: Readonly<Record<string, number>>): number => {
      argument(t, 0, 'acquire_resource', { domid: 1, type: 1, ...values });
      return t.call(0, memory_op, OP.acquire_resource, ARGS_AT);
    };
    expect(acquire({})).toBe(0);
    expect(t.get(0, ARGUMENTS, memory.acquire_resource.fields.nr_frames.at)).toBe(64);
    expect(acquire({ type: 9 })).toBe(0);
    expect(acquire({ id: 1, nr_frames: 1, frame_list: LIST_AT })).toBe(-ERRNO.EINVAL);
    expect(acquire({ nr_frames: 65, frame_list: LIST_AT })).toBe(-ERRNO.EINVAL);
    expect(acquire({ domid: 0 })).toBe(-ERRNO.EPERM);
    t.machine.preempt = [2];
    t.machine.questions = 0;
    expect(acquire({ nr_frames: 64, frame_list: LIST_AT })).toBe(0);
    expect(t.machine.questions).toBe(1);
    expect(Array.from({ length: 64 }, (_, i) => t.get(0, LIST, 8 * i))).toEqual(t.machine.domains[1]!.grants.frames);
  });
});
