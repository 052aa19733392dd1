/** Mappings and page tables, on the windows and table pages of the pool: what the runtime lives on stays as it is. */
import type { Argument, Step, Value } from '#spec/program.ts';
import { type Family, type Generation, PAGES, SELF } from '../state.ts';
import { anyFrame, BAD_POINTERS, PTE_FLAGS, topFrame } from '../values.ts';

const hypercall = (g: Generation, call: string, ...args: readonly Argument[]): Step => g.step({ do: 'hypercall', call, args } as never);

/** What a window may show: a data page, a table read-only, or a frame that Xen refuses. */
const entryValue = (g: Generation): Value => {
  const { r } = g;
  switch (r.int(0, 9)) {
    case 0:
      return 0;
    case 1:
      return {
        page: r.pick(['l1', 'l2', 'l3', 'l4', 'user_l1', 'shared_info'] as const),
        as: 'pte',
        flags: r.pick(['0x61', '0x61', '0x63', '0x67']),
      };
    case 2:
      return r.pick(['0x7ffffffff000', '0xffffffffff067', '0xfee00063', '0x8000000000000000', '0xfffffffffffff067', '0x66', '0xdead00ee']);
    default:
      return { page: r.pick([...PAGES.data, ...PAGES.tables]), as: 'pte', flags: r.pick(PTE_FLAGS) };
  }
};

/** Only guests may say what another domain's number is; the words are checked in Xen's order. */
const foreign = (g: Generation): Value => (g.r.one(8) ? g.r.pick([0x7fef, 0x7ff1, 0x7ff3, 0x7ff4, 0x7fff, 0xffff, 0x20000 | SELF]) : SELF);
const done = (g: Generation): Argument =>
  g.r.one(8) ? g.r.pick([0, '0x10000', '0x800000000000'] as const) : { array: ['0xaaaaaaaa'], size: 4, show: 'number' };

const updateVa: Family = {
  weight: 8,
  make: (g) => {
    const { r } = g;
    const va: Value = r.one(8)
      ? r.pick(BAD_POINTERS)
      : { page: r.pick(PAGES.windows), as: 'va', ...(r.one(6) ? { plus: r.int(1, 4095) } : {}) };
    const flags = r.one(3) ? r.pick([0, 1, 3, 4, 5, 6, 7]) : 2;
    return [hypercall(g, 'update_va_mapping', va, entryValue(g), flags)];
  },
};

const PLAIN = 2;
const PLAIN_VALUES = [0, '0x67', '0x123456789abcdef0', '0x7ffffffff000', '0xffffffffffffffff'] as const;

const mmuUpdate: Family = {
  weight: 8,
  make: (g) => {
    const { r } = g;
    const one = (): { struct: 'xen.mmu_update'; fields: Record<string, Argument> } => {
      const command = r.one(3) ? r.pick([1, 2, 3, 4, 7]) : 0;
      if (command === 1)
        return {
          struct: 'xen.mmu_update',
          fields: { ptr: { page: r.pick(PAGES.windows), as: 'maddr', plus: 1 }, val: { page: r.pick(PAGES.windows), as: 'pfn' } },
        };
      const ptr: Value = r.one(8)
        ? r.pick([
            { page: PLAIN, as: 'maddr', plus: 8 * r.int(0, 511) + (command & 3) },
            '0x7ffffffff000',
            { page: 'l4', as: 'maddr', plus: 8 * r.int(256, 271) },
            // Where nobody reads: what is written is a frame number of the machine.
            { page: 'shared_info', as: 'maddr', plus: 4088 },
          ] as const)
        : { page: r.pick(PAGES.windows), as: 'entry_maddr', ...(command === 0 ? {} : { plus: command }) };
      // What stands in a plain page is looked at, so nothing of where frames lie may come there.
      const val = typeof ptr === 'object' && 'page' in ptr && ptr.page === PLAIN ? r.pick(PLAIN_VALUES) : entryValue(g);
      return { struct: 'xen.mmu_update', fields: { ptr, val } };
    };
    const elements = r.list(0, 4, one);
    const count = r.one(12) ? r.pick([elements.length + 0x80000000, 0x80000000]) : elements.length;
    const uops: Argument = r.one(15) ? r.pick(BAD_POINTERS) : { structs: elements };
    // A call that claims to go on after an interruption reads what was done before.
    const pdone: Argument = count >= 0x80000000 ? { array: [0], size: 4, show: 'number' } : done(g);
    return [hypercall(g, 'mmu_update', uops, count, pdone, foreign(g))];
  },
};

