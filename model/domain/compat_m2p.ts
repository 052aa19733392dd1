/** The machine-to-physical table of 32-bit domains: four bytes a frame, under addresses that they reach. Chapter: spec/chapters/compat.md. */
import { HYPERVISOR_COMPAT_VIRT_START, MACH2PHYS_COMPAT_VIRT_END } from '#spec/abi/compat.ts';
import type { MachineConfig } from '#spec/config.ts';
import { BadInput } from '#spec/failure.ts';
import type { Machine } from '../machine.ts';
import { write, writePage } from '../memory/access.ts';
import type { Memory } from '../memory/memory.ts';
import { fromNumber, type Word } from '../word/word.ts';

const SUPERPAGE = 0x200000;
/** Present and large: for the supervisor, which ring 1 is, to read. */
const TO_PAGE = 0x81n;
const ENTRIES_PER_PAGE = 1024;

const firstOf = ({ layout }: MachineConfig): number => {
  if (layout.compat_m2p_first === undefined) throw new BadInput('configuration: a 32-bit kernel needs layout.compat_m2p_first');
  return layout.compat_m2p_first;
};

/** Bytes of the table as Xen maps it: half of what the 64-bit one's large pages take, in large pages. */
const tableBytes = ({ frames }: MachineConfig): number => {
  const wide = Math.ceil((frames * 8) / SUPERPAGE) * SUPERPAGE;
  return Math.floor((wide / 2 + SUPERPAGE / 2) / SUPERPAGE) * SUPERPAGE;
};

/** The lowest address at which a kernel may have Xen's part begin: so that the table ends where it has to. */
export const lowestVirtStart = (config: MachineConfig): number =>
  Math.max(HYPERVISOR_COMPAT_VIRT_START, MACH2PHYS_COMPAT_VIRT_END - tableBytes(config));

/** Entries that Xen puts into the last L2, from the slot of the domain's start on; what is behind them is empty. */
export const compatM2pEntries = (config: MachineConfig): readonly bigint[] =>
  Array.from({ length: tableBytes(config) / SUPERPAGE }, (_, i) => (BigInt(firstOf(config) + i * 512) << 12n) | TO_PAGE);

/** The table with no frame in any domain. */
export const emptyCompatM2p = (memory: Memory, config: MachineConfig): Memory => {
  let m = memory;
  for (let mfn = 0; mfn < config.frames; mfn += ENTRIES_PER_PAGE) {
    const page = new Uint8Array(4096);
    page.fill(0xff, 0, Math.min(4096, (config.frames - mfn) * 4));
    m = writePage(m, firstOf(config) + mfn / ENTRIES_PER_PAGE, page);
  }
  return m;
};

/** compat/m2p-table: it follows the 64-bit table in a machine that has 32-bit domains. `page`: the new entry there. */
export const followed = (machine: Machine, mfn: number, page: Word): Memory =>
  machine.domains.some(({ pv32 }) => pv32) ? setCompatM2p(machine.memory, machine.config, mfn, page.lo) : machine.memory;

/** Record that a frame is the domain's page `pfn`; -1: nobody's. */
export const setCompatM2p = (memory: Memory, config: MachineConfig, mfn: number, pfn: number): Memory =>
  write(memory, firstOf(config) + Math.floor(mfn / ENTRIES_PER_PAGE), (mfn % ENTRIES_PER_PAGE) * 4, 4, fromNumber(pfn));
