/** General references to frames. Domains are named by domid; DOMID.IO and DOMID.XEN own frames too. */
import { ModelBug } from '#spec/failure.ts';
import { type FrameTable, NO_OWNER } from '../frame_table.ts';

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

/** Give a reference back. The last one is the allocation's, which no call of the slice ends. */
export const putPage = (frames: FrameTable, mfn: number): void => {
  if (frames.refs[mfn] <= 1) throw new ModelBug(`frame ${mfn.toString(16)} loses its last reference`);
  frames.touch(mfn);
  frames.refs[mfn]--;
};
