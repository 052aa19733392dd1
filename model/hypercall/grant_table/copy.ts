/** GNTTABOP_copy: Xen copies between two frames, each the caller's own or granted. Chapter: spec/chapters/grant_table.md, "copy". */
import { GNTCOPY, gnttab } from '#spec/abi/grant_table.ts';
import { DOMID } from '#spec/abi/xen.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { arrayOk, copyFromGuest, copyToGuestUnchecked } from '../../guest_copy.ts';
import { cite, emit } from '../../journal.ts';
import { findDomain, setMemory } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { readBytes, writeBytes } from '../../memory/access.ts';
import { getPage, putPage } from '../../page_type/references.ts';
import { getPageType, putPageType } from '../../page_type/type.ts';
import { addInt, type Word } from '../../word/word.ts';
import { spend } from '../../work.ts';
import { self } from '../domids.ts';
import { fieldsOf, withFields } from '../guest_struct.ts';
import { preemptCheck } from '../preempt.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { acquireForCopy, releaseForCopy } from './acquire_for_copy.ts';
import { goOnLater } from './elements.ts';
import { type GrantResult, okay, refused } from './status.ts';

/** One side as the guest names it: a grant, or a frame; `which` is the reference or the frame. */
type Side = { readonly domid: number; readonly granted: boolean; readonly which: number; readonly offset: number };
type Copy = { readonly source: Side; readonly dest: Side; readonly length: number };

/** What Xen holds for a side, from one element to the next as long as they name the same. */
type Buffer = {
  readonly side: Side;
  readonly owner: number;
  readonly writable: boolean;
  readonly mfn: number;
  /** The frame that the reference, and for a destination the use, are held of: `mfn`, unless gnttab/copy-changed went unnoticed. */
  readonly page: number;
  readonly offset: number;
  readonly length: number;
};
/** `domids`: of the two sides, once both were found. `names`: the frame or reference that each side took last. */
type Held = {
  readonly names: Readonly<Record<'source' | 'dest', number>>;
  readonly machine: Machine;
  readonly domids: readonly [source: number, dest: number] | null;
  readonly source: Buffer | null;
  readonly dest: Buffer | null;
};

const PAGE = 4096;

const copyIn = (bytes: Uint8Array): Copy => {
  const f = fieldsOf(bytes, gnttab.copy);
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const side = (which: 'source' | 'dest', granted: boolean): Side => ({
    domid: f[`${which}_domid`],
    granted,
    // A reference is the low half of the field.
    which: granted ? words.getUint32(gnttab.copy.fields[which].at, true) : f[which],
    offset: f[`${which}_offset`],
  });
  return {
    source: side('source', (f.flags & GNTCOPY.source_gref) !== 0),
    dest: side('dest', (f.flags & GNTCOPY.dest_gref) !== 0),
    length: f.len,
  };
};

export const copyGrants = (machine: Machine, caller: VcpuRef, uop: Word, count: number): HypercallResult => {
  const { size, fields } = gnttab.copy;
  if (!arrayOk(uop, count, size)) return fail(machine, 'EFAULT', 'gnttab/array');
  let held: Held = { machine, domids: null, names: { source: 0, dest: 0 }, source: null, dest: null };
  for (let i = 0; i < count; i++) {
    if (i > 0) {
      const asked = preemptCheck(held.machine, caller);
      held = { ...held, machine: asked.machine };
      if (asked.stop) return goOnLater(releaseBoth(held).machine, 'copy', addInt(uop, i * size), count - i);
    }
    spend(held.machine, 'entry');
    const at = addInt(uop, i * size);
    const read = copyFromGuest(held.machine, caller, at, size);
    if (!read.ok) return fail(releaseBoth({ ...held, machine: read.machine }).machine, 'EFAULT', 'gnttab/element-fault');
    const one = copyOne({ ...held, machine: read.machine }, caller, copyIn(read.bytes));
    held = one.held;
    const status = withFields(read.bytes, gnttab.copy, { status: one.status }).slice(
      fields.status.at,
      fields.status.at + fields.status.size,
    );
    const told = emit(held.machine, { kind: 'operation', at: caller, name: 'grant_table_op/copy', result: one.status });
    const written = copyToGuestUnchecked(told, caller, addInt(at, fields.status.at), status);
    held = { ...held, machine: written.machine };
    if (!written.ok) return fail(releaseBoth(held).machine, 'EFAULT', 'gnttab/element-fault');
  }
  return done(releaseBoth(held).machine, 'gnttab/batch-done');
};

type One = { readonly held: Held; readonly status: number };

/** An element: its two sides are taken, where they are not held from the one before, and then copied. What is held is let go after a failure. */
const copyOne = (before: Held, caller: VcpuRef, copy: Copy): One => {
  if (copy.length === 0 && waysOf(before.machine.config.release)['copy-no_bytes'] === 'done') return { held: before, status: 0 };
  let held = before;
  const domids = [copy.source.domid, copy.dest.domid] as const;
  if (held.domids?.[0] !== domids[0] || held.domids[1] !== domids[1]) {
    const named = whoIs(releaseBoth(held).machine, caller, copy);
    held = { ...held, machine: named.machine, domids: named.status === 0 ? domids : null, source: null, dest: null };
    if (named.status !== 0) return failed(held, named.status);
  }
  for (const which of ['source', 'dest'] as const) {
    if (isKept(held, which, copy[which])) {
      held = { ...held, machine: cite(held.machine, 'gnttab/copy-kept') };
      continue;
    }
    held = release(held, which);
    const claimed = claim(held.machine, caller, copy[which], which === 'dest');
    held = { ...held, machine: claimed.machine };
    if (!claimed.out) return failed(held, claimed.status);
    held = { ...held, names: { ...held.names, [which]: nameAfter(held.names[which], copy[which]) }, [which]: claimed.out };
  }
  return move(held, copy);
};

