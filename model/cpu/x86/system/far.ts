/** JMP and CALL far: to code, through gates, to tasks. Chapter: "Far transfers". */
import { zeroExtend } from '../../../word/size.ts';
import { type Word, word } from '../../../word/word.ts';
import { generalProtection } from '../fault.ts';
import type { Instruction } from '../instruction.ts';
import { whatRemains } from '../push.ts';
import { changed, citing, completed, nextRip, type Running, type Semantics } from '../running.ts';
import { CS, type Hidden } from '../state.ts';
import { callThrough, jumpThrough, requireGate } from './call_gate.ts';
import { arrived, arrivedByParagraph, namedDescriptor, requireReachable, requireTarget } from './code_segment.ts';
import { type Descriptor, errorOf, hiddenOf, isCode, isSystem, SYSTEM_TYPE, typeOf } from './descriptor.ts';
import { farPointer } from './load.ts';
import { modeOf, withReal, withV86 } from './segments.ts';
import { pushAll, selectorWord } from './stack.ts';
import { isLong } from './supervisor.ts';
import { protectionOf, taskDescriptor } from './task_state.ts';
import { switchTask } from './task_switch.ts';

type Target = { readonly selector: number; readonly offset: Word };

const targetOf = (s: Running, i: Instruction): Target =>
  i.dst.kind === 'far' ? { selector: i.dst.index, offset: zeroExtend(i.dst.value, i.size === 2 ? 2 : 4) } : farPointer(s, i);

const isByParagraph = ({ system: { mode } }: Running): boolean => mode === 'real' || mode === 'v86';

/** The end of a transfer: everything that it changed. */
const done = (s: Running, i: Instruction, after: Running): Running => {
  const { regs, rip, segments, memory, system, flags, cited } = citing(after, 'x86/far-pointer');
  return completed(s, i, { regs, rip, segments, memory, system, flags, cited });
};

/** The address behind the instruction, as far as the mode has it. */
const behind = (s: Running, i: Instruction): Word => (s.system.mode === '64' ? nextRip(s, i) : word(0, nextRip(s, i).lo));

/** JMP far. */
export const jumpFar: Semantics = (s, i) => {
  const { selector, offset } = targetOf(s, i);
  if (isByParagraph(s)) return done(s, i, arrivedByParagraph(s, selector, offset));
  const d = namedDescriptor(s, selector);
  if (!isCode(d)) return done(s, i, jumpToSystem(s, i, selector, d));
  requireReachable(s, selector, d);
  requireTarget(s, hiddenOf(d), offset);
  return done(s, i, arrived(s, selector, d, offset));
};

/** CALL far. */
export const callFar: Semantics = (s, i) => {
  const { selector, offset } = targetOf(s, i);
  if (isByParagraph(s)) {
    const place = s.system.mode === 'real' ? withReal : withV86;
    const hidden = place(s.segments, CS, selector).hidden[CS];
    return done(s, i, arrivedByParagraph(linked(s, i, hidden, offset), selector, offset));
  }
  const d = namedDescriptor(s, selector);
  if (!isCode(d)) return done(s, i, callSystem(s, i, selector, d));
  requireReachable(s, selector, d);
  return done(s, i, arrived(linked(s, i, hiddenOf(d), offset), selector, d, offset));
};

/**
 * CS and the address behind the instruction pushed, and the target judged. A call from 64-bit code judges first; other code pushes
 * first, and leaves what it pushed (F-046). To 64-bit code the pushes go as that code would make them: x86/far-call_stack.
 */
const linked = (s: Running, i: Instruction, hidden: Hidden, offset: Word): Running => {
  if (s.system.mode === '64') requireTarget(s, hidden, offset);
  const long = modeOf(s.system, s.flags, hidden) === '64' && s.system.mode !== '64';
  const pushing = long ? changed(citing(s, 'x86/far-call_stack'), { system: { ...s.system, mode: '64' } }) : s;
  const pushed = pushAll(pushing, i.size, [selectorWord(s.segments.selectors[CS]), behind(s, i)]);
  whatRemains(
    s,
    () => pushed,
    () => requireTarget(s, hidden, offset),
  );
  return pushed;
};

/** What a system descriptor is to a far transfer. x86/far-type: anything else is #GP; long mode has 64-bit call gates only. */
const kindOf = (s: Running, selector: number, d: Descriptor): 'call_gate' | 'task_gate' | 'task' => {
  const type = isSystem(d) ? typeOf(d) : null;
  if (type === SYSTEM_TYPE.CALL32) return 'call_gate';
  if (!isLong(s)) {
    if (type === SYSTEM_TYPE.CALL16) return 'call_gate';
    if (type === SYSTEM_TYPE.TASK_GATE) return 'task_gate';
    if (type === SYSTEM_TYPE.TSS16 || type === SYSTEM_TYPE.TSS32) return 'task';
  }
  throw generalProtection(errorOf(selector), 'x86/far-type');
};

const jumpToSystem = (s: Running, i: Instruction, selector: number, d: Descriptor): Running =>
  kindOf(s, selector, d) === 'call_gate' ? jumpThrough(s, selector, d) : toTask(s, i, selector, d, 'jump');

const callSystem = (s: Running, i: Instruction, selector: number, d: Descriptor): Running =>
  kindOf(s, selector, d) === 'call_gate' ? callThrough(s, selector, d, behind(s, i)) : toTask(s, i, selector, d, 'call');

const toTask = (s: Running, i: Instruction, selector: number, d: Descriptor, by: 'jump' | 'call'): Running => {
  requireGate(s, selector, d);
  const named = typeOf(d) === SYSTEM_TYPE.TASK_GATE ? d.lo >>> 16 : selector;
  return switchTask(s, named, taskDescriptor(s, named, false, protectionOf), by, behind(s, i));
};
