/** Where the machine-to-phys table is. */
import { MACH2PHYS, memory } from '#spec/abi/memory.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { copyToGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { addInt, type Word } from '../../word/word.ts';
import { isControlDomain } from '../domids.ts';
import { bytesOfNumber } from '../guest_struct.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { exact, type MemoryCall, readArgument, writeBack } from './command.ts';

/** Frames that 2 MiB of the table have entries for. */
const FRAMES_A_SUPERPAGE = 0x40000;

/** Entries of a superpage of the table for 32-bit domains. */
const COMPAT_FRAMES_A_SUPERPAGE = 0x80000;

/** XENMEM_machphys_compat_mfn_list. Where that table lies is open (`open/frame-choice`); nobody but Xen has it mapped. */
export const machphysCompatMfnList = exact((machine, caller, call) =>
  waysOf(machine.config.release)['machphys_compat-built'] === 'listed'
    ? listed(machine, caller, call, COMPAT_FRAMES_A_SUPERPAGE)
    : fail(machine, 'EOPNOTSUPP', 'memory/machphys_compat-unsupported'),
);

/** XENMEM_machphys_mfn_list. */
export const machphysMfnList = exact((machine, caller, call) => listed(machine, caller, call, FRAMES_A_SUPERPAGE));

const listed = (machine: Machine, caller: VcpuRef, { arg }: MemoryCall, framesASuperpage: number): HypercallResult => {
  const read = readArgument(machine, caller, arg, memory.machphys_mfn_list);
  if (!read.argument) return fail(read.machine, 'EFAULT', 'memory/argument');
  const { frames, layout } = machine.config;
  const count = Math.min(read.argument.number('max_extents'), Math.ceil(frames / framesASuperpage));
  let m = read.machine;
  for (let i = 0; i < count; i++) {
    const at: Word = addInt(read.argument.word('extent_start'), 8 * i);
    const written = copyToGuest(m, caller, at, bytesOfNumber(layout.m2p_first + 512 * i, 8));
    m = written.machine;
    if (!written.ok) return fail(m, 'EFAULT', 'memory/machphys_mfn_list-done');
  }
  const bytes = read.argument.bytes.slice();
  bytes.set(bytesOfNumber(count, 4), memory.machphys_mfn_list.fields.nr_extents.at);
  const told = writeBack(cite(m, 'memory/machphys_mfn_list-done'), caller, arg, 0, bytes);
  return told.ok ? done(told.machine, 'memory/machphys_mfn_list-done') : fail(told.machine, 'EFAULT', 'memory/machphys_mfn_list-done');
};

/** XENMEM_machphys_mapping. */
export const machphysMapping = exact((machine, caller, { arg }) => {
  const last = isControlDomain(caller) ? machine.config.frames - 1 : MACH2PHYS.entries - 1n;
  const bytes = new Uint8Array(memory.machphys_mapping.size);
  for (const [i, value] of [MACH2PHYS.v_start, MACH2PHYS.v_end, last].entries()) bytes.set(bytesOfNumber(value, 8), 8 * i);
  const told = copyToGuest(machine, caller, arg, bytes);
  return told.ok ? done(told.machine, 'memory/machphys_mapping-done') : fail(told.machine, 'EFAULT', 'memory/machphys_mapping-done');
});
