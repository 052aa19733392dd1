/** The four inputs: running a vCPU, choosing the next one, time, and bytes typed at the console. */
import { VIRQ } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import { CALL_STATE } from './hypercall/continuation.ts';
import type { Machine } from './machine.ts';
import { canRun, isRunnable, leave, switchTo } from './scheduler.ts';
import { refreshTime, setTime } from './system_time.ts';
import { fireDueTimers } from './timers.ts';
import { handleExit } from './trap/exit.ts';
import { enterXen } from './trap/exit_state.ts';
import { returnToGuest } from './trap/return_to_guest.ts';
import { SyscallEntry } from './trap/syscall_entry.ts';
import { sendGlobalVirq } from './upcall.ts';
import type { Vcpu } from './vcpu.ts';

/** Xen refreshes the guests' time records this often, ns. */
const REFRESH_INTERVAL = 1_000_000_000;
/** Bytes that Xen's console keeps for dom0. */
const CONSOLE_INPUT_BYTES = 16384;

/** Run up to `steps` steps on what `cpu` holds. Answers the steps taken. A NotModelled that it throws tells what happened before the last of them. */
export const execute = (machine: Machine, cpu: number, steps: number): number => {
  const vcpu = pcpuAt(machine, cpu).current;
  if (vcpu === null || machine.halted !== null) return 0;
  const entry = entryOf(machine, vcpu);
  let left = steps;
  try {
    while (left > 0 && isRunnable(vcpu)) {
      entry.begin();
      vcpu.cpu.tsc = machine.tscAtNow;
      vcpu.cpu.tscSteps = machine.retiredSinceTime;
      const exit = vcpu.cpu.run(left);
      entry.count(exit.retired);
      left -= exit.retired;
      entry.counted = 0;
      if (exit.kind === 'limit') break;
      if (exit.kind !== 'syscall' || !exit.served) {
        CALL_STATE.gaveUp = false;
        machine.work.outside(vcpu.domain.domid);
        handleExit(machine, vcpu, exit);
      }
      wayOut(machine, vcpu);
      if (CALL_STATE.gaveUp) break;
    }
  } catch (error) {
    if (error instanceof NotModelled)
      error.before = { events: machine.events.slice(0, entry.since), retired: steps - left + entry.counted };
    throw error;
  }
  return steps - left;
};

/** The way by which SYSCALL reaches Xen without leaving the run. */
const entryOf = (machine: Machine, vcpu: Vcpu): SyscallEntry => {
  vcpu.entry ??= new SyscallEntry(machine, vcpu);
  vcpu.cpu.server = vcpu.entry;
  return vcpu.entry;
};

/** After Xen's work for `vcpu`, which its pCPU holds: timers that came due, then back to the guest, or off the pCPU. */
const wayOut = (machine: Machine, vcpu: Vcpu): void => {
  if (machine.timerDue) fireDueTimers(machine);
  if (!vcpu.mustMove) returnToGuest(machine, vcpu);
  if ((vcpu.mustMove || !isRunnable(vcpu)) && vcpu.processor >= 0) leave(machine, vcpu);
  vcpu.mustMove = false;
};

const pcpuAt = (machine: Machine, cpu: number) => {
  if (cpu >= machine.pcpus.length) throw new BadInput(`there is no CPU ${cpu}`);
  return machine.pcpus[cpu]!;
};

export const schedule = (machine: Machine, cpu: number, ref: VcpuRef | null): void => {
  const pcpu = pcpuAt(machine, cpu);
  if (machine.halted !== null) return;
  const next = ref === null ? null : vcpuAt(machine, ref);
  if (next === pcpu.current) return;
  if (next !== null && (!canRun(next) || next.processor >= 0)) {
    throw new BadInput(
      `CPU ${cpu} cannot be given vCPU ${next.id} of domain ${next.domain.domid}: it ${next.processor >= 0 ? 'runs elsewhere' : 'cannot run'}`,
    );
  }
  if (next !== null && next.pinnedTo >= 0 && next.pinnedTo !== cpu)
    throw new BadInput(`vCPU ${next.id} of domain ${next.domain.domid} is pinned to CPU ${next.pinnedTo}`);
  switchTo(machine, cpu, next);
  if (next !== null) enterAndReturn(machine, next);
};

const vcpuAt = (machine: Machine, { domid, vcpu }: VcpuRef): Vcpu => {
  const found = machine.domainById(domid)?.vcpus[vcpu];
  if (!found) throw new BadInput(`there is no vCPU ${vcpu} of domain ${domid}`);
  return found;
};

/** An interrupt, or the first entry: events may be delivered. */
const enterAndReturn = (machine: Machine, vcpu: Vcpu): void => {
  enterXen(vcpu, false);
  returnToGuest(machine, vcpu);
  if (!isRunnable(vcpu) && vcpu.processor >= 0) leave(machine, vcpu);
};

const interruptAll = (machine: Machine): void => {
  for (const { current } of machine.pcpus) if (current !== null) enterAndReturn(machine, current);
};

export const passTime = (machine: Machine, now: number): void => {
  if (now < machine.now) throw new BadInput(`time goes back from ${machine.now} to ${now}`);
  if (machine.halted !== null) return;
  setTime(machine, now);
  if (now - machine.timeRefreshed >= REFRESH_INTERVAL) {
    machine.timeRefreshed = now;
    for (const { current } of machine.pcpus) if (current !== null) refreshTime(machine, current);
  }
  if (fireDueTimers(machine)) interruptAll(machine);
};

export const typeConsole = (machine: Machine, bytes: string): void => {
  if (machine.halted !== null) return;
  for (let i = 0; i < bytes.length; i++) {
    if (machine.consoleInput.length < CONSOLE_INPUT_BYTES) machine.consoleInput.push(bytes.charCodeAt(i) & 0xff);
    sendGlobalVirq(machine, VIRQ.CONSOLE);
  }
  interruptAll(machine);
};
