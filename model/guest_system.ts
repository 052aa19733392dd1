/** The system state that a PV guest's instructions run on: Xen's, but for what is the guest's to choose. */
import { GDT_LIMIT, XEN_IDT, XEN_LDT, XEN_TSS } from '#spec/abi/descriptor.ts';
import { DR6_FIXED } from '#spec/isa/x86/control_registers.ts';
import type { X86Mode } from '#spec/isa/x86/mode.ts';
import { type GuestTables, NO_TABLES } from './cpu/x86/guest_tables.ts';
import { type CpuState, CS, RIGHTS } from './cpu/x86/state.ts';
import { CR0, CR4, PV_SYSTEM, type SystemState, type Table, UNKNOWN_TABLE } from './cpu/x86/system/state.ts';
import type { Vcpu } from './vcpu.ts';
import { addInt, fromBigInt, fromHex, word } from './word/word.ts';

/** The mode that the code segment makes: Xen runs in long mode. */
const modeOf = ({ cpu: { segments } }: Vcpu): X86Mode => {
  const { rights } = segments.hidden[CS];
  if ((rights & RIGHTS.L) !== 0) return '64';
  return (rights & RIGHTS.BIG) !== 0 ? 'compat32' : 'compat16';
};

/** Some breakpoint is enabled in the processor while the guest runs. */
export const hasBreakpoints = ({ dr }: Vcpu): boolean => (dr[DR7].lo & ENABLES) !== 0;

/** Registers that few guests set. */
const isPlain = (vcpu: Vcpu): boolean => !hasBreakpoints(vcpu) && vcpu.tscAux === 0 && vcpu.xcr0.lo === PV_SYSTEM.xcr0.lo;
const DR7 = 5;
const ENABLES = 0xff;
const TSC_AUX = 0xc0000103;

/** The debug registers as the processor has them while the guest runs: DR6 as Xen leaves it, and no breakpoints on ports. */
const debugOf = (vcpu: Vcpu): SystemState['dr'] => (hasBreakpoints(vcpu) ? vcpu.dr.with(4, word(0, DR6_FIXED | 0)) : PV_SYSTEM.dr);

/** Ring 3, but for the kernels of 32-bit domains, which run in ring 1. */
const ringOf = ({ cpu: { segments } }: Vcpu): number => segments.selectors[CS] & 3;

const build = (vcpu: Vcpu, mode: X86Mode): SystemState => ({
  ...PV_SYSTEM,
  mode,
  cpl: ringOf(vcpu),
  tables: vcpu.tables,
  cr0: PV_SYSTEM.cr0 | (vcpu.taskSwitched ? CR0.TS : 0),
  cr4: (PV_SYSTEM.cr4 & ~CHOSEN) | (vcpu.cr4.lo & CHOSEN) | (vcpu.tscEmulated ? CR4.TSD : 0),
  xcr0: vcpu.xcr0,
  fpuAside: vcpu.cpu.system.fpuAside,
  idtr: vcpu.elsewhere ? UNKNOWN_TABLE : IDT,
  gdtr: { base: addInt(FIRST_GDT, vcpu.id * GDT_DISTANCE), limit: GDT_LIMIT },
  ldtr: { ...PV_SYSTEM.ldtr, selector: vcpu.tables.ldtEntries === 0 ? 0 : XEN_LDT },
  tr: { ...PV_SYSTEM.tr, selector: XEN_TSS },
  dr: debugOf(vcpu),
  msrs: vcpu.tscAux === 0 ? PV_SYSTEM.msrs : new Map([[TSC_AUX, word(0, vcpu.tscAux)]]),
});

/** Where Xen has mapped the global table of vCPU 0, and how far the next vCPU's is. */
const FIRST_GDT = fromHex('0xffff820000000000');
const GDT_DISTANCE = 0x20000;
const IDT: Table = { base: fromBigInt(XEN_IDT.base), limit: XEN_IDT.limit };

/** Bits of CR4 that the guest chooses, of those that its instructions can tell. */
const CHOSEN = CR4.FSGSBASE | CR4.TSD | CR4.DE;

/** What was built before, by the guest's tables and a number for the rest: the same state again is the same object. */
const built = new WeakMap<GuestTables, Map<number, SystemState>>([[NO_TABLES, new Map()]]);

const MODES: readonly X86Mode[] = ['64', 'compat32', 'compat16'];
const numberOf = ({ id, taskSwitched, tscEmulated, elsewhere, cpu, cr4: { lo } }: Vcpu, mode: X86Mode): number =>
  (id * 4 + (cpu.segments.selectors[CS] & 3)) * 256 +
  (cpu.system.fpuAside ? 128 : 0) +
  (elsewhere ? 64 : 0) +
  MODES.indexOf(mode) * 16 +
  (taskSwitched ? 8 : 0) +
  ((lo & CR4.FSGSBASE) !== 0 ? 4 : 0) +
  ((lo & CR4.TSD) !== 0 || tscEmulated ? 2 : 0) +
  ((lo & CR4.DE) !== 0 ? 1 : 0);

/** The last plain answer, and what it depended on: mostly it is the same vCPU that runs again. */
let last: { readonly vcpu: Vcpu; readonly cpu: Pick<CpuState, 'segments' | 'system'>; readonly answer: SystemState } | null = null;

export const guestSystem = (vcpu: Vcpu): SystemState => {
  const { segments, system } = vcpu.cpu;
  if (last !== null && last.vcpu === vcpu && last.cpu.segments === segments && last.cpu.system === system) return last.answer;
  const answer = systemOf(vcpu);
  if (isPlain(vcpu)) last = { vcpu, cpu: { segments, system }, answer };
  return answer;
};

const systemOf = (vcpu: Vcpu): SystemState => {
  const mode = modeOf(vcpu);
  if (!isPlain(vcpu)) return { ...build(vcpu, mode), shadow: hasBreakpoints(vcpu) ? vcpu.cpu.system.shadow : 'none' };
  const number = numberOf(vcpu, mode);
  const known = built.get(vcpu.tables) ?? new Map<number, SystemState>();
  const found = known.get(number) ?? build(vcpu, mode);
  if (!known.has(number)) built.set(vcpu.tables, known.set(number, found));
  return found;
};
