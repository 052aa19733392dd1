/** Domains whose processors keep translations until Xen makes them forget: these do not ask for it themselves. */
import { Program } from '#spec/program.ts';
import { REFERENCE_RELEASE } from '#spec/releases/release.ts';
import type { Subject } from '../../compare/lockstep.ts';
import { caseOf } from '../case.ts';
import { subjectOf as crowdOf } from '../crowd/check.ts';
import { DEFAULT_POLICY, type Policy } from '../environment.ts';

const SELF = 0x7ff0;
const call = (name: string, ...args: readonly unknown[]) => ({ do: 'hypercall', call: name, args });
const unmap = (page: number) => call('update_va_mapping', { page, as: 'va' }, 0, 0);
const extOf = (cmd: number, page: number | string) =>
  call('mmuext_op', { structs: [{ struct: 'xen.mmuext_op', fields: { cmd, arg1: { page, as: 'mfn' }, arg2: 0 } }] }, 1, 0, SELF);
const reservation = (op: number, extents: readonly unknown[]) =>
  call('memory_op', op, {
    struct: 'memory.reservation',
    fields: {
      ...{ extent_start: { array: extents, size: 8, show: 'nothing' }, nr_extents: extents.length },
      ...{ extent_order: 0, address_bits: 0, domid: SELF },
    },
  });
const grantOp = (op: number, struct: string, fields: object) =>
  call('grant_table_op', op, { structs: [{ struct: `gnttab.${struct}`, fields }] }, 1);
const [MAP, UNMAP] = [0, 1];
const [INCREASE, DECREASE] = [0, 1];
const PIN_L1 = 0;
const HOST_MAP = 2;

const programOf = (...steps: readonly object[]): Program => Program.parse({ steps: steps.map((step, id) => ({ id, ...step })) });
/** Calls without a flush of the guest's own between them. */
const together = (...steps: readonly ReturnType<typeof call>[]) => ({
  do: 'calls',
  calls: steps.map((step) => ({ call: step.call, args: step.args })),
});
const wait = (rounds: number) => ({
  do: 'code',
  code: [
    { op: 'mov', args: ['ecx', rounds] },
    { op: 'loop', args: [{ to: 1 }] },
  ],
});
const block = call('sched_op', 1, 0);

export type Scenario = { readonly subject: Subject; readonly policy: Policy };

const PCPUS = 2;
/** One domain. */
const alone = (slice: number, ...steps: readonly object[]): Scenario => {
  const { config, images } = caseOf(programOf(...steps), 1);
  return { subject: { config: { ...config, pcpus: PCPUS }, images }, policy: { ...DEFAULT_POLICY, slice } };
};
/** Domains that know nothing of each other. */
const crowd = (slice: number, ...programs: readonly Program[]): Scenario => {
  const { config, images } = crowdOf({ seed: 1, release: REFERENCE_RELEASE, programs });
  return { subject: { config: { ...config, pcpus: PCPUS }, images }, policy: { ...DEFAULT_POLICY, slice } };
};

/** So short that a guest cannot flush between two looks. */
const SHORT = 3;

export const SCENARIOS: Readonly<Record<string, () => Scenario>> = {
  /** A page that could be written becomes a table. */
  retyped: () => alone(SHORT, together(unmap(2), extOf(PIN_L1, 2))),
  /** A page that domain 1 gives back, before it sleeps, is domain 0's next. */
  handed_on: () =>
    crowd(
      200,
      programOf(wait(20_000), reservation(DECREASE, [{ page: 3, as: 'mfn' }]), reservation(INCREASE, [0, 0])),
      programOf(together(unmap(2), reservation(DECREASE, [{ page: 2, as: 'mfn' }]), block)),
    ),
  /** Domain 1 maps a page of domain 0's, and gives the mapping back before it sleeps. */
  ungranted: () =>
    crowd(
      200,
      programOf(
        { do: 'grant_setup', frames: 1 },
        { do: 'grant_entry', ref: 9, flags: 1, domid: 1, frame: { page: 5, as: 'mfn' } },
        wait(20_000),
      ),
      programOf(
        wait(4000),
        grantOp(MAP, 'map_grant_ref', { host_addr: { page: 0, as: 'va' }, flags: HOST_MAP, ref: 9, dom: 0 }),
        wait(1000),
        together(grantOp(UNMAP, 'unmap_grant_ref', { host_addr: { page: 0, as: 'va' }, dev_bus_addr: 0, handle: 0 }), block),
      ),
    ),
};

export const LIMIT = 200_000;
