/** XEN_SYSCTL_page_offline_op: no page ever failed. */
import { E820 } from '#spec/abi/memory.ts';
import { XEN_SYSCTL_PAGE_OFFLINE as OP, PG_OFFLINE_INVALID, sysctl } from '#spec/abi/sysctl.ts';
import { copyToGuest } from '../../../guest_copy.ts';
import { cite } from '../../../journal.ts';
import type { Machine } from '../../../machine.ts';
import { wordIn } from '../../../memory/guest.ts';
import { fromHex, toNumber } from '../../../word/word.ts';
import { fieldsOf } from '../../guest_struct.ts';
import { done, fail } from '../../result.ts';
import type { Rule } from './rule.ts';

const PAGE = 4096;
/** More frames than anybody asks about at once. */
const MANY = 4096;
const STATUS = 4;

/** Ranges of the firmware's map in frames: beginning and end. */
const rangesOf = ({ config }: Machine): readonly (readonly [number, number, number])[] =>
  config.e820.map(([address, size, type]) => {
    const first = toNumber(fromHex(address));
    return [Math.ceil(first / PAGE), Math.floor((first + toNumber(fromHex(size))) / PAGE), type];
  });
const isRam = (machine: Machine, mfn: number): boolean =>
  rangesOf(machine).some(([first, end, type]) => type === E820.RAM && mfn >= first && mfn < end);
/** Below the end of RAM Xen keeps a record of every frame. */
const isKnown = (machine: Machine, mfn: number): boolean => rangesOf(machine).some(([, end, type]) => type === E820.RAM && mfn < end);

export const pageOfflineOp: Rule = (machine, { caller, bytes }) => {
  const { question, start, end } = fieldsOf(bytes, sysctl.page_offline);
  if (end < start) return fail(machine, 'EINVAL', 'sysctl/page_offline_op-range');
  const count = end - start + 1;
  if (question === OP.offline || count > MANY) return null;
  const isRight = question === OP.query ? isRam : question === OP.online ? isKnown : () => false;
  const wrong = Array.from({ length: count }, (_, i) => start + i).findIndex((mfn) => !isRight(machine, mfn));
  const told = new Uint8Array(count * STATUS);
  if (wrong >= 0) for (let at = wrong * STATUS; at < told.length; at++) told[at] = PG_OFFLINE_INVALID;
  const stored = copyToGuest(machine, caller, wordIn(bytes, sysctl.page_offline.fields.status.at), told);
  const m = cite(stored.machine, 'sysctl/page_offline_op-status');
  if (!stored.ok) return fail(m, 'EFAULT', 'sysctl/page_offline_op-status');
  if (wrong < 0) return done(m, 'sysctl/page_offline_op-frame');
  const known = question === OP.query || question === OP.online;
  return fail(m, 'EINVAL', known ? 'sysctl/page_offline_op-frame' : 'sysctl/page_offline_op-unknown');
};
