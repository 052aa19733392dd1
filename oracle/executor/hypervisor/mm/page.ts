/** General references to frames. Domains are named by domid; DOMID.IO and DOMID.XEN own frames too. */
import { ModelBug } from '#spec/failure.ts';
import { type FrameTable, NO_OWNER, PGF } from '../frame_table.ts';

/** Take a reference if `owner` owns the frame; false otherwise, also for frames beyond RAM. */
export const getPage = (frames: FrameTable, mfn: number, owner: number): boolean => {
  if (mfn >= frames.count || frames.refs[mfn] === 0 || frames.owner[mfn] !== owner) return false;
  frames.touch(mfn);
  frames.refs[mfn]++;
  return true;
};

/** Whether `owner` owns the frame: a reference taken and given back. */
export const ownsPage = (frames: FrameTable, mfn: number, owner: number): boolean =>
  mfn < frames.count && frames.refs[mfn] !== 0 && frames.owner[mfn] === owner;

/** Take a reference whoever owns the frame (which lies in RAM); NO_OWNER when nobody does, and none is taken. */
export const getOwnerAndReference = (frames: FrameTable, mfn: number): number => {
  if (frames.refs[mfn] === 0) return NO_OWNER;
  frames.touch(mfn);
  frames.refs[mfn]++;
  return frames.owner[mfn];
};

/** Give a reference back. With the last one, which is as a rule the allocation's, the frame is nobody's. */
export const putPage = (frames: FrameTable, mfn: number): void => {
  if (frames.refs[mfn] <= 0) throw new ModelBug(`frame ${mfn.toString(16)} has no reference to lose`);
  frames.touch(mfn);
  if (--frames.refs[mfn] === 0) frames.onLastReference(mfn);
};

/** Take from a frame the reference of its allocation, if it still has it. Somebody else must hold one. */
export const dropAllocation = (frames: FrameTable, mfn: number): void => {
  if ((frames.flags[mfn] & PGF.allocated) === 0) return;
  frames.flags[mfn] &= ~PGF.allocated;
  putPage(frames, mfn);
};
