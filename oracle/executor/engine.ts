/** The executor behind the contract's Engine. */
import type { MachineConfig } from '#spec/config.ts';
import type { Boot, DomainView, Engine, Report, Status } from '#spec/engine.ts';
import type { Event, VcpuRef } from '#spec/event.ts';
import type { Input } from '#spec/input.ts';
import type { FrameObservation, Observation } from '#spec/observation.ts';
import { bootMachine } from './boot.ts';
import { leftOver } from './hypervisor/left_over.ts';
import type { Machine } from './hypervisor/machine.ts';
import { execute, passTime, schedule, typeConsole } from './hypervisor/run.ts';
import { canRun } from './hypervisor/scheduler.ts';
import { earliestDeadline } from './hypervisor/timers.ts';
import { observe, observeFrames, observeOne } from './observe.ts';

class Executor implements Engine {
  readonly name = 'executor';
  private readonly machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  apply(input: Input): Report {
    const { machine } = this;
    const events: Event[] = [];
    machine.events = events;
    machine.questions = 0;
    machine.preempt = input.kind === 'execute' ? (input.preempt ?? null) : null;
    machine.work.take();
    const retired = this.perform(input);
    const work = machine.work.take();
    const left = leftOver(machine);
    return {
      events,
      retired,
      questions: machine.questions,
      ...(work.length === 0 ? {} : { work }),
      ...(left.length === 0 ? {} : { left }),
    };
  }

  private perform(input: Input): number {
    switch (input.kind) {
      case 'execute':
        return execute(this.machine, input.cpu, input.steps);
      case 'schedule':
        schedule(this.machine, input.cpu, input.vcpu);
        return 0;
      case 'time':
        passTime(this.machine, input.now);
        return 0;
      case 'console_input':
        typeConsole(this.machine, input.bytes);
        return 0;
    }
  }

  status(): Status {
    const { machine } = this;
    const runnable: VcpuRef[] = [];
    const pinned: { vcpu: VcpuRef; cpu: number }[] = [];
    if (machine.halted === null) {
      for (const domain of machine.domainsByDomid()) {
        for (const vcpu of domain.vcpus) {
          if (!canRun(vcpu)) continue;
          runnable.push({ ...vcpu.ref });
          if (vcpu.pinnedTo >= 0) pinned.push({ vcpu: { ...vcpu.ref }, cpu: vcpu.pinnedTo });
        }
      }
    }
    return {
      now: machine.now,
      halted: machine.halted,
      current: machine.pcpus.map(({ current }) => (current === null ? null : { ...current.ref })),
      runnable,
      ...(pinned.length === 0 ? {} : { pinned }),
      deadline: earliestDeadline(machine),
    };
  }

  observe(): Observation {
    return observe(this.machine);
  }

  observeDomain(domid: number): DomainView {
    return observeOne(this.machine, domid);
  }

  frames(owner?: number): Iterable<FrameObservation> {
    return observeFrames(this.machine, owner);
  }

  page(mfn: number): Uint8Array {
    return this.machine.memory.page(mfn);
  }

  pageDigest(mfn: number): number {
    return this.machine.memory.pageDigest(mfn);
  }

  populated(): Iterable<number> {
    return this.machine.memory.populated();
  }

  dispose(): void {
    this.machine.memory.release();
  }
}

export const boot: Boot = (config: MachineConfig, images: readonly Uint8Array[]): Engine => new Executor(bootMachine(config, images));
