/** How long Xen may work without asking whether to stop. The bounds are data, each with the reason why Xen keeps it. Chapter: spec/chapters/invariants.md, "Work". */
import type { HypercallName } from '../abi/hypercall.ts';
import { MEMOP_MAX_ORDER } from '../abi/memory.ts';
import { OUTSIDE, type Stretch, type WorkKind } from '../work.ts';
import { domainOf, type Invariant, type View } from './view.ts';

/** Who worked, in which machine. */
type Who = { readonly view: View; readonly domid: number };

export type Bound = {
  readonly call: HypercallName | typeof OUTSIDE;
  /** Those that the bound is for; null: whatever the call does, also before it is known what. */
  readonly operations: readonly string[] | null;
  readonly kind: WorkKind;
  /** Units between two questions. */
  readonly most: (who: Who) => number;
  readonly why: string;
};

const SLOTS = 512;
const DESCRIPTORS = 512;
/** The last slots of a walk, behind its last question: one of an L2, and the L1 below it. */
const TAIL = 1 + SLOTS;
/** Its first slots: a whole L4, one of an L3, one of an L2, and the L1 below it, which gives back what it took when its last entry is refused. */
const HEAD = SLOTS + 1 + 1 + SLOTS + (SLOTS - 1);
/** Walks one after the other, of which those between may be of L4s that lead to nothing that has to be walked. */
const walks = (trees: number): number => TAIL + (trees - 1) * SLOTS + HEAD;

const GDT_PAGES = 14;
/** CS, SS, DS, ES, FS, GS: each may be the first to use its page of the LDT. */
const SELECTORS = 6;

const orderOf = ({ view, domid }: Who): number => {
  if (domid === 0) return MEMOP_MAX_ORDER.dom0;
  const { io_ports, io_frames } = domainOf(view, domid) ?? {};
  return (io_ports?.length ?? 0) + (io_frames?.length ?? 0) > 0 ? MEMOP_MAX_ORDER.devices : MEMOP_MAX_ORDER.domu;
};

const mostVcpus = ({ view }: Who): number => Math.max(...view.config.domains.map(({ vcpus }) => vcpus));

const fixed = (most: number) => (): number => most;
const bound = (call: Bound['call'], operations: Bound['operations'], kind: WorkKind, most: number | Bound['most'], why: string): Bound => ({
  call,
  operations,
  kind,
  most: typeof most === 'number' ? fixed(most) : most,
  why,
});

const TREE = 'levels 2 and 3 ask before each slot but the first; the walk of a table put off by an earlier call may come before';
const TREES = 'the new table is walked, then the old one; an L4 all of whose tables are in use already asks nothing';

/** What is not here may do no more than `SHORT`. The first that fits counts. */
export const BOUNDS: readonly Bound[] = [
  bound('mmuext_op', ['new_baseptr', 'new_user_baseptr'], 'slot', walks(2), TREES),
  bound('mmuext_op', null, 'slot', walks(1), TREE),
  bound('mmu_update', null, 'slot', walks(1), TREE),
  bound('vcpu_op', ['initialise'], 'slot', walks(4), 'kernel and user table are taken, and given back when something else is refused'),
  bound('domctl', ['setvcpucontext'], 'slot', walks(4), 'kernel and user table are taken, and given back when something else is refused'),
  bound(
    'domctl',
    ['destroydomain'],
    'slot',
    (who) => walks(2 * mostVcpus(who)),
    'Xen asks after each frame that goes, but not between vCPUs that lose their two tables: so many as a domain has vCPUs',
  ),
  bound(OUTSIDE, null, 'slot', walks(2), 'a new CR3 is a new base pointer'),
  bound('set_gdt', null, 'descriptor', GDT_PAGES * DESCRIPTORS, 'a guest’s GDT has 14 pages, since what follows is Xen’s'),
  bound('vcpu_op', ['initialise'], 'descriptor', (GDT_PAGES + SELECTORS) * DESCRIPTORS, 'a context has a GDT, and selectors'),
  bound('domctl', ['setvcpucontext'], 'descriptor', (GDT_PAGES + SELECTORS) * DESCRIPTORS, 'a context has a GDT, and selectors'),
  bound('update_descriptor', null, 'descriptor', DESCRIPTORS, 'one page'),
  bound('set_segment_base', null, 'descriptor', DESCRIPTORS, 'a selector may be the first to use a page of the LDT'),
  bound('iret', null, 'descriptor', SELECTORS * DESCRIPTORS, 'each of six selectors may be the first to use its page of the LDT'),
  bound(OUTSIDE, null, 'descriptor', SELECTORS * DESCRIPTORS, 'each of six selectors may be the first to use its page of the LDT'),
  bound(
    'memory_op',
    ['increase_reservation', 'decrease_reservation', 'populate_physmap'],
    'page',
    (who) => 2 ** orderOf(who),
    'Xen asks before each extent but the first; how large one may be depends on the caller (memop-max-order)',
  ),
  bound(
    'memory_op',
    ['exchange'],
    'page',
    (who) => 2 * 2 ** orderOf(who),
    'Xen asks before each chunk but the first: as many extents as make one of the other side’s, which go, and which come',
  ),
  bound('memory_op', ['acquire_resource'], 'entry', 32 + 1, 'frames are told by 32'),
  bound('grant_table_op', ['unmap_grant_ref', 'unmap_and_replace'], 'entry', 32 + 1, 'mappings are given back by 32'),
  bound('grant_table_op', ['cache_flush'], 'grant', 4096, 'the search asks after each 4096 grants'),
  bound('event_channel_op', ['reset', 'reset_cont'], 'port', 64, 'Xen asks at each 64th port'),
  bound('domctl', ['destroydomain'], 'port', 64, 'Xen asks at each 64th port'),
  bound('domctl', ['destroydomain'], 'handle', 256, 'Xen asks where a page of handles begins'),
];

const boundOf = ({ call, kind }: Stretch): Bound | undefined =>
  BOUNDS.find(
    (row) =>
      row.kind === kind &&
      (row.operations === null
        ? call === row.call || call.startsWith(`${row.call}/`)
        : row.operations.some((operation) => call === `${row.call}/${operation}`)),
  );

export const work: Invariant = {
  property: 'TERM',
  states:
    'Between two questions whether to stop, and in a call that asks none, no more slots, pages, ports, handles, descriptors or entries are gone through than the bound of the call allows.',
  *violations(view) {
    for (const stretch of view.work ?? []) {
      const { call, domid, kind, units } = stretch;
      const row = boundOf(stretch);
      const most = row?.most({ view, domid });
      if (most === undefined) yield `${call} of d${domid} goes through units of ${kind} without a question: ${units}`;
      else if (units > most) yield `${call} of d${domid} goes through units of ${kind} without a question: ${units}, not ${most}`;
    }
  },
};
