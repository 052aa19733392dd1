/** The machine-to-physical table, which guests read at Xen's fixed address, and the two tables that map it for them. */
import type { MachineConfig } from '#spec/config.ts';
import { clearPage } from '../memory/access.ts';
import { type Memory, readWord, withPageOf, writeWord } from '../memory/memory.ts';
import { pageFrom } from '../memory/page.ts';
import { ALL_ONES, fromBigInt, fromNumber, type Word, ZERO } from '../word/word.ts';

/** Present, user, accessed, not executable. */
const TO_L3 = 0x8000000000000025n;
/** Present, user, accessed. */
const TO_L2 = 0x25n;
/** A global 2 MiB page: present, user, accessed, large, not executable. */
const TO_PAGE = 0x80000000000001a5n;

const link = (mfn: number, flags: bigint): Word => fromBigInt((BigInt(mfn) << 12n) | flags);

/** What Xen puts into slot 256 of every top-level table. */
export const m2pSlot = (config: MachineConfig): Word => link(config.layout.xenheap_first, TO_L3);

/** The table with no frame in any domain yet, and its page tables in the first two frames of Xen's heap. */
export const emptyM2p = (memory: Memory, config: MachineConfig): Memory => {
  const { xenheap_first: l3, m2p_first: first } = config.layout;
  const l2 = l3 + 1;
  const superpages = Math.ceil((config.frames * 8) / 0x200000);
  let m = writeWord(clearPage(clearPage(memory, l3), l2), l3, 0, link(l2, TO_L2));
  for (let i = 0; i < superpages; i++) m = writeWord(m, l2, i, link(first + i * 512, TO_PAGE));
  for (let mfn = 0; mfn < config.frames; mfn += 512)
    m = withPageOf(
      m,
      first + mfn / 512,
      pageFrom((i) => (mfn + i < config.frames ? ALL_ONES : ZERO)),
    );
  return m;
};

/** Record that frame `mfn` is the pseudo-physical page `pfn` of its domain. */
export const setM2p = (memory: Memory, config: MachineConfig, mfn: number, pfn: number): Memory =>
  writeWord(memory, config.layout.m2p_first + (mfn >>> 9), mfn & 511, fromNumber(pfn));

/** The same for a whole domain: frames [first, first + count) are pages 0 and up. */
export const setM2pRun = (memory: Memory, config: MachineConfig, first: number, count: number): Memory => {
  let m = memory;
  for (let page = first >>> 9; page <= (first + count - 1) >>> 9; page++) {
    const base = page * 512;
    m = withPageOf(
      m,
      config.layout.m2p_first + page,
      pageFrom((i) => {
        const mfn = base + i;
        if (mfn >= first && mfn < first + count) return fromNumber(mfn - first);
        return readWord(memory, config.layout.m2p_first + page, i);
      }),
    );
  }
  return m;
};
