/** The bare machine behind the contract's face (spec/bare/machine.ts). */
import type { BareConfig, BareInput, BareMachine, BareObservation, BareReport, BareStatus, BootBare } from '#spec/bare/machine.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import { Machine } from './machine.ts';
import { observe } from './observe.ts';

class Executor implements BareMachine {
  readonly name = 'executor';
  private readonly machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  apply(input: BareInput): BareReport {
    const { machine } = this;
    machine.events = [];
    const before = machine.retired;
    try {
      this.perform(input);
    } catch (error) {
      if (error instanceof NotModelled) error.bareBefore = { events: machine.events, retired: machine.retired - before };
      throw error;
    }
    return { events: machine.events, retired: machine.retired - before };
  }

  private perform(input: BareInput): void {
    const { machine } = this;
    switch (input.kind) {
      case 'execute':
        machine.execute(input.steps);
        return;
      case 'time':
        if (input.now < machine.board.now) throw new BadInput(`time cannot go back from ${machine.board.now} to ${input.now}`);
        machine.passTime(input.now);
        return;
      case 'serial':
        machine.board.serial.receive(Array.from(input.bytes, (char) => char.charCodeAt(0) & 0xff));
        return;
    }
  }

  status(): BareStatus {
    const { board, processor, ended } = this.machine;
    return { now: board.now, ended, halted: processor.halted, deadline: board.deadline() };
  }

  observe(): BareObservation {
    return observe(this.machine);
  }

  page(mfn: number): Uint8Array {
    return this.machine.memory.page(mfn);
  }

  populated(): Iterable<number> {
    return this.machine.memory.populated();
  }

  dispose(): void {
    this.machine.memory.release();
  }
}

export const bootBare: BootBare = (config: BareConfig, image: Uint8Array): BareMachine => new Executor(new Machine(config, image));
