/** The two processors on one program, with one face: registers, RIP, flags, memory. */

import { observeFpu } from '#model/cpu/x86/fpu/observe.ts';
import type { CpuOutcome } from '#model/cpu/x86/outcome.ts';
import { type CpuState, freshCpu, withSegment } from '#model/cpu/x86/state.ts';
import { runInstructions } from '#model/cpu/x86/step.ts';
import { memoryDigest, readPage, writePage } from '#model/memory/access.ts';
import { emptyMemory, type Memory as ModelMemory, writeWord } from '#model/memory/memory.ts';
import { fromBigInt, toBigInt, ZERO } from '#model/word/word.ts';
import { XEN_PRIVATE_RANGES } from '#spec/abi/xen.ts';
import type { CpuidLeaf } from '#spec/config.ts';
import { NotModelled } from '#spec/failure.ts';
import { CR4 as CR4_BITS } from '#spec/isa/x86/control_registers.ts';
import type { FpuObservation } from '#spec/isa/x86/cpu_observation.ts';
import { Cpu } from '../../executor/cpu/cpu.ts';
import { CR4, MXCSR, SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_RIGHTS, X87_CONTROL, X87_STATUS } from '../../executor/cpu/layout.ts';
import { observeFpu as observeExecutorFpu } from '../../executor/cpu/observe_fpu.ts';
import { USABLE } from '../../executor/cpu/segment_rights.ts';
import { Memory } from '../../executor/memory.ts';
import type { SequenceMode } from '../../generators/isa/sequence.ts';
import { limitOf, rightsOf, segmentCalled, selectorOf } from '../../image/instruction/segments.ts';
import { PAGE, pristineWindow, WINDOW } from '../../image/instruction/window.ts';
import { offsetFrame, tableEntries, XEN_SELECTORS } from './window_state.ts';

/**
 * Why a run stopped, as text that must be the same on both; `steps` were taken. With NOT_MODELLED the next instruction is the one that
 * is not; the executor then does not say how many came before.
 */
export type Stop = { readonly why: string; readonly steps: number };
export const LIMIT = 'limit';
export const NOT_MODELLED = 'not modelled';

export type SequenceMachine = {
  run(steps: number): Stop;
  rip: bigint;
  setRegister(register: number, value: bigint): void;
  /** Arithmetic flags and numbers stay; all else as at the start: other flags, control and status of x87 and SSE. */
  settle(): void;
  /** Registers, RIP, flags, bases and selectors. */
  state(): string;
  memory(): string;
  page(frame: number): Uint8Array;
};

export const FRAMES = 64;
const CPUID: readonly CpuidLeaf[] = [{ leaf: 0, subleaf: null, eax: 1, ebx: 2, ecx: 3, edx: 4 }];
const ARITHMETIC = 0x8d5;
const START_FLAGS = 0x202;
const START_CONTROL = 0x37f;
/** With ES and B. */
const EXCEPTIONS = 0x80ff;
const START_MXCSR = 0x1f80;
const SELECTORS = [0, XEN_SELECTORS.code64, XEN_SELECTORS.data, 0, 0, 0] as const;

/** The tables of the window, not yet accessed or dirty, and the window with the program in it. */
const content = (code: Uint8Array): { readonly tables: ReturnType<typeof tableEntries>; readonly window: Uint8Array } => {
  const window = pristineWindow();
  window.set(code, 0);
  return { tables: tableEntries().map((each) => ({ ...each, entry: each.entry & ~0x60n })), window };
};

const describe = (regs: readonly bigint[], rest: readonly (bigint | number)[], { x87, xmm, mxcsr }: FpuObservation): string => {
  const words = [x87.control, x87.status, x87.tag, mxcsr];
  return [...[...regs, ...rest, ...words].map((value) => value.toString(16)), ...x87.registers, ...xmm].join(' ');
};

const PRESENT = 1;

/** Addresses that Xen has mapped for itself: the executor's walk knows them, the model leaves them to what handles the fault. */
const isXensOwn = (address: bigint): boolean =>
  XEN_PRIVATE_RANGES.some(({ start, bytes }) => address >= start && address - start < BigInt(bytes === 'ram' ? FRAMES * PAGE : bytes));

const upToNotModelled = (step: () => Stop): Stop => {
  for (let steps = 0; ; steps++) {
    try {
      step();
    } catch (error) {
      if (!(error instanceof NotModelled)) throw error;
      return { why: NOT_MODELLED, steps };
    }
  }
};

/** Segments of 32-bit programs: flat but for FS and GS, and code that is small. */
const segmentsOf32 = () =>
  ['flat data', 'flat code', 'flat data', 'flat data', 'data at an odd base', '16-bit data'].map((name) => segmentCalled(name));

/** A model processor that runs code of this mode. */
const modelProcessor = (mode: SequenceMode): CpuState => {
  const fresh = freshCpu(1, ZERO, SELECTORS);
  const system = { ...fresh.system, cr4: fresh.system.cr4 | CR4_BITS.FSGSBASE };
  const cpu: CpuState = { ...fresh, flags: START_FLAGS, system };
  if (mode === '64') return cpu;
  const segments = segmentsOf32().reduce(
    (all, found, register) =>
      withSegment(all, register, {
        selector: selectorOf(found),
        base: fromBigInt(BigInt(found.base)),
        limit: limitOf(found),
        rights: rightsOf(found),
        usable: true,
      }),
    cpu.segments,
  );
  return { ...cpu, segments, system: { ...system, mode: 'compat32' } };
};

