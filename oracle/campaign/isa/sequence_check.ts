/** Model against executor on long generated programs, at the level of the processor alone. */
import { resumption, type Sequence, sequence } from '../../generators/isa/sequence.ts';
import { CODE, PAGE } from '../../image/instruction/window.ts';
import { executorMachine, LIMIT, modelMachine, NOT_MODELLED, type SequenceMachine } from './sequence_machines.ts';
import { offsetFrame } from './window_state.ts';

/** Steps of one program. */
export const SEQUENCE_STEPS = 200_000;
/** Steps after which registers are compared, the program is interrupted in any case, and memory is compared. */
const REGISTERS_EVERY = 250;
const INTERRUPT_EVERY = 250;
const MEMORY_EVERY = 20_000;

export type SequenceDifference = {
  readonly seed: number;
  /** Steps before the instruction that differs. */
  readonly step: number;
  /** Where it is, and its first bytes. */
  readonly rip: string;
  readonly bytes: string;
  readonly what: string;
};

export type SequenceRun = { readonly steps: number; readonly interruptions: number; readonly difference: SequenceDifference | null };

type Pair = { readonly model: SequenceMachine; readonly executor: SequenceMachine };

const resume = ({ model, executor }: Pair, seed: number, n: number, program: Sequence): void => {
  const { rip, regs } = resumption(seed, n, program);
  for (const machine of [model, executor]) {
    machine.rip = BigInt(rip);
    machine.settle();
    for (const [register, value] of regs) machine.setRegister(register, value);
  }
};

/** Both take the same steps. Returns why they stopped and after how many, or how they differ. */
const runBoth = ({ model, executor }: Pair, budget: number): { readonly why: string; readonly steps: number } | string => {
  const told = model.run(budget);
  if (told.why !== NOT_MODELLED) {
    const seen = executor.run(budget);
    if (seen.why !== told.why || seen.steps !== told.steps)
      return `model ${told.why} after ${told.steps}, executor ${seen.why} after ${seen.steps}`;
    return told;
  }
  const before = told.steps === 0 ? { why: LIMIT, steps: 0 } : executor.run(told.steps);
  if (before.why !== LIMIT) return `model ${told.why} after ${told.steps}, executor ${before.why} after ${before.steps}`;
  const { why } = executor.run(1);
  return why === NOT_MODELLED ? told : `model ${told.why}, executor ${why}`;
};

const words = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
const rest = ['rip', 'rflags', 'fs base', 'gs base', 'es', 'cs', 'ss', 'ds', 'fs', 'gs', 'fcw', 'fsw', 'tags', 'mxcsr'];
const numbered = (name: string, count: number): readonly string[] => Array.from({ length: count }, (_, n) => `${name}${n}`);
const vectors = [...numbered('x87 register ', 8), ...numbered('xmm', 16)];

const stateDifference = ({ model, executor }: Pair): string | null => {
  const [told, seen] = [model.state(), executor.state()];
  if (told === seen) return null;
  const others = seen.split(' ');
  return told
    .split(' ')
    .flatMap((value, n) =>
      value === others[n] ? [] : [`${[...words, ...rest, ...vectors][n]}: model 0x${value}, executor 0x${others[n]}`],
    )
    .join('; ');
};

const memoryDifference = ({ model, executor }: Pair): string | null =>
  model.memory() === executor.memory() ? null : 'memory, page tables included, differs';

/** What lies at an address of the code. */
const bytesAt = (machine: SequenceMachine, rip: bigint): string => {
  const offset = Number(rip) - CODE;
  if (offset < 0 || offset >= 2 * PAGE) return '';
  const page = machine.page(offsetFrame(Math.floor(offset / PAGE)));
  return Buffer.from(page.subarray(offset % PAGE, (offset % PAGE) + 15)).toString('hex');
};

type Every = { readonly registers: number; readonly memory: number };

/** One program. `difference` has the place only as exactly as `every` looks. */
const runProgram = (seed: number, steps: number, every: Every): SequenceRun => {
  const program = sequence(seed);
  const pair = { model: modelMachine(program.code, program.mode), executor: executorMachine(program.code, program.mode) };
  let [taken, interruptions, sinceInterruption, sinceMemory] = [0, 0, 0, 0];
  resume(pair, seed, interruptions++, program);
  while (taken < steps) {
    const rip = pair.model.rip;
    const ran = runBoth(pair, Math.min(every.registers, steps - taken, INTERRUPT_EVERY - sinceInterruption));
    const here = (what: string): SequenceRun => ({
      steps: taken,
      interruptions,
      difference: { seed, step: taken, rip: rip.toString(16), bytes: bytesAt(pair.executor, rip), what },
    });
    if (typeof ran === 'string') return here(ran);
    const state = stateDifference(pair);
    if (state !== null) return here(state);
    sinceMemory += ran.steps;
    if (sinceMemory >= every.memory) {
      sinceMemory = 0;
      const memory = memoryDifference(pair);
      if (memory !== null) return here(memory);
    }
    taken += ran.steps;
    sinceInterruption += ran.steps;
    if (ran.why !== LIMIT || sinceInterruption >= INTERRUPT_EVERY) {
      sinceInterruption = 0;
      resume(pair, seed, interruptions++, program);
    }
  }
  return {
    steps: taken,
    interruptions,
    difference: memoryDifference(pair) === null ? null : { seed, step: taken, rip: '', bytes: '', what: 'memory at the end' },
  };
};

/** Program number `seed`, and when the engines part, the very instruction. */
export const runSequence = (seed: number, steps = SEQUENCE_STEPS): SequenceRun => {
  const run = runProgram(seed, steps, { registers: REGISTERS_EVERY, memory: MEMORY_EVERY });
  if (run.difference === null) return run;
  const exact = runProgram(seed, Math.min(steps, run.difference.step + MEMORY_EVERY + REGISTERS_EVERY), { registers: 1, memory: 1 });
  return exact.difference === null ? run : exact;
};
