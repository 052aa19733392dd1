/** getpageframeinfo3: what frames of a domain are. */
import { domctl, PFINFO_MOST, XEN_DOMCTL_PFINFO } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import type { Domain } from '../../domain.ts';
import { PGF, PGT } from '../../frame_table.ts';
import { copyFromGuest, copyToGuest, scratch } from '../../guest_access.ts';
import type { Machine } from '../../machine.ts';
import { ownsPage } from '../../mm/page.ts';
import { TWO32, unsigned } from '../../u64.ts';
import type { Work } from './request.ts';

const LEVELS: Readonly<Record<number, number>> = {
  [PGT.l1]: XEN_DOMCTL_PFINFO.L1TAB,
  [PGT.l2]: XEN_DOMCTL_PFINFO.L2TAB,
  [PGT.l3]: XEN_DOMCTL_PFINFO.L3TAB,
  [PGT.l4]: XEN_DOMCTL_PFINFO.L4TAB,
};

const typeOf = ({ frames }: Machine, domain: Domain, mfn: number): number => {
  if (!ownsPage(frames, mfn, domain.domid) || (frames.flags[mfn] & PGF.xenheap) !== 0) return XEN_DOMCTL_PFINFO.XTAB;
  const level = LEVELS[frames.type[mfn]] ?? XEN_DOMCTL_PFINFO.NOTAB;
  if ((frames.flags[mfn] & PGF.pinned) !== 0) return level | XEN_DOMCTL_PFINFO.LPINTAB;
  return (frames.flags[mfn] & PGF.validated) !== 0 ? level : XEN_DOMCTL_PFINFO.NOTAB;
};

/** Each number in the guest's array is replaced by the frame's type, until one cannot be. */
export const getPageFrameInfo: Work = ({ machine, caller, domain, op }) => {
  const { num, array } = domctl.getpageframeinfo3.fields;
  const count = unsigned(op.getInt32(num.at, true), op.getInt32(num.at + 4, true));
  if (count > PFINFO_MOST) return -ERRNO.E2BIG;
  const base = op.getUint32(array.at, true);
  const high = op.getInt32(array.at + 4, true);
  const width = caller.domain.compat ? 4 : 8;
  for (let i = 0; i < count; i++) {
    const low = base + width * i;
    const hi = low >= TWO32 ? (high + 1) | 0 : high;
    if (!copyFromGuest(machine, caller, low | 0, hi, width)) return -ERRNO.EFAULT;
    const mfn = unsigned(scratch.getInt32(0, true), width === 8 ? scratch.getInt32(4, true) : 0);
    scratch.setUint32(0, typeOf(machine, domain, mfn), true);
    scratch.setUint32(4, 0, true);
    if (!copyToGuest(machine, caller, low | 0, hi, width)) return -ERRNO.EFAULT;
  }
  return 0;
};
