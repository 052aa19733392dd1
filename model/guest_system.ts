/** The system state that a PV guest's instructions run on: Xen's, but for the bits of CR0 and CR4 that are the guest's to choose. */
import { CR0, CR4, PV_SYSTEM, type SystemState } from './cpu/x86/system/state.ts';
import type { Vcpu } from './vcpu.ts';

const variant = (taskSwitched: boolean, bases: boolean): SystemState => ({
  ...PV_SYSTEM,
  cr0: PV_SYSTEM.cr0 | (taskSwitched ? CR0.TS : 0),
  cr4: (PV_SYSTEM.cr4 & ~CR4.FSGSBASE) | (bases ? CR4.FSGSBASE : 0),
});

/** By CR0.TS, then by CR4.FSGSBASE. */
const VARIANTS = [
  [variant(false, false), variant(false, true)],
  [variant(true, false), variant(true, true)],
] as const;

export const guestSystem = ({ taskSwitched, cr4 }: Vcpu): SystemState =>
  VARIANTS[taskSwitched ? 1 : 0][(cr4.lo & CR4.FSGSBASE) !== 0 ? 1 : 0];
