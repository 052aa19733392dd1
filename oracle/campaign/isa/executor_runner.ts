/** Cases on the executor's processor. */
import type { CpuidLeaf } from '#spec/config.ts';
import { NotModelled } from '#spec/failure.ts';
import { CR4 as CR4_BITS } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { Cpu } from '../../executor/cpu/cpu.ts';
import type { Exit } from '../../executor/cpu/exit.ts';
import {
  CR3,
  CR4,
  GDTR_BASE,
  GDTR_LIMIT,
  MXCSR,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SEGMENT_RIGHTS,
  X87,
  X87_CONTROL,
  X87_STATUS,
  X87_TAG,
  XCR0,
  XMM,
} from '../../executor/cpu/layout.ts';
import { USABLE } from '../../executor/cpu/segment_rights.ts';
import { LDTR } from '../../executor/cpu/system/descriptor.ts';
import { Memory } from '../../executor/memory.ts';
import { codeBase, FX_BYTES, type InstructionCase } from '../../image/instruction/case.ts';
import { type FxState, fxStateOf } from '../../image/instruction/fx_state.ts';
import { limitOf, rightsOf, segmentNamed } from '../../image/instruction/segments.ts';
import { offsetInWindow, PAGE, pristineWindow, WINDOW } from '../../image/instruction/window.ts';
import { interruptEnd } from './interrupts.ts';
import { linuxPlatform } from './linux_platform.ts';
import { GDT_LIMIT, LDT_AT, LDT_LIMIT, LDT_RIGHTS, LDT_SELECTOR, TABLES_AT, tableWords } from './system_tables.ts';
import {
  type Change,
  changesOf,
  type EngineResult,
  offsetFrame,
  type Prepared,
  runsUnderXen,
  selectorsOf,
  TABLES_FRAME,
  tableEntries,
} from './window_state.ts';

const FRAMES = 64;
/** More iterations than any case asks for. */
const MOST_STEPS = 20_000;
const SEGMENTS = [0, 1, 2, 3, 4, 5] as const;

const setTable = (s: Int32Array, at: number, value: bigint): void => {
  s[at] = Number(BigInt.asIntN(32, value));
  s[at + 1] = Number(BigInt.asIntN(32, value >> 32n));
};

const setHidden = (s: Int32Array, segment: number, selector: number): void => {
  const found = selector < 4 ? undefined : segmentNamed(selector);
  setTable(s, SEGMENT_BASE + 2 * segment, BigInt(found?.base ?? 0));
  s[SEGMENT_LIMIT + segment] = found === undefined ? 0 : limitOf(found);
  s[SEGMENT_RIGHTS + segment] = found === undefined ? 0 : rightsOf(found) | USABLE;
};

/** The image that FXSAVE would make. */
const imageOf = ({ s, s8 }: Cpu): Uint8Array => {
  const image = new Uint8Array(FX_BYTES);
  const view = new DataView(image.buffer);
  const status = s[X87_STATUS];
  view.setUint16(0, s[X87_CONTROL], true);
  view.setUint16(2, status, true);
  image[4] = s[X87_TAG];
  view.setUint32(24, s[MXCSR], true);
  for (let n = 0; n < 8; n++) image.set(s8.subarray(4 * (X87 + 4 * n), 4 * (X87 + 4 * n) + 10), 32 + 16 * ((n - (status >> 11)) & 7));
  image.set(s8.subarray(4 * XMM, 4 * XMM + 256), 160);
  return image;
};

const setFx = ({ s }: Cpu, fx: FxState): void => {
  s[X87_CONTROL] = fx.control;
  s[X87_STATUS] = fx.status;
  s[X87_TAG] = fx.tag;
  s[MXCSR] = fx.mxcsr;
  const put = (at: number, value: bigint, words: number): void => {
    for (let n = 0; n < words; n++) s[at + n] = Number(BigInt.asIntN(32, value >> BigInt(32 * n)));
  };
  for (const [n, value] of fx.registers.entries()) put(X87 + 4 * n, value, 3);
  for (const [n, value] of fx.xmm.entries()) put(XMM + 4 * n, value, 4);
};

/** One executor CPU that runs case after case; what a case left in memory is taken back before the next. */
export class ExecutorRunner {
  private readonly memory = new Memory(FRAMES);
  private readonly xen: Cpu;
  private readonly linux: Cpu;
  private readonly initial: Int32Array;
  private readonly pristine = pristineWindow();
  private dirty: { at: number; length: number }[] = [];

