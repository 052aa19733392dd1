/** Cases on the model's processor. */

import { type CpuState, freshCpu } from '#model/cpu/x86/state.ts';
import { executeInstruction, type Platform } from '#model/cpu/x86/step.ts';
import { writeBytes, writePage } from '#model/memory/access.ts';
import { emptyMemory, type Memory, pageOf, writeWord } from '#model/memory/memory.ts';
import { pageBytes } from '#model/memory/page.ts';
import { fromBigInt, toBigInt, ZERO } from '#model/word/word.ts';
import type { CpuidLeaf } from '#spec/config.ts';
import { NotModelled } from '#spec/failure.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { PAGE, pristineWindow, WINDOW } from '../../image/instruction/window.ts';
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

const baseMemory = (): Memory => {
  let memory = emptyMemory(FRAMES);
  for (const { table, index, entry } of tableEntries()) memory = writeWord(memory, table, index, fromBigInt(entry));
  const bytes = pristineWindow();
  for (const n of WINDOW.keys()) memory = writePage(memory, offsetFrame(n), bytes.slice(n * PAGE, (n + 1) * PAGE));
  return memory;
};

const BASE = baseMemory();
/** More iterations than any case asks for. */
const MOST_STEPS = 20_000;

export const runOnModel = (p: Prepared, cpuid: readonly CpuidLeaf[]): EngineResult => {
  const { instruction: c } = p;
  const platform: Platform = { cpuid, tsc: ZERO };
  const memory = p.stretches.reduce((m, { at, bytes }) => writeBytes(m, frameAt(at), at % PAGE, bytes), BASE);
  const start = fromBigInt(BigInt(c.rip));
  const fresh = freshCpu(1, start, [0, XEN_SELECTORS.code64, HOST_SS, 0, 0, 0]);
  let cpu: CpuState = {
    ...fresh,
    regs: Array.from(p.regs, fromBigInt),
    flags: c.flags | (c.way === 'step' ? RFLAGS.TF : 0),
    segments: { ...fresh.segments, fsBase: fromBigInt(c.fsBase), gsBase: fromBigInt(c.gsBase) },
  };
  let now = memory;
  try {
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const outcome = executeInstruction(cpu, now, platform);
      cpu = outcome.cpu;
      now = outcome.memory;
      if (outcome.kind === 'retired' && c.way === 'through' && cpu.rip.lo === start.lo && cpu.rip.hi === start.hi) continue;
      return { ...stateOf(cpu), changes: changesFrom(memory, now, p), ...endOf(outcome) };
    }
  } catch (error) {
    if (!(error instanceof NotModelled)) throw error;
    return { ...stateOf(cpu), changes: [], ...NO_EVENT, end: 'not modelled', what: error.message };
  }
  return { ...stateOf(cpu), changes: changesFrom(memory, now, p), ...NO_EVENT, end: 'time', what: '' };
};

const frameAt = (address: number): number =>
  offsetFrame(WINDOW.findIndex((page) => address >= page.address && address < page.address + PAGE));

const NO_EVENT = { vector: 0, error: 0, address: 0n } as const;
const DB = 1;

const endOf = (outcome: ReturnType<typeof executeInstruction>): Pick<EngineResult, 'end' | 'vector' | 'error' | 'address' | 'what'> => {
  switch (outcome.kind) {
    case 'retired':
      return { end: 'done', ...NO_EVENT, what: '' };
    case 'syscall':
    case 'int':
      return { end: 'syscall', ...NO_EVENT, what: '' };
    case 'wanted':
      throw new NotModelled(`x86/outside-${outcome.wanted.kind}`);
    default: {
      const { vector, error, address } = outcome.fault;
      const end = outcome.kind === 'fault' ? 'fault' : vector === DB ? 'step' : 'trap';
      return { end, vector, error: error ?? 0, address: address === null ? 0n : toBigInt(address), what: '' };
    }
  }
};

const stateOf = ({ regs, rip, flags, segments }: CpuState) => ({
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
