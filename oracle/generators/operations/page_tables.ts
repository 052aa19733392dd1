/** mmu_update, mmuext_op, update_va_mapping. */
import type { Argument, Value } from '#spec/program.ts';
import { PAGES, SELF } from '../state.ts';
import { type Args, type Manners, mfn, type Operation, operation, POINTERS, struct, va, wrong, wrongField } from './operation.ts';

const [WINDOW] = PAGES.windows;
const [TABLE] = PAGES.tables;
const DATA = PAGES.data[0];
const entry = (page: number, flags = '0x63'): Value => ({ page, as: 'pte', flags });

const ENTRIES: Manners = {
  'reserved bits': entry(DATA, '0x4000000000000063'),
  'large page': entry(DATA, '0xe3'),
  beyond: '0xfffffffff063',
  foreign: '0x63',
  'writable table': { page: 'l2', as: 'pte', flags: '0x63' },
};
const OTHERS: Manners = { absent: 0x7fe0, nobody: 0x7ff4, xen: 0x7ff2, io: 0x7ff1, idle: 0x7fff };
const FOREIGN = { ...OTHERS, 'page table of the absent': (0x7fe1 << 16) | SELF } as const;
const DONE = wrong(2, 'done', POINTERS);
const COUNT = wrong(1, 'count', { none: 0, 'two of one': 2, 'much of nothing': '0x7ffffff' });

const update = (ptr: Value, val: Value): Args => [
  { structs: [struct('xen.mmu_update', { ptr, val })], end: true },
  1,
  { array: ['0xaaaaaaaa'], size: 4 },
  SELF,
];
const slot = (command: number, page: number = WINDOW): Value => ({ page, as: 'entry_maddr', ...(command === 0 ? {} : { plus: command }) });
const pointers = (command: number): Manners => ({
  'not a table': { page: DATA, as: 'maddr', plus: 8 + command },
  beyond: '0x7ffffffff000',
  unaligned: { page: WINDOW, as: 'entry_maddr', plus: 4 + command },
  'no command': { page: WINDOW, as: 'entry_maddr', plus: 7 },
  'slot of Xen': { page: 'l4', as: 'maddr', plus: 8 * 258 + command },
});

const UPDATES: readonly Operation[] = (
  [
    ['normal_pt_update', 0],
    ['pt_update_preserve_ad', 2],
    ['pt_update_no_translate', 3],
  ] as const
).map(([name, command]) =>
  operation(`mmu_update/${name}`, update(slot(command), entry(DATA)), {
    variants: [
      update(slot(command), 0),
      update(slot(command), entry(1, '0x61')),
      update(slot(command, PAGES.windows[1]), entry(2, '0x67')),
      update(slot(command), entry(TABLE, '0x61')),
      update(slot(command, PAGES.windows[1]), entry(3, '0xe65')),
    ],
    faults: [wrongField(0, 'ptr', pointers(command)), wrongField(0, 'val', ENTRIES), COUNT, wrong(3, 'domain', FOREIGN)],
  }),
);
const machphys = operation('mmu_update/machphys_update', update({ page: WINDOW, as: 'maddr', plus: 1 }, { page: WINDOW, as: 'pfn' }), {
  faults: [
    wrongField(0, 'ptr', { beyond: '0x7ffffffff001', foreign: '0x1001', 'no command': { page: WINDOW, as: 'maddr', plus: 7 } }),
    COUNT,
    wrong(3, 'domain', FOREIGN),
  ],
});

const mapping = (address: Value, value: Value, flags: number): Args => [address, value, flags];
const ADDRESSES: Manners = {
  noncanonical: '0x800000000000',
  xen: '0xffff830000000000',
  'no table': '0x7fff00000000',
};
const MAPPINGS: readonly Operation[] = [
  operation('update_va_mapping', mapping(va(WINDOW), entry(DATA), 2), {
    variants: [
      mapping(va(WINDOW), 0, 1),
      mapping(va(PAGES.windows[1]), entry(1, '0x65'), 6),
      mapping(va(PAGES.windows[2]), entry(TABLE, '0x61'), 5),
      mapping(va(WINDOW), entry(2), 0),
    ],
    faults: [
      wrong(0, 'address', ADDRESSES),
      wrong(1, 'entry', ENTRIES),
      wrong(2, 'flags', { type: 3, all: '0xffffffffffffffff', bitmap: '0x10000' }),
    ],
  }),
  operation('update_va_mapping_otherdomain', [va(WINDOW), entry(DATA), 2, SELF], {
    faults: [wrong(0, 'address', ADDRESSES), wrong(1, 'entry', ENTRIES), wrong(2, 'flags', { type: 3 }), wrong(3, 'domain', OTHERS)],
  }),
];

