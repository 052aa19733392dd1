/** Room for what Xen keeps for 32-bit domains, in a machine that has none yet. */
import type { MachineConfig } from '../config.ts';

/** Frames of a large page, of which the table of frames takes whole ones. */
const UNIT = 512;
const BYTES_OF_ENTRY = 4;
const FRAME = 4096;

/** The machine with a table of frames for 32-bit domains at the end of its Xen heap. */
export const withCompat = (config: MachineConfig): MachineConfig => {
  const { layout, frames } = config;
  if (layout.compat_m2p_first !== undefined) return config;
  const first = layout.xenheap_end - UNIT * Math.ceil((frames * BYTES_OF_ENTRY) / (UNIT * FRAME));
  return { ...config, layout: { ...layout, xenheap_end: first, compat_m2p_first: first } };
};

/** Whether an image is a kernel of 32 bits, as its ELF class says. */
export const isCompatImage = (elf: Uint8Array): boolean => elf[4] === 1;
