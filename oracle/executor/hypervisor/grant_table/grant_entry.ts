/** The entries of a domain's grant table in guest memory, and where the marks of their use are: in the entry, or in a status frame. */
import {
  GNTST,
  GRANT_STATUS_PER_FRAME,
  GRANT_V1_PER_FRAME,
  GRANT_V2_PER_FRAME,
  GTF,
  grant_entry_v1,
  grant_entry_v2,
} from '#spec/abi/grant_table.ts';
import type { Domain } from '../domain.ts';
import type { ActiveGrant } from '../grant_state.ts';
import type { Machine } from '../machine.ts';
import { TWO32 } from '../u64.ts';

/** Both versions begin alike. */
const { flags, domid } = grant_entry_v1.fields;

/** Machine address of an entry in range. */
export const grantEntry = ({ grants }: Domain, ref: number): number =>
  grants.version === 1
    ? grants.frames[Math.floor(ref / GRANT_V1_PER_FRAME)] * 4096 + (ref % GRANT_V1_PER_FRAME) * grant_entry_v1.size
    : grants.frames[Math.floor(ref / GRANT_V2_PER_FRAME)] * 4096 + (ref % GRANT_V2_PER_FRAME) * grant_entry_v2.size;

/** Machine address of the 16 bits in which Xen marks the entry as in use. */
export const statusEntry = (domain: Domain, ref: number): number => {
  if (domain.grants.version === 1) return grantEntry(domain, ref) + flags.at;
  return domain.grants.statusFrames[Math.floor(ref / GRANT_STATUS_PER_FRAME)] * 4096 + (ref % GRANT_STATUS_PER_FRAME) * 2;
};

/** The frame that the entry at `entry` names: 0 to 2^64 - 1, exact below 2^53. */
export const grantedFrame = ({ memory }: Machine, { grants }: Domain, entry: number): number => {
  if (grants.version === 1) return memory.read32(entry + grant_entry_v1.fields.frame.at) >>> 0;
  const { at } = grant_entry_v2.fields.frame;
  return (memory.read32(entry + at) >>> 0) + (memory.read32(entry + at + 4) >>> 0) * TWO32;
};

/**
 * Mark an entry as in use by `user`, for reading or for writing too. `active` is what is known of earlier users, which answered for type
 * and domid then. A mapping (`mapping`) takes whole pages only; a copy may also use part of a page, or pass a grant on. Answers a GNTST.
 */
export const setStatus = (
  machine: Machine,
  granter: Domain,
  ref: number,
  active: ActiveGrant | undefined,
  readonly: boolean,
  user: number,
  mapping: boolean,
): number => {
  const { memory } = machine;
  const entry = grantEntry(granter, ref);
  const old = memory.read16(entry + flags.at);
  if (!active?.isPinned()) {
    const type = old & (mapping ? GTF.type_mask | GTF.sub_page : GTF.type_mask);
    const permits = type === GTF.permit_access || (granter.grants.version === 2 && !mapping && type === GTF.transitive);
    if (!permits || memory.read16(entry + domid.at) !== user) return GNTST.general_error;
  }
  if (!readonly && (old & GTF.readonly) !== 0) return GNTST.general_error;
  const at = statusEntry(granter, ref);
  memory.write16(at, memory.read16(at) | GTF.reading | (readonly ? 0 : GTF.writing));
  return GNTST.okay;
};

/** After a use ended, or came to nothing: take back the marks that no use justifies any more. */
export const reduceStatus = (machine: Machine, granter: Domain, ref: number, active: ActiveGrant | undefined, readonly: boolean): void => {
  let clear = active?.isPinned() ? 0 : GTF.reading;
  if (!readonly && !active?.isWritePinned()) clear |= GTF.writing;
  if (clear === 0) return;
  const at = statusEntry(granter, ref);
  machine.memory.write16(at, machine.memory.read16(at) & ~clear);
};