const readBack: Family = {
  weight: 6,
  make: (g) => [
    g.step({
      do: 'access',
      how: 'read',
      at: { page: g.r.pick([...PAGES.windows, ...PAGES.tables]), as: 'entry_va' },
      size: 8,
      show: 'pte',
    } as never),
  ],
};

/** Through a window, whatever it shows now. What it reads is not printed: it may be a page table. */
const throughWindow: Family = {
  weight: 5,
  make: (g) => {
    const { r } = g;
    const at: Value = { page: r.pick(PAGES.windows), as: 'va', plus: r.int(0, 4088) };
    return [g.step({ do: 'access', how: 'read', at, size: r.pick([1, 2, 4, 8]), show: 'nothing' } as never)];
  },
};

const ext = (
  g: Generation,
  cmd: number,
  arg1: Argument,
  arg2: Argument = 0,
): { struct: 'xen.mmuext_op'; fields: Record<string, Argument> } => ({
  struct: 'xen.mmuext_op',
  fields: { cmd, arg1, ...(g.r.one(2) ? { arg2 } : { arg2 }) },
});

/** A frame that may be filled: never one that the runtime needs. */
const fillable = (g: Generation): Value =>
  g.r.one(5)
    ? g.r.pick(['0xfffffffff', { page: 'l1', as: 'mfn' }, { page: 'l4', as: 'mfn' }] as const)
    : { page: g.r.pick([...PAGES.data, ...PAGES.tables]), as: 'mfn' };

/** A frame to copy from. What is in tables are machine addresses, and copies of them might be looked at. */
const copyable = (g: Generation): Value => (g.r.one(6) ? '0xfffffffff' : { page: g.r.pick(PAGES.data), as: 'mfn' });

const extElement = (g: Generation): { struct: 'xen.mmuext_op'; fields: Record<string, Argument> } => {
  const { r } = g;
  switch (r.int(0, 13)) {
    case 0:
    case 1:
      return r.one(5) ? ext(g, 3, topFrame(g)) : ext(g, r.int(0, 2), anyFrame(g));
    case 2:
    case 3:
      return ext(g, 4, anyFrame(g));
    case 4:
      return ext(g, 5, r.pick([{ page: 'l4', as: 'mfn' }, { page: 'l3', as: 'mfn' }, { page: 1, as: 'mfn' }, '0xfffffffff', 0] as const));
    case 5:
      return ext(g, r.pick([6, 10]), 0);
    case 6:
      return ext(g, r.pick([7, 11]), r.one(3) ? r.word() : { page: r.pick(PAGES.windows), as: 'va' });
    case 7:
      return ext(g, r.pick([8, 9]), { page: 1, as: 'va' }, r.one(4) ? r.pick(BAD_POINTERS) : { array: [1], size: 8 });
    case 8:
      return ext(g, r.pick([12, 18]), 0);
    case 9:
      return ext(g, 13, r.pick([0, '0x1001', '0xffff800000000000']), r.pick([0, 8193, '0x7fffffff']));
    case 10:
      return ext(g, 15, r.pick([{ page: 'l3', as: 'mfn' }, '0xfffffffff'] as const));
    case 11:
      return ext(g, 16, fillable(g));
    case 12:
      return ext(g, 17, fillable(g), copyable(g));
    default:
      return ext(g, r.pick([14, 19, 20, 21, 100, 0xffffffff]), anyFrame(g));
  }
};

const mmuExt: Family = {
  weight: 9,
  make: (g) => {
    const { r } = g;
    const elements = r.list(1, 3, () => extElement(g));
    const uops: Argument = r.one(15) ? r.pick(BAD_POINTERS) : { structs: elements };
    return [hypercall(g, 'mmuext_op', uops, elements.length, done(g), foreign(g))];
  },
};

/** An entry of a level 1 table that Xen mostly accepts. */
const goodEntry = (g: Generation): Value =>
  g.r.one(5)
    ? entryValue(g)
    : { page: g.r.pick(PAGES.data), as: 'pte', flags: g.r.pick(['0x61', '0x63', '0x67', '0x5', '0x8000000000000063', '0xe67']) };

