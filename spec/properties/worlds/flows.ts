/**
 * Where one domain may have an effect on what another sees. Everything else is a leak. Chapter: spec/chapters/isolation.md.
 *
 * `changing` flows are judged in every transition in which another domain acts: the change has to be one that some flow allows. `declared`
 * ones are side effects of sharing one machine, which Xen does not hide: pairs of runs are drawn so that both have the same of them.
 */
import { GRANT_V1_PER_FRAME, GRANT_V2_PER_FRAME, GTF, grant_entry_v1, grant_entry_v2 } from '../../abi/grant_table.ts';
import { shared_info, vcpu_info } from '../../abi/xen.ts';
import type { DomainObservation } from '../../observation.ts';
import type { Change, ChangedByte } from './change.ts';

/** A transition in which `actor` acts and somebody else looks on. */
export type Turn = {
  readonly actor: number;
  /** Hypercalls that the actor made. */
  readonly calls: readonly string[];
  /** The domain that looks on, before and after. */
  readonly before: DomainObservation;
  readonly after: DomainObservation;
  /** What stood in a frame of its grant table before. */
  readonly page: (mfn: number) => Uint8Array | undefined;
  /** The frame whose entry of the machine-to-phys table has this byte; null for other bytes. */
  readonly named: (mfn: number, at: number) => number | null;
  /** Whether the domain has the frame by a grant of somebody. */
  readonly isBorrowed: (mfn: number, owner: number) => boolean;
  /** Whether a frame was the domain's before. */
  readonly isOwn: (mfn: number) => boolean;
};

export type ChangingFlow = { readonly states: string; readonly allows: (change: Change, turn: Turn) => boolean };

const isOf = (actor: number, remote: number | null | undefined): boolean => remote === actor;
const hasChannel = ({ actor, before, after }: Turn): boolean =>
  [...before.ports, ...after.ports].some(({ remote_dom }) => isOf(actor, remote_dom));

/** Bits of shared info that tell of a channel: the port's pending bit, and what the vCPU's record says. */
const isEventBit = ({ actor, before, after }: Turn, { at, bits }: ChangedByte): boolean => {
  const { evtchn_pending } = shared_info.fields;
  if (at < shared_info.fields.vcpu_info.at + shared_info.fields.vcpu_info.size) return isUpcallByte(at % vcpu_info.size);
  const own = [...before.ports, ...after.ports]
    .filter(({ port, remote_dom }) => isOf(actor, remote_dom) && at === evtchn_pending.at + (port >> 3))
    .reduce((mask, { port }) => mask | (1 << (port & 7)), 0);
  return (bits & ~own) === 0;
};
/** The vCPU's record says that an event waits, and in which words. */
const isUpcallByte = (at: number): boolean => {
  const { evtchn_upcall_pending, evtchn_pending_sel } = vcpu_info.fields;
  return (
    (at >= evtchn_upcall_pending.at && at < evtchn_upcall_pending.at + evtchn_upcall_pending.size) ||
    (at >= evtchn_pending_sel.at && at < evtchn_pending_sel.at + evtchn_pending_sel.size)
  );
};

const isInRecord = (turn: Turn, mfn: number, changed: ChangedByte): boolean => {
  const { at } = changed;
  if (mfn === turn.before.shared_info && isEventBit(turn, changed)) return true;
  return turn.before.vcpus.some(
    ({ vcpu_info: [frame, offset] }) => frame === mfn && at >= offset && at < offset + vcpu_info.size && isUpcallByte(at - offset),
  );
};
const isFifoFrame = ({ fifo }: DomainObservation, mfn: number): boolean =>
  fifo !== undefined && (fifo.array.includes(mfn) || fifo.vcpus.some(({ control_block }) => control_block?.[0] === mfn));

/** What waking up changes of a vCPU. */
const WOKEN: ReadonlySet<string> = new Set(['runstate', 'polling', 'poll_deadline', 'nmi_pending']);

const channel: ChangingFlow = {
  states:
    'Two ends of one event channel: each may raise the other’s port, and change its state by binding or closing its own. A vCPU that waits wakes up.',
  allows: (change, turn) => {
    if (change.kind === 'port') return isOf(turn.actor, change.before?.remote_dom) || isOf(turn.actor, change.after?.remote_dom);
    if (!hasChannel(turn)) return false;
    if (change.kind === 'vcpu') return WOKEN.has(change.field);
    if (change.kind === 'domain') return change.field === 'fifo';
    if (change.kind !== 'bytes') return false;
    if (isFifoFrame(turn.before, change.mfn)) return true;
    return change.at?.every((at) => isInRecord(turn, change.mfn, at)) ?? false;
  },
};

type Entry = {
  readonly ref: number;
  readonly at: readonly [frame: number, from: number, to: number];
  readonly domid: number;
  readonly flags: number;
  readonly mfn: number;
};

/** The entries of a grant table that mean something, as they stood. */
function* grantEntries({ before, page }: Turn): Generator<Entry> {
  const isSecond = before.grant_version === 2;
  const [layout, perFrame] = isSecond ? [grant_entry_v2, GRANT_V2_PER_FRAME] : [grant_entry_v1, GRANT_V1_PER_FRAME];
  const { flags, domid, frame } = layout.fields;
  for (const [i, mfn] of before.grant_frames.entries()) {
    const bytes = page(mfn);
    if (bytes === undefined) continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let n = 0; n < perFrame; n++) {
      const from = n * layout.size;
      const set = view.getUint16(from + flags.at, true);
      if ((set & GTF.type_mask) === 0) continue;
      const to = isSecond ? Number(view.getBigUint64(from + frame.at, true) & 0xffffffffffn) : view.getUint32(from + frame.at, true);
      yield {
        ref: i * perFrame + n,
        at: [mfn, from, from + layout.size],
        domid: view.getUint16(from + domid.at, true),
        flags: set,
        mfn: to,
      };
    }
  }
}
const typeOf = ({ flags }: Entry): number => flags & GTF.type_mask;
const isFor = ({ actor }: Turn, entry: Entry): boolean => entry.domid === actor;
const isActive = ({ actor, before, after }: Turn, mfn: number, writable: boolean): boolean =>
  [...before.active_grants, ...after.active_grants].some(
    (grant) => grant.domid === actor && grant.mfn === mfn && (!writable || grant.host_write + grant.device_write > 0),
  );

