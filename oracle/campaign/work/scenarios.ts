/** Domains that have Xen do much at a time: so much that it must ask on the way whether to stop. */
import { XEN_DOMCTL_MODELLED } from '#spec/abi/domctl.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { Program } from '#spec/program.ts';
import { INTERFACE_VERSIONS } from '#spec/releases/control.ts';
import { REFERENCE_RELEASE } from '#spec/releases/release.ts';
import { caseOf } from '../case.ts';
import { subjectOf as crowdOf } from '../crowd/check.ts';
import { DEFAULT_POLICY } from '../environment.ts';
import { readPv32Scripts, subjectOfScript } from '../pv32/scripts.ts';
import type { Scenario } from '../translations/scenarios.ts';

const SELF = 0x7ff0;
const { sched_op: SCHED, grant_table_op: GRANT, event_channel_op: PORT, memory_op: MEMORY, mmuext_op: EXT } = SUBOPERATIONS;

type Call = { readonly do: 'hypercall'; readonly call: string; readonly args: readonly unknown[] };
const call = (name: string, ...args: readonly unknown[]): Call => ({ do: 'hypercall', call: name, args });
const listed = ({ call: name, args }: Call) => ({ call: name, args });
const together = (...steps: readonly Call[]) => ({ do: 'calls', calls: steps.map(listed) });
const often = (draws: number, ...steps: readonly Call[]) => ({ do: 'calls', calls: steps.map(listed), draws, seed: 1 });
const times = <T>(count: number, one: T): readonly T[] => Array.from({ length: count }, () => one);
const programOf = (...steps: readonly object[]): Program => Program.parse({ steps: steps.map((step, id) => ({ id, ...step })) });

const ext = (cmd: number, page: number) =>
  call('mmuext_op', { structs: [{ struct: 'xen.mmuext_op', fields: { cmd, arg1: { page, as: 'mfn' }, arg2: 0 } }] }, 1, 0, SELF);
const unmap = (page: number) => call('update_va_mapping', { page, as: 'va' }, 0, 0);
const extents = (op: number, list: readonly unknown[], order: number) =>
  call('memory_op', op, {
    struct: 'memory.reservation',
    fields: {
      extent_start: { array: list, size: 8, show: 'nothing' },
      nr_extents: list.length,
      extent_order: order,
      address_bits: 0,
      domid: SELF,
    },
  });
const openPort = call('event_channel_op', PORT.alloc_unbound, { struct: 'evtchn.alloc_unbound', fields: { dom: SELF, remote_dom: 0 } });
const grants = (op: number, struct: string, ...fields: readonly object[]) =>
  call('grant_table_op', op, { structs: fields.map((one) => ({ struct: `gnttab.${struct}`, fields: one })) }, fields.length);

/** Page 0 is to be a table of level 2 with so many of level 1 below it, which nothing maps any more. */
const TABLES = 5;
const tree = (): readonly object[] => [
  ...Array.from({ length: TABLES }, (_, i) => ({
    do: 'access',
    how: 'write',
    at: { page: 0, as: 'va', plus: 8 * i },
    size: 8,
    value: { page: i + 1, as: 'pte', flags: 7 },
  })),
  together(...Array.from({ length: TABLES + 1 }, (_, i) => unmap(i)), ext(EXT.pin_l2_table, 0), ext(EXT.unpin_table, 0)),
];

const alone = (...steps: readonly object[]): Scenario => ({ subject: caseOf(programOf(...steps), 1), policy: DEFAULT_POLICY });

const wait = (rounds: number) => ({
  do: 'code',
  code: [
    { op: 'mov', args: ['ecx', rounds] },
    { op: 'loop', args: [{ to: 1 }] },
  ],
});
const destroy = (domain: number) =>
  call('domctl', {
    struct: 'control.domctl',
    fields: { cmd: XEN_DOMCTL_MODELLED.destroydomain, interface_version: INTERFACE_VERSIONS[REFERENCE_RELEASE].domctl, domain },
  });

/** Domain 1 does something and sleeps; domain 0 ends it then. */
const ended = (first: readonly object[], ...steps: readonly object[]): Scenario => ({
  subject: crowdOf({
    seed: 1,
    release: REFERENCE_RELEASE,
    programs: [programOf(...first, wait(30_000), destroy(1)), programOf(...steps, together(call('sched_op', 1, 0)))],
  }),
  policy: { ...DEFAULT_POLICY, slice: 400 },
});

const DEVICE_MAP = 1;
const REFS = [9, 10, 11];

export const SCENARIOS: Readonly<Record<string, () => Scenario>> = {
  /** A tree of page tables is pinned, and unpinned. */
  tree: () => alone(...tree()),
  /** More ports than Xen closes without a question. */
  ports: () => alone(often(200, openPort), call('event_channel_op', PORT.reset, { struct: 'evtchn.reset', fields: { dom: SELF } })),
  /** Lists that are longer than what is done of them at once. */
  lists: () =>
    alone(
      grants(GRANT.unmap_grant_ref, 'unmap_grant_ref', ...times(70, { host_addr: 0, dev_bus_addr: 0, handle: 7777 })),
      call(
        'mmuext_op',
        { structs: times(4, { struct: 'xen.mmuext_op', fields: { cmd: EXT.tlb_flush_local, arg1: 0, arg2: 0 } }) },
        4,
        0,
        SELF,
      ),
      call('multicall', { calls: times(4, { call: 'xen_version', args: [0, 0] }) }, 4),
    ),
  /** Timers that have come when they are set, a vCPU that goes to another processor, a multicall; turns so short that they end soon behind each. */
  returns: () => {
    const { subject, policy } = alone(
      call('set_timer_op', 1, 0),
      call('sched_op', SCHED.pin_override, { struct: 'sched.pin_override', fields: { pcpu: 1 } }),
      call('multicall', { calls: times(2, { call: 'xen_version', args: [0, 0] }) }, 2),
      wait(50),
    );
    return { subject: { ...subject, config: { ...subject.config, pcpus: 2 } }, policy: { ...policy, slice: 7 } };
  },
  /** A 32-bit domain, whose structures Xen lays out anew. */
  narrow: () => {
    const { script } = readPv32Scripts().find(({ name }) => name.endsWith('lists'))!;
    return { subject: subjectOfScript(script), policy: { ...DEFAULT_POLICY, slice: 40 } };
  },
  /** A domain without devices asks for large extents, and for many. */
  extents: () =>
    ended(
      [],
      extents(MEMORY.increase_reservation, [0], 10),
      together(
        unmap(1),
        unmap(2),
        unmap(3),
        extents(
          MEMORY.decrease_reservation,
          [1, 2, 3].map((page) => ({ page, as: 'mfn' })),
          0,
        ),
      ),
    ),
  /** A domain ends that has many ports, and that mapped many grants. */
  end: () =>
    ended(
      [
        { do: 'grant_setup', frames: 1 },
        ...REFS.map((ref) => ({ do: 'grant_entry', ref, flags: 1, domid: 1, frame: { page: 5, as: 'mfn' } })),
      ],
      wait(8000),
      often(200, openPort),
      often(600, ...REFS.map((ref) => grants(GRANT.map_grant_ref, 'map_grant_ref', { host_addr: 0, flags: DEVICE_MAP, ref, dom: 0 }))),
    ),
};
