/** The frames with the marks of use of version 2: made, given up, and told to the guest (GNTTABOP_get_status_frames). */
import { ERRNO } from '#spec/abi/errno.ts';
import { GNTST, GRANT_STATUS_PER_FRAME, GRANT_V2_PER_FRAME, gnttab } from '#spec/abi/grant_table.ts';
import type { Domain } from '../domain.ts';
import { shareXenFrame } from '../domain_builder/build.ts';
import { freeXenheap, setM2p } from '../domain_builder/m2p.ts';
import { NO_OWNER, PGF, PGT } from '../frame_table.ts';
import { accessOk, copyFromGuest, putGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { offsetHi, offsetLo } from '../memory/argument.ts';
import { putPage } from '../mm/page.ts';
import type { Vcpu } from '../vcpu.ts';
import { listFrames, tableOwner } from './table_size.ts';

/** Status frames of a table of so many frames. */
export const statusFramesFor = (frames: number): number => Math.ceil((frames * GRANT_V2_PER_FRAME) / GRANT_STATUS_PER_FRAME);
/** Table frames that so many status frames have room for. */
export const framesForStatus = (statusFrames: number): number => Math.ceil((statusFrames * GRANT_STATUS_PER_FRAME) / GRANT_V2_PER_FRAME);

/** Make those that a table of `frames` frames lacks. Xen's heap must have room for them. */
export const populateStatusFrames = (machine: Machine, domain: Domain, frames: number): void => {
  const { statusFrames } = domain.grants;
  while (statusFrames.length < statusFramesFor(frames)) statusFrames.push(shareXenFrame(machine, domain));
};

/** Give all up. False when one is in use besides its allocation: then they are as before, shared anew. */
export const unpopulateStatusFrames = (machine: Machine, domain: Domain): boolean => {
  const { frames } = machine;
  const { statusFrames } = domain.grants;
  for (let i = 0; i < statusFrames.length; i++) {
    const mfn = statusFrames[i];
    if ((frames.flags[mfn] & PGF.allocated) !== 0) {
      frames.flags[mfn] &= ~PGF.allocated;
      putPage(frames, mfn);
    }
    if (frames.refs[mfn] !== 0) {
      frames.touch(mfn);
      frames.refs[mfn]++;
      frames.flags[mfn] |= PGF.allocated;
      while (i-- > 0) shareAgain(machine, domain, statusFrames[i]);
      return false;
    }
    frames.owner[mfn] = NO_OWNER;
  }
  for (const mfn of statusFrames) freeXenheap(machine, mfn);
  statusFrames.length = 0;
  return true;
};

const shareAgain = (machine: Machine, domain: Domain, mfn: number): void => {
  const { frames } = machine;
  setM2p(machine, mfn, -1);
  frames.touch(mfn);
  frames.owner[mfn] = domain.domid;
  frames.refs[mfn] = 1;
  frames.type[mfn] = PGT.writable;
  frames.typeRefs[mfn] = 1;
  frames.flags[mfn] |= PGF.allocated | PGF.validated;
};

/** Tell where the first status frames of a table are. Answers 0 or a negative errno. */
export const getStatusFrames = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, elements: number): number => {
  const { size, fields } = gnttab.get_status_frames;
  if (elements !== 1) return -ERRNO.EINVAL;
  if (!copyFromGuest(machine, vcpu, lo, hi, size)) return -ERRNO.EFAULT;
  const listLo = scratch.getInt32(fields.frame_list.at, true);
  const listHi = scratch.getInt32(fields.frame_list.at + 4, true);
  if (!accessOk(listHi) && machine.ways['get_status_frames-list_range'] === 'first') return -ERRNO.EFAULT;
  const wanted = scratch.getUint32(fields.nr_frames.at, true);
  const domain = tableOwner(machine, vcpu, scratch.getUint16(fields.dom.at, true));
  let status: number = GNTST.general_error;
  if (typeof domain === 'number') status = domain;
  else if (wanted <= domain.grants.statusFrames.length)
    status = listFrames(machine, vcpu, domain.grants.statusFrames, wanted, listLo, listHi);
  machine.emit({ kind: 'operation', at: vcpu.ref, name: 'grant_table_op/get_status_frames', result: status });
  const { at } = fields.status;
  return putGuest(machine, vcpu, offsetLo(lo, at), offsetHi(lo, hi, at), 2, status) ? 0 : -ERRNO.EFAULT;
};
