/** The machine-to-physical table, which guests read at Xen's fixed address, and the two tables that map it for them. */
import type { MachineConfig } from '#spec/config.ts';
import { emptyMemory, type Memory, readWord, withPageOf, writeWord } from '../memory/memory.ts';
import { pageFrom } from '../memory/page.ts';
import { ALL_ONES, fromBigInt, fromNumber, type Word, ZERO } from '../word/word.ts';

/** Present, user, accessed, not executable. */
const TO_L3 = 0x8000000000000025n;
/** Present, user, accessed. */
const TO_L2 = 0x25n;
/** A global 2 MiB page: present, user, accessed, large, not executable. */
const TO_PAGE = 0x80000000000001a5n;

const SUPERPAGE = 0x200000;
const NOBODYS = pageFrom(() => ALL_ONES);

const link = (mfn: number, flags: bigint): Word => fromBigInt((BigInt(mfn) << 12n) | flags);

/** What Xen puts into slot 256 of every top-level table. */
export const m2pSlot = (config: MachineConfig): Word => link(config.layout.xenheap_first, TO_L3);

/** The table with no frame in any domain yet, and its page tables in the first two frames of Xen's heap, in a fresh memory. */
export const emptyM2p = (config: MachineConfig): Memory => {
  const key = `${config.frames} ${config.layout.m2p_first} ${config.layout.xenheap_first}`;
  if (known?.key !== key) known = { key, memory: buildEmpty(config) };
  return known.memory;
};

/** Every boot of a campaign starts from the same memory, which is immutable. */
let known: { readonly key: string; readonly memory: Memory } | null = null;

const buildEmpty = (config: MachineConfig): Memory => {
  const { xenheap_first: l3, m2p_first: first } = config.layout;
  const l2 = l3 + 1;
  let m = writeWord(emptyMemory(config.frames), l3, 0, link(l2, TO_L2));
  for (let i = 0; i < Math.ceil((config.frames * 8) / SUPERPAGE); i++) m = writeWord(m, l2, i, link(first + i * 512, TO_PAGE));
  // One page stands for all: most frames belong to nobody.
  for (let mfn = 0; mfn < config.frames; mfn += 512)
    m = withPageOf(
      m,
      first + mfn / 512,
      mfn + 512 <= config.frames ? NOBODYS : pageFrom((i) => (mfn + i < config.frames ? ALL_ONES : ZERO)),
    );
  return m;
};

/** Record a domain: frames [first, first + count) are its pages 0 and up. */
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
