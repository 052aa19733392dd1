/** A machine of 12 MiB: boots of it cost little, so that tests can make thousands. */
import type { MachineConfig } from '#spec/config.ts';
import { debian_4_17, dom0 } from '#spec/machines/debian_4_17.ts';

const DOM0_MIB = 8;

export const smallMachine = (lenient = false): MachineConfig => ({
  ...debian_4_17([dom0('', DOM0_MIB)], lenient),
  frames: 0xc00,
  layout: { m2p_first: 0x200, xenheap_first: 0x220, xenheap_end: 0x400, domheap_first: 0x400 },
});
