/** Memory: reservations, grants, page tables and what is written into them. */
import { HYPERCALL, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { add, and, type Code, call, keep, load, store } from '../code.ts';
import { DOMID_SELF, type Draw } from '../draw.ts';
import { BASE, DATA, PAGE, SPARE, TABLES } from '../layout.ts';
import { data, dataAt, type Family } from './family.ts';

const { memory_op: MEMORY, grant_table_op: GRANT } = SUBOPERATIONS;
const UVMF_LOCAL_INVLPG = 2;

const mapped = (d: Draw, page: number, flags: number): Code =>
  call(HYPERCALL.update_va_mapping, page, (d.frame(page) << 12) | flags, 0, UVMF_LOCAL_INVLPG);
const readOnly = (d: Draw, page: number): Code => mapped(d, page, 0x21);
/** Machine address of the L3 in use at the start, plus `offset`, into EAX. */
const tableAddress = (d: Draw, offset: number): Code => [...load(TABLES), ...add((d.firstFrame << 12) - BASE + offset)];
/** Entries of an L3 without the bits that Xen sets. */
const WITHOUT_SET_BITS = ~0x66;

export const MEMORY_STEPS = {
  reservation: (d) => [
    ...data(
      d.pick(DATA + 64, DATA + 64, DATA + PAGE - 8, 0),
      d.pick(1, 2, 3, d.below(6)),
      d.pick(0, 0, 0, 1, 30),
      d.pick(0, 0, d.below(0x10000)),
      d.pick(DOMID_SELF, 0, d.below(10)),
    ),
    ...[0, 1, 2, 3].flatMap((i) => dataAt(64 + 4 * i, d.pick(d.mfn(), 64 + d.below(12)))),
    ...call(HYPERCALL.memory_op, d.pick(0, 1, 6) | (d.pick(0, 0, 0, 1) << 6), d.pointer()),
  ],
  memory_op: (d) => [
    ...data(...d.words(6)),
    ...call(HYPERCALL.memory_op, d.pick(2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 21, 23, 24, 25, 27, 28), d.pointer()),
  ],
  memory_map: (d) => [...data(d.below(8), d.pick(DATA + 64, d.pointer())), ...call(HYPERCALL.memory_op, d.pick(9, 10), d.pointer())],
  set_memory_map: (d) => [
    ...data(d.pick(DOMID_SELF, 0), d.pick(1, 2, d.below(200)), DATA + 64),
    ...call(HYPERCALL.memory_op, MEMORY.set_memory_map, d.pointer()),
  ],
  machphys: (d) => [...data(d.below(3), d.pick(DATA + 64, d.pointer())), ...call(HYPERCALL.memory_op, d.pick(5, 25), d.pointer())],
  setup_table: (d) => [
    ...data(d.pick(DOMID_SELF, 0, 3), d.pick(1, 2, 3, d.below(70)), 0, d.pick(DATA + 64, DATA + PAGE - 8, d.pointer())),
    ...call(HYPERCALL.grant_table_op, GRANT.setup_table, d.pointer(), d.pick(1, 1, 1, 0, 2)),
  ],
  grants: (d) => [...data(...d.words(8)), ...call(HYPERCALL.grant_table_op, d.pick(0, 1, 6, 8, 10, 11), d.pointer(), d.pick(0, 1, 1, 2))],
  copy: (d) => {
    const side = (): readonly number[] => [
      d.pick(d.frame(d.spare()), d.below(8)),
      d.pick(DOMID_SELF, 0, d.below(4)) | (d.below(300) << 16),
    ];
    const element = (): readonly number[] => [
      ...side(),
      ...side(),
      d.pick(d.below(300), d.below(5000)) | (d.pick(0, 0, d.below(4)) << 16),
      0,
    ];
    return [...data(...element(), ...element()), ...call(HYPERCALL.grant_table_op, GRANT.copy, d.pointer(), d.pick(1, 2, 2, 0))];
  },
  status_frames: (d) => [
    ...data(d.below(3), d.pick(DOMID_SELF, 0, 3), d.pick(DATA + 64, d.pointer())),
    ...call(HYPERCALL.grant_table_op, GRANT.get_status_frames, d.pointer(), d.pick(1, 1, 0, 2)),
  ],
  update_va_mapping: (d) =>
    call(
      HYPERCALL.update_va_mapping,
      d.pick(d.spare(), d.spare(), SPARE, SPARE + PAGE, d.pointer()),
      (d.mfn() << 12) | d.pick(0x21, 0x23, 0x25, 0x27, 0, 0x63, 0x67, 0x163, 0xa3, d.below(0x1000)),
      d.pick(0, 0, 0, 0, 1, d.below(16)) | d.pick(0, 0, 0x80000000),
      d.pick(0, 1, 2, 6, 5, 1 | DATA),
    ),
  otherdomain: (d) =>
    call(HYPERCALL.update_va_mapping_otherdomain, d.spare(), (d.mfn() << 12) | 0x23, 0, d.below(3), d.pick(DOMID_SELF, 0, 0x7ff1, 1)),
  read_only: (d) => readOnly(d, d.spare()),
  writable: (d) => mapped(d, d.spare(), 0x23),
  mmu_update: (d) => [
    ...data(
      ...[0, 1, 2].flatMap(() => [
        (d.mfn() << 12) | (8 * d.below(512)) | d.below(4),
        0,
        (d.mfn() << 12) | d.pick(0x21, 0x23, 0x27, 1, 0, d.below(0x1000)),
        d.pick(0, 0, 0x80000000),
      ]),
    ),
    ...call(
      HYPERCALL.mmu_update,
      d.pointer(),
      d.below(4),
      d.pick(0, DATA + 256, d.pointer()),
      d.pick(DOMID_SELF, DOMID_SELF, 0x7ff1, 0, 3),
    ),
  ],
  l3_entry: (d) => [
    ...data(0, 0, d.pick(0, (d.frame(d.spare()) << 12) | d.pick(1, 0x21, 0x7, 0x67, 0x101)), d.pick(0, 0, 0, 0x80000000)),
    ...tableAddress(d, (8 * d.below(6)) | d.pick(0, 2)),
    ...keep(DATA),
    ...call(HYPERCALL.mmu_update, DATA, 1, 0, DOMID_SELF),
  ],
  mmuext_op: (d) => [
    ...data(...[0, 1].flatMap(() => [d.below(19), d.pick(d.mfn(), d.pointer()), d.pick(d.below(600), d.mfn(), DATA)])),
    ...call(
      HYPERCALL.mmuext_op,
      d.pointer(),
      d.pick(0, 1, 2, 2, 3, 0x80000001),
      d.pick(0, DATA + 256),
      d.pick(DOMID_SELF, DOMID_SELF, 0, 0x7ff1, 9),
    ),
  ],
  pin: (d) => {
    const page = SPARE + PAGE * d.below(4);
    return [...readOnly(d, page), ...data(d.pick(0, 1, 2, 4, 5), d.frame(page), 0), ...call(HYPERCALL.mmuext_op, DATA, 1, 0, DOMID_SELF)];
  },
  /** An L3 of the guest's own: three L2s of the initial one, and a last L2 that Xen completes. */
  address_space: (d) => {
    const top = SPARE + PAGE;
    const entries = [0, 1, 2].flatMap((i) => [
      ...load(TABLES),
      ...[0x8b, 0x40, 8 * i],
      ...and(WITHOUT_SET_BITS),
      ...keep(SPARE + 8 * i),
      ...store(SPARE + 8 * i + 4, 0),
    ]);
    return [
      ...entries,
      ...store(SPARE + 24, (d.frame(top) << 12) | d.pick(1, 1, 0x21, 0x9)),
      ...store(SPARE + 28, 0),
      ...store(SPARE + 32, d.below(99)),
      ...readOnly(d, SPARE),
      ...readOnly(d, top),
      ...data(d.pick(2, 5), d.frame(SPARE), 0, d.pick(5, 4, 2), d.frame(SPARE), 0, 6, 0, 0),
      ...call(HYPERCALL.mmuext_op, DATA, d.pick(1, 2, 3), DATA + 256, DOMID_SELF),
    ];
  },
  /** A table of entries, and stores into it that Xen carries out: by halves, in either order. */
  stores: (d) => {
    const page = SPARE + PAGE * 2;
    const at = page + 8 * d.below(4);
    const entry = (d.frame(d.spare()) << 12) | d.pick(0x21, 0x23, 0x63, 0);
    return [
      ...store(at, 0),
      ...store(at + 4, 0),
      ...readOnly(d, page),
      ...data(0, d.frame(page), 0),
      ...call(HYPERCALL.mmuext_op, DATA, 1, 0, DOMID_SELF),
      ...store(at, entry),
      ...store(at + 4, d.pick(0, 0, 0x80000000, 0x7fff)),
      ...store(at, d.pick(entry, 0)),
    ];
  },
} as const satisfies Record<string, Family>;
