/** Cases on the model's processor. */

import { extendedOf, type Fpu } from '#model/cpu/x86/fpu/state.ts';
import { type CpuState, freshCpu, type Segments, withSegment } from '#model/cpu/x86/state.ts';
import { executeInstruction, type Platform } from '#model/cpu/x86/step.ts';
import { CR4, PV_SYSTEM, type SystemState } from '#model/cpu/x86/system/state.ts';
import { writeBytes, writePage } from '#model/memory/access.ts';
import { emptyMemory, type Memory, pageOf, writeWord } from '#model/memory/memory.ts';
import { pageBytes } from '#model/memory/page.ts';
import { fromBigInt, toBigInt, type Word, ZERO } from '#model/word/word.ts';
import type { CpuidLeaf } from '#spec/config.ts';
import { NotModelled } from '#spec/failure.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { X86Mode } from '#spec/isa/x86/mode.ts';
import { codeBase, FX_BYTES, type InstructionCase, type Mode } from '../../image/instruction/case.ts';
import { type FxState, fxStateOf } from '../../image/instruction/fx_state.ts';
import { limitOf, rightsOf, segmentNamed } from '../../image/instruction/segments.ts';
import { PAGE, pristineWindow, WINDOW } from '../../image/instruction/window.ts';
import { interruptEnd } from './interrupts.ts';
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

const baseMemory = (): Memory => {
  let memory = emptyMemory(FRAMES);
  for (const { table, index, entry } of tableEntries()) memory = writeWord(memory, table, index, fromBigInt(entry));
  for (const { index, word } of tableWords()) memory = writeWord(memory, TABLES_FRAME, index, fromBigInt(word));
  const bytes = pristineWindow();
  for (const n of WINDOW.keys()) memory = writePage(memory, offsetFrame(n), bytes.slice(n * PAGE, (n + 1) * PAGE));
  return memory;
};

const BASE = baseMemory();
/** More iterations than any case asks for. */
const MOST_STEPS = 20_000;

/** `onClauses`: what the model cites on the way. */
export const runOnModel = (
  p: Prepared,
  cpuid: readonly CpuidLeaf[],
  onClauses: (clauses: readonly string[]) => void = () => {},
): EngineResult => {
  const { instruction: c } = p;
  const platform: Platform = { cpuid, tsc: ZERO };
  const memory = p.stretches.reduce((m, { at, bytes }) => writeBytes(m, frameAt(at), at % PAGE, bytes), BASE);
  const start = fromBigInt(BigInt(c.rip - codeBase(c)));
  let cpu = cpuFor(p, start);
  let now = memory;
  try {
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const outcome = executeInstruction(cpu, now, platform);
      onClauses(outcome.clauses);
      const ending = endOf(outcome);
      if (outcome.kind === 'int' && ending.end === 'fault') return { ...stateOf(c, cpu), changes: changesFrom(memory, now, p), ...ending };
      cpu = outcome.cpu;
      now = outcome.memory;
      if (outcome.kind === 'retired' && c.way === 'through' && cpu.rip.lo === start.lo && cpu.rip.hi === start.hi) continue;
      return { ...stateOf(c, cpu), changes: changesFrom(memory, now, p), ...ending };
    }
  } catch (error) {
    if (!(error instanceof NotModelled)) throw error;
    return { ...stateOf(c, cpu), changes: [], ...NO_EVENT, end: 'not modelled', what: error.message };
  }
  return { ...stateOf(c, cpu), changes: changesFrom(memory, now, p), ...NO_EVENT, end: 'time', what: '' };
};

/** The processor as the case meets it. */
const cpuFor = ({ instruction: c, regs }: Prepared, rip: Word): CpuState => {
  const fresh = freshCpu(1, rip, selectorsOf(c));
  const cpu: CpuState = {
    ...fresh,
    regs: Array.from(regs, fromBigInt),
    flags: c.flags | (c.way === 'step' ? RFLAGS.TF : 0),
    segments: { ...fresh.segments, fsBase: fromBigInt(c.fsBase), gsBase: fromBigInt(c.gsBase) },
    fpu: c.fx === null ? fresh.fpu : fpuOf(fxStateOf(c.fx)),
  };
  if (runsUnderXen(c) && c.mode === '64') return cpu;
  const system = LINUX[c.mode];
  return { ...cpu, segments: segmentsFor(c, cpu.segments), system: runsUnderXen(c) ? { ...PV_SYSTEM, mode: system.mode } : system };
};

