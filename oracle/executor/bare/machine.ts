/** The bare machine: one processor, RAM, devices. Instructions run in bursts; between them whatever is pending is delivered. */
import type { BareConfig, BareEvent, BareStatus } from '#spec/bare/machine.ts';
import { DR6 } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { Cpu } from '../cpu/cpu.ts';
import { DB, type Exit, NMI } from '../cpu/exit.ts';
import { SYSTEM } from '../cpu/layout.ts';
import { executionHits, hasBreakpoints, noteDebug } from '../cpu/system/debug.ts';
import type { Fault } from '../cpu/system/processor.ts';
import { Board } from '../device/board.ts';
import { Memory } from '../memory.ts';
import { enterImage } from './entry_state.ts';
import { interrupt, raise } from './exception.ts';
import { type Image, readImage } from './image.ts';
import { writeMultiboot, writeStartInfo } from './information.ts';
import { Surroundings } from './surroundings.ts';

/** The processor's counter: ticks per million ns are its kHz. */
const NS_PER_TICK_KHZ = 1_000_000n;

export class Machine {
  readonly memory: Memory;
  readonly cpu: Cpu;
  readonly board: Board;
  readonly processor: Surroundings;
  events: BareEvent[] = [];
  retired = 0;
  ended: BareStatus['ended'] = null;
  /** The halt was told. */
  private stands = false;
  private readonly khz: bigint;
  /** Steps since time last changed. */
  private steps = 0;

  constructor(config: BareConfig, file: Uint8Array) {
    const image = readImage(file, config.frames);
    this.memory = new Memory(config.frames);
    this.khz = BigInt(config.tsc_khz);
    const tell = (event: BareEvent): void => this.tell(event);
    this.board = new Board(config, tell);
    this.processor = new Surroundings(config, this.board, tell);
    this.cpu = new Cpu(this.memory, config.cpuid, this.processor);
    this.load(image, config.cmdline);
  }

  private load(image: Image, cmdline: string): void {
    const { memory } = this;
    for (const { at, bytes, size } of image.loads) {
      memory.writeBytes(at, bytes);
      if (size > bytes.length) memory.fill(at + bytes.length, size - bytes.length, 0);
    }
    if (image.protocol === 'multiboot') writeMultiboot(memory, cmdline);
    else writeStartInfo(memory, cmdline);
    enterImage(this.cpu, image);
  }

  /** Note an event; bytes that follow bytes of the same kind are joined to them. */
  private tell(event: BareEvent): void {
    if (event.kind === 'exit') this.ended ??= { exit: event.value };
    if (event.kind === 'shutdown') this.ended ??= { shutdown: event.why };
    const { events } = this;
    const last = events.at(-1);
    if ((event.kind === 'debugcon' || event.kind === 'serial') && last?.kind === event.kind)
      events[events.length - 1] = { kind: event.kind, bytes: last.bytes + event.bytes };
    else events.push(event);
  }

  /** Take up to `count` steps. Returns how many were taken. */
  execute(count: number): number {
    let taken = 0;
    while (taken < count && this.ended === null) {
      this.attend();
      if (this.ended !== null || this.processor.halted) break;
      taken += this.breaks() ? 1 : this.burst(count - taken);
    }
    if (this.ended === null && this.processor.halted) this.stand();
    return taken;
  }

  /** A breakpoint at the instruction about to begin: its #DB is a step, as that of a fault. */
  private breaks(): boolean {
    const { cpu } = this;
    if (cpu.shadow === 'ss' || (cpu.s[SYSTEM] & RFLAGS.RF) !== 0) return false;
    const hits = executionHits(cpu);
    if (hits === 0) return false;
    this.steps++;
    this.retired++;
    this.debug(hits);
    return true;
  }

  /** HLT waits, and nothing comes. */
  private stand(): void {
    this.attend();
    if (!this.processor.halted || this.stands || this.ended !== null) return;
    this.stands = true;
    this.tell({ kind: 'halted' });
  }

  /** One run of the processor and what its end brings. */
  private burst(most: number): number {
    const { cpu, processor } = this;
    const count = cpu.shadow !== 'none' || hasBreakpoints(cpu) ? 1 : Math.min(most, MOST_STEPS);
    const own = this.ownCount();
    cpu.tsc = own + processor.tscOffset;
    processor.stepless = false;
    const { shadow } = cpu;
    const exit = this.runCpu(count);
    // An instruction that faults has done nothing: what held interrupts off does so until the fault is delivered.
    if (exit.kind === 'fault' && exit.retired === 1) cpu.shadow = shadow;
    this.steps += exit.retired;
    this.retired += exit.retired;
    if (processor.wantsTsc !== null) {
      processor.tscOffset = BigInt.asUintN(64, processor.wantsTsc - own - BigInt(exit.retired - 1));
      processor.wantsTsc = null;
    }
    this.follow(exit);
    return exit.retired;
  }

  /** Cpu.run; the steps before something that is not modelled count. */
  private runCpu(count: number): Exit {
    try {
      return this.cpu.run(count);
    } catch (thrown) {
      this.retired += this.cpu.done;
      throw thrown;
    }
  }

  /** The time-stamp counter without what software has added. */
  private ownCount(): bigint {
    return (BigInt(this.board.now) * this.khz) / NS_PER_TICK_KHZ + BigInt(this.steps);
  }

  /** Exceptions of the instruction that ended a run. */
  private follow(exit: Exit): void {
    const { cpu, processor } = this;
    if (this.ended !== null) return;
    if (exit.kind === 'fault') {
      processor.hits = 0;
      this.raise({ vector: exit.vector, error: exit.error, address: exit.cr2 });
      return;
    }
    const { late } = processor;
    processor.late = null;
    if (late !== null) this.raise(late);
    // What a load of SS touched is told behind the next instruction.
    if (cpu.shadow === 'ss') return;
    const step = exit.kind === 'trap' && !processor.stepless ? DR6.BS : 0;
    const bits = processor.hits | processor.traps | step;
    processor.hits = processor.traps = 0;
    if (bits !== 0) this.debug(bits);
  }

  private raise(fault: Fault): void {
    if (this.ended === null && !raise(this.cpu, fault)) this.tell({ kind: 'shutdown', why: 'triple-fault' });
  }

  private debug(bits: number): void {
    noteDebug(this.cpu, bits);
    this.raise({ vector: DB, error: null, address: null });
  }

  /** Deliver what is pending before the next instruction. */
  private attend(): void {
    while (this.ended === null && this.deliverOne()) this.stands = false;
  }

  private deliverOne(): boolean {
    const { cpu, board, processor } = this;
    const flags = cpu.s[SYSTEM];
    if (cpu.shadow === 'ss') return false;
    if (board.nmiPending && !processor.nmiBlocked) {
      board.nmiPending = false;
      this.interrupt(NMI, true);
      return true;
    }
    if ((flags & RFLAGS.IF) !== 0 && cpu.shadow === 'none' && board.interruptRequested) {
      this.interrupt(board.acknowledgeInterrupt(), false);
      return true;
    }
    return false;
  }

  private interrupt(vector: number, nmi: boolean): void {
    if (!interrupt(this.cpu, vector, nmi)) this.tell({ kind: 'shutdown', why: 'triple-fault' });
  }

  /** It is `now` ns. */
  passTime(now: number): void {
    this.steps = 0;
    this.board.advance(now);
  }
}

/** Cpu.run takes no more at a time. */
const MOST_STEPS = 2 ** 30;