  constructor(cpuid: readonly CpuidLeaf[]) {
    this.xen = new Cpu(this.memory, cpuid);
    this.linux = new Cpu(this.memory, cpuid, linuxPlatform());
    for (const { index, word } of tableWords()) this.memory.write64(TABLES_FRAME * PAGE + 8 * index, word);
    for (const { table, index, entry } of tableEntries()) this.memory.write64(table * PAGE + 8 * index, entry);
    for (const n of WINDOW.keys()) this.memory.writeBytes(offsetFrame(n) * PAGE, this.pristine.subarray(n * PAGE, (n + 1) * PAGE));
    this.xen.root = 1;
    this.initial = this.linux.s.slice();
  }

  run(p: Prepared): EngineResult {
    const { instruction: c } = p;
    const cpu = runsUnderXen(c) ? this.xen : this.linux;
    this.takeBack();
    for (const { at, bytes } of p.stretches) this.put(at, bytes);
    for (let r = 0; r < 16; r++) cpu.setGpr(r, p.regs[r]);
    this.setSystem(c, cpu);
    if (c.fx !== null) setFx(cpu, fxStateOf(c.fx));
    cpu.rip = BigInt(c.rip);
    cpu.flags = c.flags | (c.way === 'step' ? RFLAGS.TF : 0);
    cpu.refresh();
    try {
      for (let steps = 0; steps < MOST_STEPS; steps++) {
        const exit = cpu.run(1);
        if (exit.kind === 'limit' && c.way === 'through' && cpu.rip === BigInt(c.rip)) continue;
        const ending = endOf(c, exit);
        if (exit.kind === 'int' && ending.end === 'fault') return { ...this.before(p), ...ending };
        return { ...this.state(c, cpu), changes: this.changes(p), ...ending };
      }
    } catch (error) {
      if (!(error instanceof NotModelled)) throw error;
      return { ...this.state(c, cpu), changes: [], ...NO_EVENT, end: 'not modelled', what: error.message };
    }
    return { ...this.state(c, cpu), changes: this.changes(p), ...NO_EVENT, end: 'time', what: '' };
  }

  /** Segments and control registers. */
  private setSystem(c: InstructionCase, cpu: Cpu): void {
    const { s } = cpu;
    if (cpu === this.linux) {
      s.set(this.initial.subarray(SEGMENT_BASE), SEGMENT_BASE);
      s[CR3] = PAGE;
      s[CR4] |= CR4_BITS.OSXSAVE | CR4_BITS.FSGSBASE;
      s[XCR0] = 3;
      setTable(s, GDTR_BASE, TABLES_AT);
      s[GDTR_LIMIT] = GDT_LIMIT;
      cpu.selectors[LDTR] = LDT_SELECTOR;
      setTable(s, SEGMENT_BASE + 2 * LDTR, LDT_AT);
      s[SEGMENT_LIMIT + LDTR] = LDT_LIMIT;
      s[SEGMENT_RIGHTS + LDTR] = LDT_RIGHTS | USABLE;
    }
    for (const [segment, selector] of selectorsOf(c).entries()) {
      cpu.setSelector(segment, selector);
      if (c.segments !== null) setHidden(s, segment, selector);
    }
    if (c.segments !== null) return;
    cpu.fsBase = c.fsBase;
    cpu.gsBase = c.gsBase;
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

  /** Nothing has happened. */
  private before({ instruction: c, regs }: Prepared) {
    const selectors = selectorsOf(c);
    const { fx } = c;
    const flags = c.flags | (c.way === 'step' ? RFLAGS.TF : 0);
    return { fx, regs, rip: BigInt(c.rip - codeBase(c)), flags, fsBase: c.fsBase, gsBase: c.gsBase, selectors, changes: [] };
  }

  private state(c: InstructionCase, cpu: Cpu) {
    return {
      fx: c.fx === null ? null : imageOf(cpu),
      regs: BigUint64Array.from({ length: 16 }, (_, r) => cpu.gpr(r)),
      rip: cpu.mode === '64' ? cpu.rip : BigInt(cpu.ip),
      flags: cpu.flags,
      fsBase: cpu.fsBase,
      gsBase: cpu.gsBase,
      selectors: SEGMENTS.map((segment) => cpu.selector(segment)),
    };
  }
}

const NO_EVENT = { vector: 0, error: 0, address: 0n } as const;

const endOf = (c: InstructionCase, exit: Exit): Pick<EngineResult, 'end' | 'vector' | 'error' | 'address' | 'what'> => {
  switch (exit.kind) {
    case 'limit':
      return { end: 'done', ...NO_EVENT, what: '' };
    case 'trap':
      return { end: 'step', ...NO_EVENT, vector: exit.vector, what: '' };
    case 'fault':
      return { end: 'fault', vector: exit.vector, error: exit.error ?? 0, address: exit.cr2 ?? 0n, what: '' };
    case 'int':
      return interruptEnd(exit.vector, OPCODES[c.row].mnemonic === 'int1');
    case 'syscall':
      return { end: 'syscall', ...NO_EVENT, what: '' };
  }
};