const fpuOf = ({ control, status, tag, registers, mxcsr, xmm }: FxState): Fpu => ({
  control,
  status,
  tag,
  mxcsr,
  registers: registers.map(extendedOf),
  xmm: xmm.map((value) => ({ hi: fromBigInt(value >> 64n), lo: fromBigInt(value) })),
});

/** The image that FXSAVE would make. */
const imageOf = ({ control, status, tag, registers, mxcsr, xmm }: Fpu): Uint8Array => {
  const image = new Uint8Array(FX_BYTES);
  const view = new DataView(image.buffer);
  view.setUint16(0, control, true);
  view.setUint16(2, status, true);
  image[4] = tag;
  view.setUint32(24, mxcsr, true);
  const put = (at: number, { hi, lo }: Word): void => {
    view.setInt32(at, lo, true);
    view.setInt32(at + 4, hi, true);
  };
  for (const [n, { top, significand }] of registers.entries()) {
    const at = 32 + 16 * ((n - (status >> 11)) & 7);
    put(at, significand);
    view.setUint16(at + 8, top, true);
  }
  for (const [n, { hi, lo }] of xmm.entries()) {
    put(160 + 16 * n, lo);
    put(168 + 16 * n, hi);
  }
  return image;
};

const segmentsFor = (c: InstructionCase, segments: Segments): Segments =>
  (c.segments ?? []).reduce((all, selector, register) => {
    const found = segmentNamed(selector);
    const hidden =
      found === undefined || selector < 4
        ? { base: ZERO, limit: 0, rights: 0, usable: false }
        : { base: fromBigInt(BigInt(found.base)), limit: limitOf(found), rights: rightsOf(found), usable: true };
    return withSegment(all, register, { selector, ...hidden });
  }, segments);

/** What Linux has set up around a program. */
const linux = (mode: X86Mode): SystemState => ({
  ...PV_SYSTEM,
  kind: 'bare',
  mode,
  cr3: fromBigInt(0x1000n),
  cr4: PV_SYSTEM.cr4 | CR4.OSXSAVE | CR4.FSGSBASE,
  xcr0: fromBigInt(3n),
  gdtr: { base: fromBigInt(TABLES_AT), limit: GDT_LIMIT },
  ldtr: { selector: LDT_SELECTOR, base: fromBigInt(LDT_AT), limit: LDT_LIMIT, rights: LDT_RIGHTS, usable: true },
});
const LINUX: Readonly<Record<Mode, SystemState>> = { '64': linux('64'), '32': linux('compat32'), '16': linux('compat16') };

const frameAt = (address: number): number =>
  offsetFrame(WINDOW.findIndex((page) => address >= page.address && address < page.address + PAGE));

const NO_EVENT = { vector: 0, error: 0, address: 0n } as const;
const DB = 1;
type Ending = Pick<EngineResult, 'end' | 'vector' | 'error' | 'address' | 'what'>;

const endOf = (outcome: ReturnType<typeof executeInstruction>): Ending => {
  switch (outcome.kind) {
    case 'retired':
      return { end: 'done', ...NO_EVENT, what: '' };
    case 'syscall':
      return { end: 'syscall', ...NO_EVENT, what: '' };
    case 'int':
      return interruptEnd(outcome.vector, outcome.by === 'int1');
    case 'wanted':
      throw new NotModelled(`x86/outside-${outcome.wanted.kind}`);
    case 'table':
      throw new NotModelled('x86/outside-table');
    default: {
      const { vector, error, address } = outcome.fault;
      const end = outcome.kind === 'fault' ? 'fault' : vector === DB ? 'step' : 'trap';
      return { end, vector, error: error ?? 0, address: address === null ? 0n : toBigInt(address), what: '' };
    }
  }
};

const stateOf = (c: InstructionCase, { regs, rip, flags, segments, fpu }: CpuState) => ({
  fx: c.fx === null ? null : imageOf(fpu),
  regs: BigUint64Array.from(regs, toBigInt),
  rip: toBigInt(rip),
  flags,
  fsBase: toBigInt(segments.fsBase),
  gsBase: toBigInt(segments.gsBase),
  selectors: segments.selectors,
});

/** Pages that are still the same object have not changed. */
const changesFrom = (was: Memory, now: Memory, p: Prepared): Change[] =>
  [...WINDOW.keys()].flatMap((n) => {
    const page = pageOf(now, offsetFrame(n));
    return page === pageOf(was, offsetFrame(n)) ? [] : changesOf(n, pageBytes(page, 0, PAGE), p.before);
  });
