/** Cases on the executor's processor. */
import type { CpuidLeaf } from '#spec/config.ts';
import { NotModelled } from '#spec/failure.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { Cpu } from '../../executor/cpu/cpu.ts';
import type { Exit } from '../../executor/cpu/exit.ts';
import { CS, SS_REG } from '../../executor/cpu/interface.ts';
import { Memory } from '../../executor/memory.ts';
import { offsetInWindow, PAGE, pristineWindow, WINDOW } from '../../image/instruction/window.ts';
import {
  type Change,
  changesOf,
  type EngineResult,
  HOST_SS,
  offsetFrame,
  type Prepared,
  tableEntries,
  XEN_SELECTORS,
} from './window_state.ts';

const FRAMES = 64;
/** More iterations than any case asks for. */
const MOST_STEPS = 20_000;
const SEGMENTS = [0, 1, 2, 3, 4, 5] as const;

/** One executor CPU that runs case after case; what a case left in memory is taken back before the next. */
export class ExecutorRunner {
  private readonly memory = new Memory(FRAMES);
  private readonly cpu: Cpu;
  private readonly pristine = pristineWindow();
  private dirty: { at: number; length: number }[] = [];

  constructor(cpuid: readonly CpuidLeaf[]) {
    this.cpu = new Cpu(this.memory, cpuid);
    for (const { table, index, entry } of tableEntries()) this.memory.write64(table * PAGE + 8 * index, entry);
    for (const n of WINDOW.keys()) this.memory.writeBytes(offsetFrame(n) * PAGE, this.pristine.subarray(n * PAGE, (n + 1) * PAGE));
    this.cpu.root = 1;
  }

  run(p: Prepared): EngineResult {
    const { instruction: c } = p;
    const { cpu } = this;
    this.takeBack();
    for (const { at, bytes } of p.stretches) this.put(at, bytes);
    for (let r = 0; r < 16; r++) cpu.setGpr(r, p.regs[r]);
    for (const segment of SEGMENTS) cpu.setSelector(segment, segment === CS ? XEN_SELECTORS.code64 : segment === SS_REG ? HOST_SS : 0);
    cpu.fsBase = c.fsBase;
    cpu.gsBase = c.gsBase;
    cpu.rip = BigInt(c.rip);
    cpu.flags = c.flags | (c.way === 'step' ? RFLAGS.TF : 0);
    try {
      for (let steps = 0; steps < MOST_STEPS; steps++) {
        const exit = cpu.run(1);
        if (exit.kind === 'limit' && c.way === 'through' && cpu.rip === BigInt(c.rip)) continue;
        return { ...this.state(), changes: this.changes(p), ...endOf(exit) };
      }
    } catch (error) {
      if (!(error instanceof NotModelled)) throw error;
      return { ...this.state(), changes: [], ...NO_EVENT, end: 'not modelled', what: error.message };
    }
    return { ...this.state(), changes: this.changes(p), ...NO_EVENT, end: 'time', what: '' };
  }

  private put(at: number, bytes: Uint8Array): void {
    this.memory.writeBytes(this.maddr(at), bytes);
    this.dirty.push({ at, length: bytes.length });
  }

  private takeBack(): void {
    const { dirty } = this;
    this.dirty = [];
    for (const { at, length } of dirty) {
      const offset = offsetInWindow(at);
      this.memory.writeBytes(this.maddr(at), this.pristine.subarray(offset, offset + length));
    }
  }

  private maddr(at: number): number {
    const offset = offsetInWindow(at);
    return offsetFrame(Math.floor(offset / PAGE)) * PAGE + (offset % PAGE);
  }

  private changes(p: Prepared): Change[] {
    const found: Change[] = [];
    for (const n of WINDOW.keys()) {
      const start = offsetFrame(n) * PAGE;
      const now = this.memory.bytes.subarray(start, start + PAGE);
      if (Buffer.compare(now, p.before.subarray(n * PAGE, (n + 1) * PAGE)) !== 0) found.push(...changesOf(n, now, p.before));
    }
    for (const { at, bytes } of found) this.dirty.push({ at, length: bytes.length });
    return found;
  }

  private state() {
    const { cpu } = this;
    return {
      regs: BigUint64Array.from({ length: 16 }, (_, r) => cpu.gpr(r)),
      rip: cpu.rip,
      flags: cpu.flags,
      fsBase: cpu.fsBase,
      gsBase: cpu.gsBase,
      selectors: SEGMENTS.map((segment) => cpu.selector(segment)),
    };
  }
}

const NO_EVENT = { vector: 0, error: 0, address: 0n } as const;
const [BP, OF] = [3, 4];

const endOf = (exit: Exit): Pick<EngineResult, 'end' | 'vector' | 'error' | 'address' | 'what'> => {
  switch (exit.kind) {
    case 'limit':
      return { end: 'done', ...NO_EVENT, what: '' };
    case 'trap':
      return { end: 'step', ...NO_EVENT, vector: exit.vector, what: '' };
    case 'fault':
      return { end: 'fault', vector: exit.vector, error: exit.error ?? 0, address: exit.cr2 ?? 0n, what: '' };
    case 'int':
      if (exit.vector === BP || exit.vector === OF) return { end: 'trap', ...NO_EVENT, vector: exit.vector, what: '' };
      return { end: 'syscall', ...NO_EVENT, what: '' };
    case 'syscall':
      return { end: 'syscall', ...NO_EVENT, what: '' };
  }
};