/** The same of the executor. */
const setExecutorSegments = (cpu: Cpu): void => {
  for (const [register, found] of segmentsOf32().entries()) {
    cpu.setSelector(register, selectorOf(found));
    cpu.s[SEGMENT_BASE + 2 * register] = found.base;
    cpu.s[SEGMENT_LIMIT + register] = limitOf(found);
    cpu.s[SEGMENT_RIGHTS + register] = rightsOf(found) | USABLE;
  }
  cpu.refresh();
};

export const modelMachine = (code: Uint8Array, mode: SequenceMode = '64'): SequenceMachine => {
  const { tables, window } = content(code);
  let memory: ModelMemory = emptyMemory(FRAMES);
  for (const { table, index, entry } of tables) memory = writeWord(memory, table, index, fromBigInt(entry));
  for (const n of WINDOW.keys()) memory = writePage(memory, offsetFrame(n), window.slice(n * PAGE, (n + 1) * PAGE));
  let cpu = modelProcessor(mode);
  let taken = 0n;
  const told = (outcome: CpuOutcome): string => {
    if (outcome.kind === 'retired') return LIMIT;
    if (outcome.kind === 'syscall') return 'syscall';
    if (outcome.kind === 'wanted') throw new NotModelled(`x86/outside-${outcome.wanted.kind}`);
    if (outcome.kind === 'table') throw new NotModelled('x86/outside-table');
    if (outcome.kind === 'int') return `int ${outcome.vector}`;
    const { vector, error, address } = outcome.fault;
    if (outcome.kind === 'trap') return vector === 1 ? 'trap' : `int ${vector}`;
    if (address === null) return `fault ${vector} ${error ?? ''} `;
    const at = toBigInt(address);
    return `fault ${vector} ${(error ?? 0) | (isXensOwn(at) ? PRESENT : 0)} ${at.toString(16)}`;
  };
  return {
    run(steps) {
      const attempt = (budget: number): Stop => {
        const outcome = runInstructions(cpu, memory, { cpuid: CPUID, tsc: fromBigInt(taken) }, budget);
        ({ cpu, memory } = outcome);
        taken += BigInt(outcome.steps);
        return { why: told(outcome), steps: outcome.steps };
      };
      try {
        return attempt(steps);
      } catch (error) {
        if (!(error instanceof NotModelled)) throw error;
        // Nothing has been taken over from the run: once more, up to the instruction itself.
        return upToNotModelled(() => attempt(1));
      }
    },
    get rip() {
      return toBigInt(cpu.rip);
    },
    set rip(value) {
      cpu = { ...cpu, rip: fromBigInt(value) };
    },
    setRegister(register, value) {
      cpu = { ...cpu, regs: cpu.regs.map((old, n) => (n === register ? fromBigInt(value) : old)) };
    },
    settle() {
      const fpu = { ...cpu.fpu, control: START_CONTROL, status: cpu.fpu.status & ~EXCEPTIONS, mxcsr: START_MXCSR };
      cpu = { ...cpu, flags: (cpu.flags & ARITHMETIC) | START_FLAGS, fpu };
    },
    state() {
      const { rip, flags, regs, segments, fpu } = cpu;
      const bases = [segments.fsBase, segments.gsBase].map(toBigInt);
      return describe(regs.map(toBigInt), [toBigInt(rip), flags, ...bases, ...segments.selectors], observeFpu(fpu));
    },
    memory: () => memoryDigest(memory),
    page: (frame) => readPage(memory, frame),
  };
};

export const executorMachine = (code: Uint8Array, mode: SequenceMode = '64'): SequenceMachine => {
  const { tables, window } = content(code);
  const memory = new Memory(FRAMES);
  const cpu = new Cpu(memory, CPUID);
  for (const { table, index, entry } of tables) memory.write64(table * PAGE + 8 * index, entry);
  for (const n of WINDOW.keys()) memory.writeBytes(offsetFrame(n) * PAGE, window.subarray(n * PAGE, (n + 1) * PAGE));
  cpu.root = 1;
  cpu.s[CR4] |= CR4_BITS.FSGSBASE;
  cpu.flags = START_FLAGS;
  for (const [segment, selector] of SELECTORS.entries()) cpu.setSelector(segment, selector);
  if (mode === '32') setExecutorSegments(cpu);
  let taken = 0n;
  return {
    run(steps) {
      cpu.tsc = taken;
      try {
        const exit = cpu.run(steps);
        taken += BigInt(exit.retired);
        if (exit.kind === 'fault') {
          return { why: `fault ${exit.vector} ${exit.error ?? ''} ${exit.cr2 === null ? '' : exit.cr2.toString(16)}`, steps: exit.retired };
        }
        return { why: exit.kind === 'int' ? `int ${exit.vector}` : exit.kind, steps: exit.retired };
      } catch (error) {
        if (!(error instanceof NotModelled)) throw error;
        return { why: NOT_MODELLED, steps: 0 };
      }
    },
    get rip() {
      return cpu.rip;
    },
    set rip(value) {
      cpu.rip = value;
    },
    setRegister: (register, value) => cpu.setGpr(register, value),
    settle() {
      cpu.flags = (cpu.flags & ARITHMETIC) | START_FLAGS;
      cpu.s[X87_CONTROL] = START_CONTROL;
      cpu.s[X87_STATUS] &= ~EXCEPTIONS;
      cpu.s[MXCSR] = START_MXCSR;
    },
    state() {
      const regs = Array.from({ length: 16 }, (_, r) => cpu.gpr(r));
      const selectors = SELECTORS.map((_, segment) => cpu.selector(segment));
      return describe(regs, [cpu.rip, cpu.flags, cpu.fsBase, cpu.gsBase, ...selectors], observeExecutorFpu(cpu.s));
    },
    memory: () => memory.digest(),
    page: (frame) => memory.readBytes(frame * PAGE, PAGE),
  };
};