const HALF = 2 ** 32;
/** Xen keeps a reference in the lower half of where it keeps frames. */
const nameAfter = (before: number, { granted, which }: Side): number => (granted ? Math.floor(before / HALF) * HALF + which : which);

const isKept = ({ machine, names, ...held }: Held, which: 'source' | 'dest', side: Side): boolean => {
  const buffer = held[which];
  if (!buffer) return false;
  if (side.granted) return buffer.side.granted && buffer.side.which === side.which;
  const kind = waysOf(machine.config.release)['copy-kept'] === 'by number' || !buffer.side.granted;
  return kind && names[which] === side.which;
};

const failed = (held: Held, status: number): One => ({ held: releaseBoth(held), status });

const deniedWithDomain = ({ config }: Machine): boolean => waysOf(config.release)['copy-others_frame'] === 'with its domain';

/** gnttab/copy-domain: first the source's, then the destination's. */
const whoIs = (machine: Machine, caller: VcpuRef, { source, dest }: Copy): GrantResult<null> => {
  for (const side of [source, dest]) {
    if (isOthersFrame(side) && deniedWithDomain(machine)) return refused(machine, 'permission_denied', 'gnttab/copy-permission');
    if (!findDomain(machine, self(side.domid, caller))) return refused(machine, 'bad_domain', 'gnttab/copy-domain');
  }
  return okay(machine, 'gnttab/copy-domain', null);
};

/** Only a frame of its own may be named by its number, and only as DOMID_SELF's. */
const isOthersFrame = ({ domid, granted }: Side): boolean => domid !== DOMID.SELF && !granted;

const claim = (machine: Machine, caller: VcpuRef, side: Side, writable: boolean): GrantResult<Buffer> => {
  const owner = self(side.domid, caller);
  if (isOthersFrame(side) && !deniedWithDomain(machine)) return refused(machine, 'permission_denied', 'gnttab/copy-permission');
  // One that comes here where domains are denied as they are looked up had the domains of the element before.
  if (isOthersFrame(side) && owner !== caller.domid) throw new NotModelled('grant_table_op/copy-frame_of_other');
  const taken = side.granted ? acquireForCopy(machine, owner, side.which, caller.domid, !writable) : ownFrame(machine, owner, side.which);
  if (!taken.out) return { ...taken, out: null };
  const { page } = taken.out;
  const buffer: Buffer = { side, owner, writable, ...taken.out };
  if (!writable) return okay(taken.machine, 'gnttab/copy-entry', buffer);
  const used = getPageType(taken.machine, page, 'writable');
  if (!used.errno) return okay(used.machine, 'gnttab/copy-entry', buffer);
  const put = putPage(side.granted ? releaseForCopy(used.machine, owner, side.which, false) : used.machine, page);
  return refused(put, 'general_error', 'gnttab/copy-write_conflict');
};

const ownFrame = (machine: Machine, owner: number, mfn: number) => {
  const held = getPage(machine, owner, mfn);
  return held.errno
    ? refused(held.machine, 'bad_page', 'gnttab/copy-frame')
    : okay(held.machine, 'gnttab/copy-frame', { mfn, page: mfn, offset: 0, length: PAGE });
};

const release = (held: Held, which: 'source' | 'dest'): Held => {
  const buffer = held[which];
  if (!buffer) return held;
  const { side, owner, writable, page } = buffer;
  const m = side.granted ? releaseForCopy(held.machine, owner, side.which, !writable) : held.machine;
  return { ...held, machine: putPage(writable ? putPageType(m, page) : m, page), [which]: null };
};

const releaseBoth = (held: Held): Held => release(release(held, 'source'), 'dest');

const move = (held: Held, { source, dest, length }: Copy): One => {
  const [from, to] = [held.source!, held.dest!];
  const error = (status: 'bad_copy_arg' | 'general_error', clause: ClauseId): One => {
    const { machine, status: number } = refused(held.machine, status, clause);
    return failed({ ...held, machine }, number);
  };
  if (source.offset + length > PAGE || dest.offset + length > PAGE) return error('bad_copy_arg', 'gnttab/copy-page_end');
  if (isOutside(source.offset, length, from)) return error('general_error', 'gnttab/copy-source_bounds');
  if (isOutside(dest.offset, length, to)) return error('general_error', 'gnttab/copy-dest_bounds');
  const memory = writeBytes(
    held.machine.memory,
    to.mfn,
    dest.offset,
    bytesTo(held.machine, from.mfn, source.offset, to.mfn, dest.offset, length),
  );
  return { held: { ...held, machine: cite(setMemory(held.machine, memory), 'gnttab/copy-done') }, status: 0 };
};

const isOutside = (offset: number, length: number, { offset: first, length: room }: Buffer): boolean =>
  offset < first || offset + length > first + room;

const WORD = 8;

/** gnttab/copy-done: eight bytes at a time, then one at a time; where the two overlap, what was written is read again. */
const bytesTo = (machine: Machine, from: number, source: number, to: number, dest: number, length: number): Uint8Array => {
  const bytes = readBytes(machine.memory, from, source, length);
  const ahead = dest - source;
  if (from !== to || ahead <= 0 || ahead >= length) return bytes;
  const out = new Uint8Array(length);
  for (let i = 0; i < length; ) {
    const step = length - i >= WORD ? WORD : 1;
    // What stands at `i` of the source now: below `ahead` it is old, from there on it may have been written.
    const now = Array.from({ length: step }, (_, k) => (i + k >= ahead && i + k - ahead < i ? out[i + k - ahead] : bytes[i + k]));
    out.set(now, i);
    i += step;
  }
  return out;
};
