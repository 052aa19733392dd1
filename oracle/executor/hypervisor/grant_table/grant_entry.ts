/** The entries of a domain's grant table in guest memory, version 1. */
import { GNTST, GRANT_V1_PER_FRAME, GTF, grant_entry_v1 } from '#spec/abi/grant_table.ts';
import type { Domain } from '../domain.ts';
import type { ActiveGrant } from '../grant_state.ts';
import type { Machine } from '../machine.ts';

const { flags, domid, frame } = grant_entry_v1.fields;

/** Machine address of an entry in range. */
export const grantEntry = (domain: Domain, ref: number): number =>
  domain.grants.frames[Math.floor(ref / GRANT_V1_PER_FRAME)] * 4096 + (ref % GRANT_V1_PER_FRAME) * grant_entry_v1.size;

/** The frame that an entry names. */
export const grantedFrame = (machine: Machine, entry: number): number => machine.memory.read32(entry + frame.at) >>> 0;

/**
 * Mark an entry as in use by `user`, for reading or for writing too. `active` is what is known of earlier users, which answered for type
 * and domid then. Answers a GNTST.
 */
export const setStatus = (machine: Machine, entry: number, active: ActiveGrant | undefined, readonly: boolean, user: number): number => {
  const { memory } = machine;
  const old = memory.read16(entry + flags.at);
  if (!active?.isPinned()) {
    const permits = (old & (GTF.type_mask | GTF.sub_page)) === GTF.permit_access;
    if (!permits || memory.read16(entry + domid.at) !== user) return GNTST.general_error;
  }
  if (!readonly && (old & GTF.readonly) !== 0) return GNTST.general_error;
  memory.write16(entry + flags.at, old | GTF.reading | (readonly ? 0 : GTF.writing));
  return GNTST.okay;
};

/** After a use ended, or came to nothing: take back the marks that no use justifies any more. */
export const reduceStatus = (machine: Machine, entry: number, active: ActiveGrant | undefined, readonly: boolean): void => {
  let clear = active?.isPinned() ? 0 : GTF.reading;
  if (!readonly && !active?.isWritePinned()) clear |= GTF.writing;
  if (clear === 0) return;
  machine.memory.write16(entry + flags.at, machine.memory.read16(entry + flags.at) & ~clear);
};
