/** Running a guest: instructions until one needs Xen, Xen's work for it, and on. */
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { DR6, DR6_FIXED } from '#spec/isa/x86/control_registers.ts';
import { type CpuOutcome, VECTOR } from './cpu/x86/outcome.ts';
import type { Platform } from './cpu/x86/platform.ts';
import { type CpuState, CS } from './cpu/x86/state.ts';
import { runInstructions } from './cpu/x86/step.ts';
import { mapLdtPage } from './descriptor_tables.ts';
import { guestSystem } from './guest_system.ts';
import { cite, clausesOf, eventsOf } from './journal.ts';
import { disown, setRun, updateVcpu, vcpuOf } from './lens.ts';
import type { Machine } from './machine.ts';
import { leaveIfStopped } from './sched/context.ts';
import { tscOf } from './time/clock.ts';
import { modeOf } from './traps/compat_bounce.ts';
import { exitFromTrap, meetDebug, meetTrap } from './traps/debug.ts';
import { handleFault, tableFault } from './traps/fault.ts';
import { returnToGuest } from './traps/return.ts';
import { softwareInterrupt } from './traps/software_interrupt.ts';
import { enterBySyscall } from './traps/syscall.ts';
import type { Vcpu } from './vcpu.ts';
import type { Word } from './word/word.ts';
import { outsideCalls } from './work.ts';

/** Run up to `steps` guest steps on what pCPU `cpu` holds. A NotModelled that it throws tells what happened in the steps before. */
export const execute = (machine: Machine, cpu: number, steps: number): Machine => {
  let m = machine;
  let cited = 0;
  disown();
  try {
    for (let left = steps; left > 0; ) {
      cited = clausesOf(m.journal).length;
      const at = m.cpus[cpu].current;
      if (at === null || m.halted !== null || m.reschedule) return m;
      const vcpu = vcpuOf(m, at);
      const outcome = runInstructions(ready(vcpu), m.memory, new GuestPlatform(m), left);
      m = retire(m, at, outcome);
      cited = clausesOf(m.journal).length;
      if (outcome.kind !== 'retired') {
        outsideCalls(m, at.domid);
        m = leaveIfStopped(handled(m, at, outcome), at);
      }
      left = steps - (m.retired - machine.retired);
    }
    return m;
  } catch (error) {
    if (error instanceof NotModelled)
      error.before = { events: eventsOf(m.journal), clauses: clausesOf(m.journal).slice(0, cited), retired: m.retired - machine.retired };
    throw error;
  } finally {
    disown();
  }
};

/** The processor that the guest's next instructions run on. */
const ready = (vcpu: Vcpu): CpuState => {
  const system = guestSystem(vcpu);
  return vcpu.cpu.system === system ? vcpu.cpu : { ...vcpu.cpu, system };
};

/** What the guest's instructions see of the machine. The counter is worked out when somebody reads it. */
class GuestPlatform implements Platform {
  readonly #machine: Machine;
  readonly cpuid: Platform['cpuid'];
  constructor(machine: Machine) {
    this.#machine = machine;
    this.cpuid = machine.config.cpu.cpuid;
  }
  get tsc(): Word {
    return tscOf(this.#machine);
  }
}

/** The steps are counted before Xen does anything for the last of them. */
const retire = (machine: Machine, at: VcpuRef, { cpu, memory, steps, clauses, kind }: CpuOutcome): Machine => {
  const m = setRun(
    clauses.length === 0 ? machine : clauses.reduce(cite, machine),
    at,
    kind === 'retired' ? cpu : inTheOpen(cpu),
    memory,
    machine.retired + steps,
  );
  const { tables, mode } = vcpuOf(m, at);
  const now = tables.pv32 ? modeOf(cpu.segments.selectors[CS]) : mode;
  return now === mode ? m : updateVcpu(cite(m, 'compat/ring-mode'), at, { mode: now });
};

/** What a load of SS holds off waits no longer once Xen was entered. */
const inTheOpen = (cpu: CpuState): CpuState => (cpu.system.shadow === 'none' ? cpu : { ...cpu, system: { ...cpu.system, shadow: 'none' } });

/** What Xen does for the step that needed it, up to its way back into the guest. */
const handled = (machine: Machine, at: VcpuRef, outcome: CpuOutcome): Machine => {
  switch (outcome.kind) {
    case 'retired':
      return machine;
    case 'syscall':
      return enterBySyscall(machine, at);
    case 'fault':
      if (outcome.fault.vector === VECTOR.DB)
        return returnToGuest(meetDebug(machine, at, debugBits(outcome)), at, exitFromTrap(machine, at));
      return handleFault(machine, at, outcome.fault);
    case 'int':
      return softwareInterrupt(machine, at, outcome.vector);
    case 'table':
      return withTable(machine, at, outcome.offset);
    case 'wanted':
      throw new NotModelled(`x86/outside-${outcome.wanted.kind}`);
    case 'trap':
      return outcome.fault.vector === VECTOR.DB
        ? returnToGuest(meetDebug(machine, at, debugBits(outcome)), at, exitFromTrap(machine, at))
        : returnToGuest(
            meetTrap(cite(machine, 'trap/software_interrupt-direct'), at, outcome.fault.vector, outcome.fault.error),
            at,
            outcome.fault.vector === VECTOR.BP ? exitFromTrap(machine, at) : 'sysret',
          );
  }
};

/** The instruction is taken again once the page is there; else its fault is its step. */
const withTable = (machine: Machine, at: VcpuRef, offset: number): Machine => {
  const { machine: m, mapped } = mapLdtPage(machine, at, offset);
  return mapped ? m : tableFault({ ...m, retired: m.retired + 1 }, at, offset);
};

/** What the processor's DR6 tells of a #DB. Without breakpoints it is a single step, and nothing keeps the register. */
const debugBits = ({ cpu: { system } }: CpuOutcome): number => (system.dr[5].lo === 0 ? DR6.BS : system.dr[4].lo & ~DR6_FIXED);
