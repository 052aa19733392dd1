import { describe, expect, it } from 'vitest';
import { memoryDigest, read } from '../../memory/access.ts';
import { emptyMemory, readWord } from '../../memory/memory.ts';
import { fromBigInt, toBigInt, toNumber } from '../../word/word.ts';
import { AF, CF, DF, IF, RF, TF } from './flags.ts';
import { frameOf, PLACE, SAMPLE_PLATFORM, type Setting, sample, setPage, tryOne } from './sample.ts';
import { RSP } from './state.ts';
import { executeInstruction, runInstructions } from './step.ts';

const run = (code: number[], setting: Setting = {}) => tryOne(sample(code, setting));
const rbx = (address: number) => ({ 3: BigInt(address) });
/** mov rax,[rbx] and mov [rbx],rax */
const LOAD = [0x48, 0x8b, 0x03];
const STORE = [0x48, 0x89, 0x03];

describe('faults', () => {
  it('leave everything as it was', () => {
    const start = sample([0x48, 0x01, 0x03], { regs: { 0: 5n, ...rbx(PLACE.readOnly) }, flags: CF }); // add [rbx],rax
    const outcome = tryOne(start);
    expect(outcome).toMatchObject({ kind: 'fault', steps: 1, fault: { vector: 14, error: 7 } });
    expect(outcome.cpu).toEqual(start.cpu);
    expect(memoryDigest(outcome.memory)).toBe(memoryDigest(start.memory));
    expect(outcome.clauses).toEqual(['x86/step-fault_precise', 'x86/page_walk-write']);
  });

  it('name the address and what was wanted', () => {
    const fault = (code: number[], address: number) => {
      const outcome = run(code, { regs: rbx(address) });
      return outcome.kind === 'fault'
        ? [outcome.fault.vector, outcome.fault.error, outcome.fault.address && toNumber(outcome.fault.address)]
        : outcome.kind;
    };
    expect(fault(LOAD, PLACE.absent + 8)).toEqual([14, 4, PLACE.absent + 8]);
    expect(fault(STORE, PLACE.absent + 8)).toEqual([14, 6, PLACE.absent + 8]);
    expect(fault([0x48, 0x01, 0x03], PLACE.absent)).toEqual([14, 6, PLACE.absent]);
    expect(fault(STORE, PLACE.readOnly)).toEqual([14, 7, PLACE.readOnly]);
    expect(fault(LOAD, PLACE.readOnly)).toBe('retired');
    expect(fault([0xff, 0xe3], PLACE.absent)).toBe('retired'); // jmp rbx: the fetch faults, not the jump
  });

  it('of an access that crosses pages name the first byte out of reach, and write nothing', () => {
    const outcome = run(STORE, { regs: { 0: ~0n, ...rbx(PLACE.absent - 3) } });
    expect(outcome.kind === 'fault' && toNumber(outcome.fault.address!)).toBe(PLACE.absent);
    expect(read(outcome.memory, frameOf(PLACE.absent - 4096), 4092, 4).lo).toBe(0);
  });

  it('of fetching have the I bit', () => {
    expect(run([], { rip: PLACE.absent })).toMatchObject({ fault: { vector: 14, error: 20 } });
    expect(run([0x90], { rip: PLACE.noExecute })).toMatchObject({ fault: { vector: 14, error: 21 } });
    const split = run([0x48, 0xb8], { rip: PLACE.absent - 2 });
    expect(split.kind === 'fault' && toNumber(split.fault.address!)).toBe(PLACE.absent);
  });

  it('of addresses that do not exist are #GP, on the stack #SS', () => {
    const hole = 1n << 47n;
    expect(run(LOAD, { regs: { 3: hole } })).toMatchObject({ fault: { vector: 13, error: 0 } });
    expect(run([0x48, 0x8b, 0x45, 0], { regs: { 5: hole } })).toMatchObject({ fault: { vector: 12, error: 0 } });
    expect(run([0x50], { regs: { [RSP]: hole } }).kind).toBe('fault');
    expect(run([0x50], { regs: { [RSP]: hole + 16n } })).toMatchObject({ fault: { vector: 12, error: 0 } });
    expect(run(LOAD, { regs: { 3: hole - 4n } })).toMatchObject({ fault: { vector: 13, error: 0 } });
  });

  it('of decoding: too long, LOCK out of place, not an opcode', () => {
    expect(run([...new Array<number>(15).fill(0x66), 0x90])).toMatchObject({ fault: { vector: 13, error: 0 } });
    expect(run([...new Array<number>(14).fill(0x66), 0x90]).kind).toBe('retired');
    expect(run([0xf0, 0x90])).toMatchObject({ fault: { vector: 6, error: null } });
    expect(run([0xf0, 0x48, 0x01, 0xc0])).toMatchObject({ fault: { vector: 6 } });
    expect(run([0xf0, 0x48, 0x01, 0x03], { regs: rbx(PLACE.data) }).kind).toBe('retired');
    for (const code of [[0x06], [0xd4, 0x0a], [0x0f, 0x0b]]) expect(run(code)).toMatchObject({ fault: { vector: 6 } });
    expect(() => run([0x0f, 0x3a, 0x4c, 0xc0])).toThrow('instruction/0f3a4c');
  });
});

