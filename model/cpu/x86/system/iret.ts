/** IRET in every mode. Chapter: "IRET". */
import { type Size, zeroExtend } from '../../../word/size.ts';
import { type Word, word } from '../../../word/word.ts';
import { generalProtection } from '../fault.ts';
import { NT, setFlags } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { changed, citing, completed, nextRip, type Running, type Semantics, setReg } from '../running.ts';
import { CS, DS, ES, FS, GS, RSP, SS } from '../state.ts';
import { arrived, arrivedByParagraph, requireTarget, returnCode, runsLong } from './code_segment.ts';
import { hiddenOf, rplOf } from './descriptor.ts';
import { outerStack, toOuter } from './far_return.ts';
import { IOPL, ioplOf, returnable, VIF, VIP, VM } from './flags.ts';
import { inModeOf, withV86 } from './segments.ts';
import { movedBy, onStack } from './stack.ts';
import { isLong } from './supervisor.ts';
import { inTaskState, taskDescriptor, taskStateOf } from './task_state.ts';
import { switchTask } from './task_switch.ts';

type Frame = { readonly rip: Word; readonly selector: number; readonly flags: number };

export const iret: Semantics = (s, i) => {
  const { regs, rip, flags, segments, memory, system, cited } = unblocked(returned(citing(s, 'x86/iret-flags'), i));
  return completed(s, i, { regs, rip, flags, segments, memory, system, cited });
};

/** An IRET that succeeds lets NMIs in again. */
const unblocked = (s: Running): Running =>
  s.system.nmiBlocked ? changed(citing(s, 'x86/nmi-unblocked'), { system: { ...s.system, nmiBlocked: false } }) : s;

const returned = (s: Running, i: Instruction): Running => {
  const { size } = i;
  const { mode, cpl } = s.system;
  if (mode === 'real') return fromParagraphs(s, size);
  if (mode === 'v86') {
    if (ioplOf(s.flags) !== 3) throw generalProtection(0, 'x86/iret-v86_iopl');
    return fromParagraphs(s, size);
  }
  if ((s.flags & NT) !== 0) return fromNested(s, nextRip(s, i));
  const frame = frameOf(s, size);
  if ((frame.flags & VM) !== 0 && size === 4 && cpl === 0 && !isLong(s)) return toV86(s, frame);
  return rplOf(frame.selector) > cpl || mode === '64' ? withStack(s, size, frame) : sameLevel(s, size, frame);
};

/** The topmost three: the address, CS, RFLAGS. */
const frameOf = (s: Running, size: Size): Frame => ({
  rip: onStack(s, 0, size),
  selector: onStack(s, size, size).lo & 0xffff,
  flags: onStack(s, 2 * size, size).lo,
});

const flagsAfter = (s: Running, size: Size, popped: number, mask = returnable(s, size)): number => setFlags(s.flags, mask, popped & mask);

/** Real and virtual-8086 mode; the latter cannot change IOPL. */
const fromParagraphs = (s: Running, size: Size): Running => {
  const { rip, selector, flags } = frameOf(s, size);
  const mask = returnable({ ...s, system: { ...s.system, cpl: s.system.mode === 'v86' ? 3 : 0 } }, size) & ~(VIF | VIP);
  const there = arrivedByParagraph(changed(citing(s, 'x86/iret-real'), { regs: setReg(s.regs, RSP, movedBy(s, 3 * size)) }), selector, rip);
  return changed(there, { flags: flagsAfter(s, size, flags, s.system.mode === 'v86' ? mask & ~IOPL : mask) });
};

/** x86/iret-nested_task: with NT set IRET goes back to the task that the present one's link names. Long mode has no tasks: #GP(0). */
const fromNested = (s: Running, next: Word): Running => {
  if (isLong(s)) throw generalProtection(0, 'x86/iret-nested_task');
  const link = inTaskState(s, 0, 2).lo & 0xffff;
  const d = taskDescriptor(s, link, true, taskStateOf);
  return switchTask(s, link, d, 'return', word(0, next.lo));
};

/** To virtual-8086 mode go SS, ESP and all data segments too, and nothing is checked but the address. */
const toV86 = (s: Running, { rip, selector, flags }: Frame): Running => {
  const slot = (n: number): Word => onStack(s, 4 * n, 4);
  const [pointer, ...popped] = [3, 4, 5, 6, 7, 8].map(slot);
  const places = [SS, ES, DS, FS, GS].map((register, n) => [register, popped[n].lo & 0xffff] as const);
  const segments = [[CS, selector] as const, ...places].reduce((now, [register, value]) => withV86(now, register, value), s.segments);
  requireTarget(changed(s, { segments }), segments.hidden[CS], rip);
  const mask = returnable(s, 4) | VM;
  const after = flagsAfter(s, 4, flags, mask);
  return changed(citing(s, 'x86/iret-v86'), {
    regs: setReg(s.regs, RSP, pointer),
    rip,
    flags: after,
    segments,
    system: inModeOf(s.system, after, segments, 3),
  });
};

const sameLevel = (s: Running, size: Size, { rip, selector, flags }: Frame): Running => {
  const code = returnCode(s, selector);
  requireTarget(s, hiddenOf(code), rip);
  const above = changed(s, { regs: setReg(s.regs, RSP, movedBy(s, 3 * size)), flags: flagsAfter(s, size, flags) });
  return arrived(above, selector, code, rip);
};

/** Outwards, and in 64-bit mode always, the stack pointer and SS are popped too. */
const withStack = (s: Running, size: Size, { rip, selector, flags }: Frame): Running => {
  const pointer = onStack(s, 3 * size, size);
  const stackSelector = onStack(s, 4 * size, size).lo & 0xffff;
  const code = returnCode(s, selector);
  // x86/iret-stack: within a ring the address is judged before SS.
  if (rplOf(selector) === s.system.cpl) requireTarget(s, hiddenOf(code), rip);
  const descriptor = outerStack(s, stackSelector, rplOf(selector), runsLong(s, code));
  requireTarget(s, hiddenOf(code), rip);
  const there = toOuter(citing(s, 'x86/iret-stack'), selector, code, rip, {
    selector: stackSelector,
    pointer: zeroExtend(pointer, size),
    descriptor,
  });
  return changed(there, { flags: flagsAfter(s, size, flags) });
};
