/** All references to frames, worked out anew from what holds them: page tables, base pointers, pins, descriptor tables, grants, areas of Xen. */
import type { DomainObservation, FrameType, VcpuObservation } from '../observation.ts';
import { entries, entryOf, levelOf, tables } from './page_tables.ts';
import type { View } from './view.ts';

export type UseType = Exclude<FrameType, 'none' | 'shared'>;
/** One reference to a frame; with `type`, which is also a use of it as that. */
export type Use = { readonly mfn: number; readonly type: UseType | null; readonly by: () => string };

const TABLE_TYPES = ['none', 'l1', 'l2', 'l3', 'l4'] as const;

function* ofPageTables(view: View): Generator<Use> {
  for (const { frame, level } of tables(view)) {
    const { mfn: table, partial } = frame;
    for (const { mfn, index, writable } of entries(view, frame, level)) {
      const by = (): string => `entry ${index} of ${TABLE_TYPES[level]} ${table.toString(16)}`;
      if (level === 1) yield { mfn, type: writable ? 'writable' : null, by };
      else if (mfn !== table) {
        // Linear page tables: an entry for a table of the same level.
        const to = view.frames.get(mfn);
        yield { mfn, type: TABLE_TYPES[to && levelOf(to) === level ? level : level - 1] as UseType, by };
      }
    }
    if (partial === null) continue;
    yield { mfn: table, type: TABLE_TYPES[level] as UseType, by: () => 'its state half way' };
    const next = partial.nested ? entryOf(view, table, level, partial.entries) : null;
    if (next) yield { mfn: next.mfn, type: null, by: () => `entry ${next.index} of ${table.toString(16)}, half way` };
  }
}

function* ofPins(view: View): Generator<Use> {
  for (const { mfn, type, pinned } of view.frames.values()) if (pinned) yield { mfn, type: type as UseType, by: () => 'its pin' };
}

type BaseTable = { readonly mfn: number; readonly type: 'l3' | 'l4'; readonly what: string };

/** A vCPU of a 32-bit domain: its L4 is Xen's. */
export const isCompat = (view: View, { kernel_table }: VcpuObservation): boolean =>
  kernel_table !== 0 && view.frames.get(kernel_table)?.owner === undefined;

/** Where a vCPU's address spaces begin in its domain's frames. That of a 32-bit domain has an L4 of Xen's, with the guest's L3 in the first place. */
export const baseTables = (view: View, vcpu: VcpuObservation): readonly BaseTable[] => {
  const { kernel_table, user_table } = vcpu;
  if (isCompat(view, vcpu)) {
    const base = entryOf(view, kernel_table, 4, 0);
    return base ? [{ mfn: base.mfn, type: 'l3', what: 'the base pointer' }] : [];
  }
  return [
    { mfn: kernel_table, type: 'l4', what: 'the kernel table' } as const,
    { mfn: user_table, type: 'l4', what: 'the user table' } as const,
  ].filter(({ mfn }) => mfn !== 0);
};

function* ofVcpus(view: View, domain: DomainObservation): Generator<Use> {
  for (const vcpu of domain.vcpus) {
    const by = (what: string) => (): string => `${what} of d${domain.domid}v${vcpu.vcpu}`;
    const late = vcpu.put_off === undefined ? undefined : view.frames.get(vcpu.put_off);
    // One that is half given back is held by its own state.
    if (late?.partial === null) yield { mfn: late.mfn, type: late.type as UseType, by: by('the table put off') };
    for (const { mfn, type, what } of baseTables(view, vcpu)) yield { mfn, type, by: by(what) };
    for (const mfn of vcpu.gdt.frames) yield { mfn, type: 'seg_desc', by: by('the GDT') };
    for (const [, mfn] of vcpu.ldt.frames ?? []) yield { mfn, type: 'seg_desc', by: by('the LDT') };
    if (vcpu.vcpu_info[0] !== domain.shared_info) yield { mfn: vcpu.vcpu_info[0], type: 'writable', by: by('vcpu_info') };
  }
}

function* ofEvents({ domid, fifo, eoi_map }: DomainObservation): Generator<Use> {
  for (const mfn of fifo?.array ?? []) yield { mfn, type: 'writable', by: () => `the event array of d${domid}` };
  for (const { control_block } of fifo?.vcpus ?? [])
    if (control_block) yield { mfn: control_block[0], type: 'writable', by: () => `a control block of d${domid}` };
  if (eoi_map !== undefined) yield { mfn: eoi_map, type: 'writable', by: () => `the map of interrupts of d${domid}` };
}

/** Mappings for devices; those for a processor are entries of page tables. */
function* ofGrants({ domid, active_grants }: DomainObservation): Generator<Use> {
  for (const { ref, mfn, device_read, device_write } of active_grants) {
    for (let i = 0; i < device_read; i++) yield { mfn, type: null, by: () => `grant ${ref} of d${domid}, for a device` };
    for (let i = 0; i < device_write; i++) yield { mfn, type: 'writable', by: () => `grant ${ref} of d${domid}, for a device` };
  }
}

/** Every reference but that of a frame's allocation. */
export function* uses(view: View): Generator<Use> {
  yield* ofPageTables(view);
  yield* ofPins(view);
  for (const domain of view.observation.domains) {
    yield* ofVcpus(view, domain);
    yield* ofEvents(domain);
    yield* ofGrants(domain);
  }
}