describe('privilege', () => {
  it('ring 3 may not, whatever the operands', () => {
    const codes = [[0xfa], [0xf4], [0xe4, 0x80], [0xec], [0xf3, 0x6c], [0x0f, 0x20, 0xc0], [0x0f, 0x30], [0x0f, 0x01, 0xf8], [0x0f, 0x07]];
    for (const code of codes) expect(run(code)).toMatchObject({ kind: 'fault', fault: { vector: 13, error: 0 } });
  });

  it('INT: 3 and 4 are traps, 0x80 goes to the guest, others to Xen as #GP', () => {
    expect(run([0xcc])).toMatchObject({ kind: 'trap', fault: { vector: 3 } });
    expect(toNumber(run([0xcc]).cpu.rip)).toBe(PLACE.code + 1);
    expect(run([0xcd, 4])).toMatchObject({ kind: 'trap', fault: { vector: 4 } });
    expect(run([0xcd, 0x80])).toMatchObject({ kind: 'int', vector: 0x80 });
    expect(run([0xcd, 0x20])).toMatchObject({ kind: 'fault', fault: { vector: 13, error: 0x102 } });
  });

  it('SYSCALL leaves the way back in RCX and the flags in R11', () => {
    const outcome = run([0x0f, 0x05], { flags: CF | DF | RF });
    expect(outcome.kind).toBe('syscall');
    expect([1, 11].map((n) => toNumber(outcome.cpu.regs[n]))).toEqual([PLACE.code + 2, CF | DF | IF | 2]);
    expect(toNumber(outcome.cpu.rip)).toBe(PLACE.code + 2);
  });
});

describe('single steps', () => {
  it('trap after the instruction, and after each iteration of a repeated one', () => {
    expect(run([0x90], { flags: TF })).toMatchObject({ kind: 'trap', steps: 1, fault: { vector: 1, error: null } });
    const iteration = run([0xf3, 0xaa], { regs: { 1: 5n, 7: BigInt(PLACE.data) }, flags: TF });
    expect([iteration.kind, toNumber(iteration.cpu.rip), toNumber(iteration.cpu.regs[1])]).toEqual(['trap', PLACE.code, 4]);
  });

  it('do not trap after loading SS, nor on a fault', () => {
    expect(run([0x8e, 0xd0], { regs: { 0: 0xe02bn }, flags: TF }).kind).toBe('retired');
    expect(run([0x0f, 0x0b], { flags: TF })).toMatchObject({ kind: 'fault', fault: { vector: 6 } });
  });

  it('RF lasts for one instruction', () => {
    expect(run([0x90], { flags: RF | AF }).cpu.flags).toBe(IF | AF | 2);
  });
});

describe('what the machine tells', () => {
  it('CPUID reads the table, and zeros where it has none', () => {
    expect(run([0x0f, 0xa2]).cpu.regs.slice(0, 4).map(toNumber)).toEqual([1, 3, 4, 2]);
    const absent = run([0x0f, 0xa2], { regs: { 0: 77n, 2: 5n } });
    expect(absent.cpu.regs.slice(0, 4).map(toNumber)).toEqual([0, 0, 0, 0]);
    expect(absent.clauses).toEqual(['x86/cpuid-absent']);
  });

  it('RDTSC counts steps', () => {
    const { cpu, memory } = sample([0x90, 0x90, 0x0f, 0x31]);
    const outcome = runInstructions(cpu, memory, { cpuid: [], tsc: fromBigInt(0x1_ffff_ffffn) }, 3);
    expect([0, 2].map((n) => toNumber(outcome.cpu.regs[n]))).toEqual([1, 2]);
  });
});

