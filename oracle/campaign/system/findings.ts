/** The known defects of the emulators, in the order in which they are tried. The ids are those of spec/findings.md. */
import { BOCHS_EXPLANATIONS, BOCHS_REPAIRS } from './findings_bochs.ts';
import { QEMU_REPAIRS } from './findings_qemu.ts';
import type { Explanation, Repair } from './repairs.ts';
import { QEMU_EXPLANATIONS } from './ways_qemu.ts';

export const REPAIRS: readonly Repair[] = [...QEMU_REPAIRS, ...BOCHS_REPAIRS];
export const EXPLANATIONS: readonly Explanation[] = [...QEMU_EXPLANATIONS, ...BOCHS_EXPLANATIONS];
