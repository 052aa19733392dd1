/** One step of the machine without a hypervisor: the instruction, and the debug exceptions around it. Chapter: "Debugging". */
import type { ClauseId } from '#spec/clauses.ts';
import { DR6, DR7_RW } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { add, equal, word } from '../../../word/word.ts';
import { Exit } from '../fault.ts';
import { instructionAt } from '../fetch.ts';
import { RF, TF } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { type Fault, VECTOR } from '../outcome.ts';
import { changed, type Running } from '../running.ts';
import { baseOf } from '../segmentation.ts';
import { CS } from '../state.ts';
import { beginWatching, enabledBreakpoints, metBreakpoints } from './watch.ts';

const DEBUG: Fault = { vector: VECTOR.DB, error: null, address: null };
const BREAKPOINTS = DR6.B0 | DR6.B1 | DR6.B2 | DR6.B3;
const ENABLED = 0xff;

/** The state with more bits of DR6; breakpoints that are told take the place of those told before. */
export const withDebugStatus = (s: Running, bits: number): Running => {
  const dr = s.system.dr.slice();
  const kept = (bits & BREAKPOINTS) !== 0 ? dr[4].lo & ~BREAKPOINTS : dr[4].lo;
  dr[4] = word(0, kept | bits);
  return changed(s, { system: { ...s.system, dr } });
};

/** A #DB before the instruction. */
export const debugFault = (s: Running, bits: number, clause: 'x86/debug-execute' | 'x86/debug-general'): Exit =>
  new Exit('fault', withDebugStatus(s, bits), DEBUG, clause);

/** One step. Throws as rules do; debug exceptions behind an instruction are traps. */
export const bareStep = (s: Running): Running => {
  if ((s.system.dr[5].lo & ENABLED) !== 0) requireNoBreakpoint(s);
  const begun = s.system.shadow === 'none' ? s : changed(s, { system: { ...s.system, shadow: 'none' } });
  const instruction = instructionAt(begun);
  beginWatching(begun);
  const after = instruction.run(begun, instruction);
  if ((s.flags & (TF | RF)) === 0 && metBreakpoints() === 0) return after;
  return withDebugExceptions(s, instruction, after);
};

/** x86/debug-execute. */
const requireNoBreakpoint = (s: Running): void => {
  if ((s.flags & RF) !== 0 || s.system.shadow === 'ss') return;
  const at = s.system.mode === '64' ? s.rip : word(0, add(baseOf(s.segments, CS), s.rip).lo);
  const bits = enabledBreakpoints(s)
    .filter(({ number, kind }) => kind === DR7_RW.execute && equal(s.system.dr[number], at))
    .reduce((all, { number }) => all | (1 << number), 0);
  if (bits !== 0) throw debugFault(s, bits, 'x86/debug-execute');
};

/** A step of a PV guest with breakpoints begins. Throws the #DB of one at this instruction. */
export const watchFrom = (s: Running): Running => {
  requireNoBreakpoint(s);
  beginWatching(s);
  return s.system.shadow === 'none' ? s : changed(s, { system: { ...s.system, shadow: 'none' } });
};

/** x86/debug-step. A load of SS lets no debug exception follow. */
export const withDebugExceptions = (s: Running, instruction: Instruction, after: Running): Running => {
  const done = loadsFlags(s, instruction, after) ? after : changed(after, { flags: after.flags & ~RFLAGS.RF });
  const bits = metBreakpoints() | ((s.flags & TF) !== 0 ? DR6.BS : 0);
  if (bits === 0 || after.system.shadow === 'ss') return done;
  throw new Exit('trap', withDebugStatus(done, bits), DEBUG, clauseOf(s, bits));
};

const clauseOf = (s: Running, bits: number): ClauseId => {
  if ((bits & DR6.BS) !== 0) return 'x86/debug-step';
  const port = enabledBreakpoints(s).some(({ number, kind }) => kind === DR7_RW.io && (bits & (1 << number)) !== 0);
  return port ? 'x86/debug-io' : 'x86/debug-data';
};

/** IRET and task switches bring an RF of their own. */
const loadsFlags = (s: Running, { mnemonic }: Instruction, after: Running): boolean =>
  mnemonic === 'iret' || after.system.tr !== s.system.tr;