/** Whether the entry names the actor, or it has been using it already. */
const isUser = (turn: Turn, ref: number): boolean =>
  turn.before.active_grants.some((grant) => grant.ref === ref && grant.domid === turn.actor) ||
  [...grantEntries(turn)].some((entry) => entry.ref === ref && isFor(turn, entry));

const granted: ChangingFlow = {
  states:
    'A grant names who may use it: that domain shows in its entry and its counts that it does, and writes the frame when the grant says so.',
  allows: (change, turn) => {
    if (change.kind === 'grant') return change.user === turn.actor && isUser(turn, change.ref);
    if (change.kind === 'frame') {
      const wasItsOwn = change.before !== null && change.after !== null && change.before.owner === change.after.owner;
      return (
        wasItsOwn && (isActive(turn, change.mfn, false) || [...grantEntries(turn)].some((e) => isFor(turn, e) && e.mfn === change.mfn))
      );
    }
    if (change.kind !== 'bytes') return false;
    if (isActive(turn, change.mfn, true) || turn.isBorrowed(change.mfn, turn.actor)) return true;
    const entries = [...grantEntries(turn)].filter((entry) => isFor(turn, entry));
    const active = new Set(
      [...turn.before.active_grants, ...turn.after.active_grants].flatMap((g) => (g.domid === turn.actor ? [g.ref] : [])),
    );
    if (turn.before.status_frames?.includes(change.mfn)) return entries.length + active.size > 0;
    if (turn.before.grant_frames.includes(change.mfn))
      return change.at?.every(({ at }) => isEntryByte(turn, entries, active, change.mfn, at)) ?? false;
    return entries.some((entry) => typeOf(entry) === GTF.permit_access && (entry.flags & GTF.readonly) === 0 && entry.mfn === change.mfn);
  },
};
/** A byte of an entry for the actor, or of one that it still uses though its domain has changed it meanwhile. */
const isEntryByte = ({ before }: Turn, entries: readonly Entry[], active: ReadonlySet<number>, mfn: number, at: number): boolean => {
  if (entries.some(({ at: [frame, from, to] }) => frame === mfn && at >= from && at < to)) return true;
  const size = before.grant_version === 2 ? grant_entry_v2.size : grant_entry_v1.size;
  return active.has(before.grant_frames.indexOf(mfn) * (4096 / size) + Math.floor(at / size));
};

const transferred: ChangingFlow = {
  states: 'A grant that accepts a transfer from a domain: that domain may give one frame through it, with what it holds.',
  allows: (change, turn) => {
    if (!turn.calls.includes('grant_table_op')) return false;
    if (![...grantEntries(turn)].some((entry) => isFor(turn, entry) && typeOf(entry) === GTF.accept_transfer)) return false;
    if (change.kind === 'frame') return change.before === null;
    if (change.kind === 'domain') return change.field === 'pages';
    return change.kind === 'bytes' && !turn.before.grant_frames.includes(change.mfn);
  },
};

/** Calls by which the control domain works on another. */
const CONTROL: ReadonlySet<string> = new Set(['domctl', 'memory_op', 'mmu_update', 'mmuext_op', 'update_va_mapping_otherdomain', 'hvm_op']);
const CONTROL_DOMAIN = 0;
const controlled: ChangingFlow = {
  states: 'The control domain may do anything to another, by a hypercall.',
  allows: (_, { actor, calls }) => actor === CONTROL_DOMAIN && calls.some((call) => CONTROL.has(call)),
};

const frameNumbers: ChangingFlow = {
  states:
    'The machine-to-phys table tells everybody which frames have become pages, or are none any more; what it says of the domain’s own stays.',
  allows: (change, { named, isOwn }) =>
    change.kind === 'bytes' &&
    (change.at?.every(({ at }) => {
      const frame = named(change.mfn, at);
      return frame !== null && !isOwn(frame);
    }) ??
      false),
};

export const CHANGING_FLOWS = {
  'flow/channel': channel,
  'flow/granted': granted,
  'flow/transferred': transferred,
  'flow/controlled': controlled,
  'flow/frame-numbers': frameNumbers,
} as const satisfies Record<string, ChangingFlow>;
export type ChangingFlowId = keyof typeof CHANGING_FLOWS;

/** What domains of one machine tell each other because Xen hides it from nobody. */
export const DECLARED_FLOWS = {
  'declared/free-memory': 'How much memory is free, and whether an allocation succeeds.',
  'declared/frame-numbers': 'Which frames an allocation gives, and what the machine-to-phys table says of all frames.',
  'declared/given-back': 'What a living domain leaves in a frame that it gives back: Xen clears the frames of dying domains only.',
  'declared/domids': 'Which domids there are: calls that name one that nobody has say so.',
  'declared/schedule': 'Who runs when, and how long: which vCPU runs next is an input of the machine, the same in both runs.',
} as const;
export type DeclaredFlowId = keyof typeof DECLARED_FLOWS;