const EXT_FRAMES: Manners = { beyond: '0xfffffffff', huge: '0xffffffffffffffff', foreign: 1, shared: { page: 'shared_info', as: 'mfn' } };
const extended = (
  name: string,
  cmd: number,
  arg1: Argument,
  {
    arg2 = 0,
    frames = null,
    more = {},
  }: { readonly arg2?: Argument; readonly frames?: Manners | null; readonly more?: Parameters<typeof operation>[2] } = {},
): Operation =>
  operation(
    `mmuext_op/${name}`,
    [{ structs: [struct('xen.mmuext_op', { cmd, arg1, arg2 })], end: true }, 1, { array: ['0xaaaaaaaa'], size: 4 }, SELF],
    {
      ...more,
      spared: ['arg1', ...(more.spared ?? [])],
      faults: [
        ...(frames ? [wrongField(0, 'arg1', frames)] : []),
        wrongField(0, 'cmd', { unknown: 77 }),
        COUNT,
        wrong(3, 'domain', FOREIGN),
        ...(more.faults ?? []),
      ],
    },
  );

const onTable = (cmd: number, level: number): Args => [
  { structs: [struct('xen.mmuext_op', { cmd, arg1: { page: `l${level}` as 'l1', as: 'mfn' }, arg2: 0 })], end: true },
  1,
  { array: ['0xaaaaaaaa'], size: 4 },
  SELF,
];

const MASKS: Manners = { ...POINTERS, none: 0 };
const FLUSH_ADDRESS: Manners = { noncanonical: '0x800000000000', xen: '0xffff830000000000' };
const mask = { array: [1], size: 8 } as const;

const EXTENDED: readonly Operation[] = [
  // The table page is writable, so that it cannot become a table: only the other errors come before that.
  // Tables that are in use may be pinned besides, and unpinned again.
  ...[1, 2, 3, 4].map((level) =>
    extended(`pin_l${level}_table`, level - 1, mfn(level === 4 ? PAGES.copy : TABLE), {
      frames: EXT_FRAMES,
      more: { variants: level === 4 ? [] : Array.from({ length: 2 }, () => onTable(level - 1, level)) },
    }),
  ),
  extended('unpin_table', 4, mfn(TABLE), { frames: EXT_FRAMES, more: { variants: [1, 2, 3].map((level) => onTable(4, level)) } }),
  extended('new_baseptr', 5, { page: 'l4', as: 'mfn' }, { frames: { ...EXT_FRAMES, 'not a table': mfn(DATA) } }),
  extended('new_user_baseptr', 15, 0, { frames: { ...EXT_FRAMES, 'not a table': mfn(DATA) } }),
  extended('tlb_flush_local', 6, 0),
  extended('tlb_flush_all', 10, 0),
  extended('invlpg_local', 7, va(WINDOW), { frames: FLUSH_ADDRESS }),
  extended('invlpg_all', 11, va(WINDOW), { frames: FLUSH_ADDRESS }),
  extended('tlb_flush_multi', 8, 0, { arg2: mask, more: { faults: [wrongField(0, 'arg2', MASKS)] } }),
  extended('invlpg_multi', 9, va(WINDOW), { arg2: mask, frames: FLUSH_ADDRESS, more: { faults: [wrongField(0, 'arg2', MASKS)] } }),
  extended('flush_cache', 12, 0),
  extended('flush_cache_global', 18, 0),
  extended('set_ldt', 13, 0, {
    frames: { unaligned: '0x500001', noncanonical: '0x800000000000' },
    more: { faults: [wrongField(0, 'arg2', { many: 8193, far: '0xffffffffffffffff' })] },
  }),
  extended('clear_page', 16, mfn(PAGES.data[5]), { frames: { ...EXT_FRAMES, table: { page: 'l1', as: 'mfn' } } }),
  extended('copy_page', 17, mfn(PAGES.data[5]), {
    arg2: mfn(PAGES.data[4]),
    frames: { ...EXT_FRAMES, table: { page: 'l1', as: 'mfn' } },
    more: { faults: [wrongField(0, 'arg2', { beyond: '0xfffffffff', foreign: 1 })] },
  }),
  extended('mark_super', 19, mfn(TABLE)),
  extended('unmark_super', 20, mfn(TABLE)),
];

/** All of them have a word for what was done. */
export const PAGE_TABLES: readonly Operation[] = [
  ...[...UPDATES, machphys, ...EXTENDED].map(
    (one): Operation => ({ ...one, faults: [...one.faults.filter(({ argument }) => argument !== 'argument 2'), ...DONE] }),
  ),
  ...MAPPINGS,
];
