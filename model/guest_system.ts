/** The system state that a PV guest's instructions run on: Xen's, but for what is the guest's to choose. */
import type { X86Mode } from '#spec/isa/x86/mode.ts';
import { type GuestTables, NO_TABLES } from './cpu/x86/guest_tables.ts';
import { CS, RIGHTS } from './cpu/x86/state.ts';
import { CR0, CR4, PV_SYSTEM, type SystemState } from './cpu/x86/system/state.ts';
import type { Vcpu } from './vcpu.ts';

/** The mode that the code segment makes: Xen runs in long mode. */
const modeOf = ({ cpu: { segments } }: Vcpu): X86Mode => {
  const { rights } = segments.hidden[CS];
  if ((rights & RIGHTS.L) !== 0) return '64';
  return (rights & RIGHTS.BIG) !== 0 ? 'compat32' : 'compat16';
};

const build = ({ taskSwitched, cr4, tables }: Vcpu, mode: X86Mode): SystemState => ({
  ...PV_SYSTEM,
  mode,
  tables,
  cr0: PV_SYSTEM.cr0 | (taskSwitched ? CR0.TS : 0),
  cr4: (PV_SYSTEM.cr4 & ~CR4.FSGSBASE) | (cr4.lo & CR4.FSGSBASE),
});

/** What was built before, by the guest's tables and a name for the rest: the same state again is the same object. */
const built = new WeakMap<GuestTables, Map<string, SystemState>>([[NO_TABLES, new Map()]]);

export const guestSystem = (vcpu: Vcpu): SystemState => {
  const mode = modeOf(vcpu);
  const name = `${vcpu.taskSwitched} ${vcpu.cr4.lo & CR4.FSGSBASE} ${mode}`;
  const known = built.get(vcpu.tables) ?? new Map<string, SystemState>();
  const found = known.get(name) ?? build(vcpu, mode);
  if (!known.has(name)) built.set(vcpu.tables, known.set(name, found));
  return found;
};