describe('page tables', () => {
  it('show accessed and dirty bits as accesses set them', () => {
    const start = sample(LOAD, { regs: rbx(PLACE.data) });
    const memory = setPage(start.memory, PLACE.data, 0x07);
    const entry = (m: typeof memory): number => readWord(m, 4, PLACE.data >> 12).lo & 0xff;
    const loaded = executeInstruction(start.cpu, memory, SAMPLE_PLATFORM);
    expect([entry(loaded.memory), loaded.clauses, loaded.steps]).toEqual([0x27, ['x86/page_walk-accessed'], 1]);
    const stored = tryOne({ ...sample(STORE, { regs: rbx(PLACE.data) }), memory: setPage(sample(STORE).memory, PLACE.data, 0x07) });
    expect(entry(stored.memory)).toBe(0x67);
  });

  it('of frames beyond RAM are not modelled', () => {
    const start = sample(LOAD, { regs: rbx(PLACE.data) });
    const memory = setPage(start.memory, PLACE.data, 0x67 + 4096 * 4096);
    expect(() => executeInstruction(start.cpu, memory, SAMPLE_PLATFORM)).toThrow('mmio');
  });
});

describe('what is remembered never shows', () => {
  /** A loop that loads, adds, stores at a moving place, and rewrites its own immediate. */
  const program = [
    ...[0x48, 0x8b, 0x04, 0xcb], // mov rax,[rbx+rcx*8]
    ...[0x48, 0x83, 0xc0, 0x11], // add rax,0x11 (its immediate is at code + 7)
    ...[0x48, 0x89, 0x44, 0xcb, 0x08], // mov [rbx+rcx*8+8],rax
    ...[0x48, 0xff, 0xc1], // inc rcx
    ...[0x88, 0x0d, 0xf1, 0xff, 0xff, 0xff], // mov [rip-15],cl: the immediate of the add above
    0xeb,
    0xe8, // jmp to the start
  ];
  const start = sample(program, { regs: rbx(PLACE.data) });
  const oneAtATime = (steps: number, between: () => void) => {
    let { cpu, memory } = start;
    for (let n = 0; n < steps; n++) {
      between();
      const outcome = executeInstruction(cpu, memory, SAMPLE_PLATFORM);
      expect(outcome.kind).toBe('retired');
      ({ cpu, memory } = outcome);
    }
    return { cpu, memory };
  };

  it('self-modifying code runs as it is written now', () => {
    const together = runInstructions(start.cpu, start.memory, SAMPLE_PLATFORM, 600);
    const forgetful = oneAtATime(600, () => tryOne({ cpu: start.cpu, memory: emptyMemory(8) }));
    expect(together.kind).toBe('retired');
    expect(together.cpu).toEqual(forgetful.cpu);
    expect(memoryDigest(together.memory)).toBe(memoryDigest(forgetful.memory));
    expect(toBigInt(together.cpu.regs[1])).toBe(100n);
  });

  it('an old memory still translates as it did', () => {
    const store = sample(STORE, { regs: { 0: 9n, ...rbx(PLACE.data) } });
    const moved = setPage(store.memory, PLACE.data, 0);
    expect(tryOne(store).kind).toBe('retired');
    expect(tryOne({ ...store, memory: moved }).kind).toBe('fault');
    expect(tryOne(store).kind).toBe('retired');
  });

  it('another root is another address space', () => {
    const { cpu, memory } = sample(LOAD, { regs: rbx(PLACE.data) });
    expect(executeInstruction(cpu, memory, SAMPLE_PLATFORM).kind).toBe('retired');
    const elsewhere = { ...cpu, segments: { ...cpu.segments, root: 900 } };
    expect(executeInstruction(elsewhere, memory, SAMPLE_PLATFORM)).toMatchObject({ fault: { vector: 14, error: 20 } });
  });
});
