/** page_offline_op: which frames are off line: none. */
import { ERRNO } from '#spec/abi/errno.ts';
import { E820 } from '#spec/abi/memory.ts';
import { PG_OFFLINE_INVALID, sysctl, XEN_SYSCTL_PAGE_OFFLINE } from '#spec/abi/sysctl.ts';
import type { Machine } from '../../machine.ts';
import { type Asker, stops, store, u32, type Work, words } from './asker.ts';

const { question, start, end, status } = sysctl.page_offline.fields;
const PAGE = 4096;
/** It stands in each byte of the word. */
const NOT_COME_TO = 0x01010101 * PG_OFFLINE_INVALID;
/** More frames in one call are not modelled. */
const MOST = 4096;

const isRam = ({ config }: Machine, mfn: number): boolean =>
  config.e820.some(([address, size, type]) => {
    const first = Number(address);
    return type === E820.RAM && first <= mfn * PAGE && first + Number(size) >= (mfn + 1) * PAGE;
  });

export const pageOffline: Work = (asker) => {
  const { op } = asker;
  const [first, last] = [u32(op, start.at), u32(op, end.at)];
  if (last < first) return -ERRNO.EINVAL;
  const kind = u32(op, question.at);
  if (kind === XEN_SYSCTL_PAGE_OFFLINE.offline || last - first >= MOST) return stops(asker);
  const told = new Array<number>(last - first + 1).fill(NOT_COME_TO);
  const answer = look(asker, kind, first, told);
  return store(asker, status.at, 0, words(...told)) ? answer : -ERRNO.EFAULT;
};

/** Frame by frame up to the first that is refused. */
const look = ({ machine }: Asker, kind: number, first: number, told: number[]): number => {
  for (let i = 0; i < told.length; i++) {
    const mfn = first + i;
    const isGood =
      kind === XEN_SYSCTL_PAGE_OFFLINE.query ? isRam(machine, mfn) : kind === XEN_SYSCTL_PAGE_OFFLINE.online && mfn < machine.frames.count;
    if (!isGood) return -ERRNO.EINVAL;
    told[i] = 0;
  }
  return 0;
};
