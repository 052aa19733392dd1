/** The segments of a task that has just taken over. What is wrong with one of them is a fault of the new task. Chapter: "Tasks". */
import type { ClauseId } from '#spec/clauses.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { Exit, invalidTaskState, Marked, notPresent, stackFault } from '../fault.ts';
import { changed, type Running, withMemory } from '../running.ts';
import { CS, DS, ES, FS, GS, SS } from '../state.ts';
import { requireTarget } from './code_segment.ts';
import {
  baseIn,
  type Descriptor,
  dplOf,
  errorOf,
  hiddenOf,
  isCode,
  isConforming,
  isNull,
  isPresent,
  isReadable,
  isSystem,
  isWritableData,
  limitIn,
  rightsOf,
  rplOf,
  SYSTEM_TYPE,
  typeOf,
} from './descriptor.ts';
import { accessed, descriptorOf } from './descriptor_table.ts';
import { inModeOf, withSegment, withV86 } from './segments.ts';

/** Load LDTR, then CS SS DS ES FS GS: each one that is wrong ends the loading, those behind it stay unusable: x86/task-segments. */
export const segmentsOfTask = (s: Running, ldt: number): Running => {
  const local = inTask(s, (now) => withLdt(now, ldt));
  if ((s.flags & RFLAGS.VM) !== 0) return inTask(inV86(local), requireStart);
  const loaded = [CS, SS, DS, ES, FS, GS].reduce((now, register) => inTask(now, (task) => withRegister(task, register)), local);
  return inTask(loaded, requireStart);
};

/**
 * A fault of what is done here happens in the new task, as it is by then. There is no way back to the old one, so accessed bits that a
 * walk sets are no reason to begin anew.
 */
export const inTask = (now: Running, action: (task: Running) => Running): Running => {
  try {
    return action(now);
  } catch (thrown) {
    if (thrown instanceof Marked) return inTask(withMemory(now, thrown.memory), action);
    if (!(thrown instanceof Exit) || thrown.kind !== 'fault' || thrown.after !== null) throw thrown;
    throw new Exit('fault', now, thrown.fault, thrown.clause);
  }
};

const requireStart = (s: Running): Running => {
  requireTarget(s, s.segments.hidden[CS], s.rip);
  return s;
};

const inV86 = (s: Running): Running => {
  const segments = [ES, CS, SS, DS, FS, GS].reduce((now, register) => withV86(now, register, s.segments.selectors[register]), s.segments);
  return changed(s, { segments, system: inModeOf(s.system, s.flags, segments, 3) });
};

const wrong = (selector: number, clause: ClauseId): Exit => invalidTaskState(errorOf(selector), clause);

const withLdt = (s: Running, selector: number): Running => {
  if (isNull(selector)) return s;
  const d = (selector & 4) !== 0 ? null : descriptorOf(s, selector);
  if (d === null || !isSystem(d) || typeOf(d) !== SYSTEM_TYPE.LDT || !isPresent(d)) throw wrong(selector, 'x86/task-segments');
  return changed(s, { system: { ...s.system, ldtr: { selector, base: baseIn(d), limit: limitIn(d), rights: rightsOf(d), usable: true } } });
};

const withRegister = (s: Running, register: number): Running => {
  const selector = s.segments.selectors[register];
  if (isNull(selector) && register !== CS && register !== SS) return s;
  const d = isNull(selector) ? null : descriptorOf(s, selector);
  if (d === null || !fits(s, register, selector, d)) throw wrong(selector, 'x86/task-segments');
  if (!isPresent(d))
    throw register === SS
      ? stackFault('x86/segment-not_present', errorOf(selector))
      : notPresent(errorOf(selector), 'x86/segment-not_present');
  const segments = withSegment(s.segments, register, selector, hiddenOf(d));
  return changed(accessed(s, d), { segments, system: inModeOf(s.system, s.flags, segments) });
};

const fits = ({ system: { cpl } }: Running, register: number, selector: number, d: Descriptor): boolean => {
  const dpl = dplOf(d);
  if (register === CS) return isCode(d) && (isConforming(d) ? dpl <= cpl : dpl === cpl);
  if (register === SS) return isWritableData(d) && dpl === cpl && rplOf(selector) === cpl;
  return isReadable(d) && (isConforming(d) || Math.max(rplOf(selector), cpl) <= dpl);
};
