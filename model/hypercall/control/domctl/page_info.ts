/** XEN_DOMCTL_getpageframeinfo3: of what type frames of a domain are. */
import { domctl, PFINFO_MOST, XEN_DOMCTL_PFINFO as TYPE } from '#spec/abi/domctl.ts';
import { copyFromGuest, writeGuestWord } from '../../../guest_copy.ts';
import { frame } from '../../../lens.ts';
import type { Machine } from '../../../machine.ts';
import { wordIn } from '../../../memory/guest.ts';
import { isXenPage, ownerOf } from '../../../page_type/owner.ts';
import { addInt, toNumber, type Word, word } from '../../../word/word.ts';
import { done, fail } from '../../result.ts';
import type { Rule } from './rule.ts';

const TABLES: Readonly<Record<string, number>> = { l1: TYPE.L1TAB, l2: TYPE.L2TAB, l3: TYPE.L3TAB, l4: TYPE.L4TAB };
const WORD = 8;

/** A type is kept when nobody uses the frame by it any more; then it is not validated. */
const typeOf = (machine: Machine, domid: number, gfn: Word): number => {
  const mfn = toNumber(gfn);
  if (mfn >= machine.config.frames || ownerOf(machine, mfn) !== domid || isXenPage(machine, mfn)) return TYPE.XTAB;
  const { type, pinned, validated } = frame(machine, mfn)!;
  if (!pinned && !validated) return TYPE.NOTAB;
  return ((TABLES[type] ?? TYPE.NOTAB) | (pinned ? TYPE.LPINTAB : 0)) >>> 0;
};

export const getpageframeinfo3: Rule = (machine, { caller, bytes, target }) => {
  const { num, array } = domctl.getpageframeinfo3.fields;
  const count = wordIn(bytes, num.at);
  if (count.hi !== 0 || count.lo >>> 0 > PFINFO_MOST) return fail(machine, 'E2BIG', 'domctl/getpageframeinfo3-number');
  let m = machine;
  for (let i = 0; i < count.lo; i++) {
    const at = addInt(wordIn(bytes, array.at), i * WORD);
    const read = copyFromGuest(m, caller, at, WORD);
    const stored = read.ok ? writeGuestWord(read.machine, caller, at, word(0, typeOf(m, target.domid, wordIn(read.bytes, 0)) | 0)) : read;
    m = stored.machine;
    if (!stored.ok) return fail(m, 'EFAULT', 'domctl/getpageframeinfo3-told');
  }
  return done(m, 'domctl/getpageframeinfo3-told');
};