/** Make a table of a pool page: fill it, take write access away, pin it, look, and perhaps give it back. */
const makeTable: Family = {
  weight: 9,
  make: (g) => {
    const { r } = g;
    const level = r.one(4) ? r.int(2, 4) : 1;
    const page = level === 4 ? PAGES.copy : r.pick(PAGES.tables);
    const steps: Step[] = [];
    for (let n = r.int(0, 3); n > 0; n--) {
      const value: Value =
        level === 1
          ? goodEntry(g)
          : r.one(2)
            ? { page: r.pick([...PAGES.tables, PAGES.copy]), as: 'pte', flags: r.pick(['0x67', '0x61', '0xe7', '0x167', '0x60']) }
            : { page: `l${level - 1}` as 'l1', as: 'pte', flags: '0x67' };
      steps.push(
        g.step({ do: 'access', how: 'write', at: { page, as: 'va', plus: 8 * r.pick([0, 1, 7, 100, 255, 511]) }, size: 8, value } as never),
      );
    }
    if (!r.one(5)) steps.push(hypercall(g, 'update_va_mapping', { page, as: 'va' }, { page, as: 'pte', flags: '0x61' }, 2));
    steps.push(hypercall(g, 'mmuext_op', { structs: [ext(g, level - 1, { page, as: 'mfn' })] }, 1, 0, SELF));
    steps.push(
      g.step({ do: 'access', how: 'read', at: { page, as: 'va', plus: 8 * r.pick([0, 1, 7, 255]) }, size: 8, show: 'pte' } as never),
    );
    if (r.one(2)) {
      // A write to a level 1 table is carried out by Xen; to another it faults.
      steps.push(
        g.step({ do: 'access', how: 'write', at: { page, as: 'va', plus: 8 * r.pick([0, 3]) }, size: 8, value: entryValue(g) } as never),
      );
    }
    if (r.one(2))
      steps.push(
        hypercall(
          g,
          'mmu_update',
          {
            structs: [
              { struct: 'xen.mmu_update', fields: { ptr: { page, as: 'maddr', plus: 8 * r.pick([0, 2, 511]) }, val: entryValue(g) } },
            ],
          },
          1,
          done(g),
          SELF,
        ),
      );
    if (!r.one(3)) {
      steps.push(hypercall(g, 'mmuext_op', { structs: [ext(g, 4, { page, as: 'mfn' })] }, 1, 0, SELF));
      steps.push(hypercall(g, 'update_va_mapping', { page, as: 'va' }, { page, as: 'pte', flags: '0x63' }, 2));
    }
    return steps;
  },
};

/** A copy of the top-level table takes over as base pointer, and the old one comes back. */
const switchBase: Family = {
  weight: 2,
  make: (g) => {
    const page = PAGES.copy;
    const frame: Value = { page, as: 'mfn' };
    const user = g.r.one(3);
    return [
      hypercall(g, 'mmuext_op', { structs: [ext(g, 17, frame, { page: 'l4', as: 'mfn' })] }, 1, done(g), SELF),
      hypercall(g, 'update_va_mapping', { page, as: 'va' }, { page, as: 'pte', flags: '0x61' }, 2),
      hypercall(g, 'mmuext_op', { structs: [ext(g, user ? 15 : 5, frame)] }, 1, done(g), SELF),
      g.step({ do: 'access', how: 'read', at: { page, as: 'va' }, size: 8, show: 'pte' } as never),
      hypercall(
        g,
        'mmuext_op',
        { structs: [user ? ext(g, 15, { page: 'user_l4', as: 'mfn' }) : ext(g, 5, { page: 'l4', as: 'mfn' })] },
        1,
        done(g),
        SELF,
      ),
      hypercall(g, 'update_va_mapping', { page, as: 'va' }, { page, as: 'pte', flags: '0x63' }, 2),
    ];
  },
};

/** Stores into the live level 1 table: Xen carries them out as updates. */
const writeEntry: Family = {
  weight: 3,
  make: (g) => [
    g.step({ do: 'access', how: 'write', at: { page: g.r.pick(PAGES.windows), as: 'entry_va' }, size: 8, value: entryValue(g) } as never),
  ],
};

/** A window that shows a data page read-only or not at all, and stores through it. */
const protect: Family = {
  weight: 3,
  make: (g) => {
    const { r } = g;
    const page = r.pick(PAGES.windows);
    return [
      hypercall(
        g,
        'update_va_mapping',
        { page, as: 'va' },
        { page: r.pick(PAGES.data), as: 'pte', flags: r.pick(['0x61', '0x63', '0x60', '0x65', '0x67']) },
        2,
      ),
      g.step({
        do: 'access',
        how: 'write',
        at: { page, as: 'va', plus: r.int(0, 4088) },
        size: r.pick([1, 2, 4, 8]),
        value: r.word(),
      } as never),
      g.step({ do: 'access', how: 'read', at: { page, as: 'entry_va' }, size: 8, show: r.one(3) ? 'pte_ad' : 'pte' } as never),
    ];
  },
};

export const MEMORY: readonly Family[] = [updateVa, mmuUpdate, readBack, throughWindow, mmuExt, makeTable, switchBase, writeEntry, protect];
