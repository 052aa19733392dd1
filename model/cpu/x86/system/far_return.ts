/** RET far: to the same ring or an outer one. Chapter: "Far transfers". */
import type { ClauseId } from '#spec/clauses.ts';
import { type Size, zeroExtend } from '../../../word/size.ts';
import { addInt, type Word } from '../../../word/word.ts';
import { type Exit, generalProtection, stackFault } from '../fault.ts';
import { changed, citing, completed, type Running, type Semantics, setReg } from '../running.ts';
import { RSP, SS } from '../state.ts';
import { arrived, arrivedByParagraph, requireTarget, returnCode, runsLong } from './code_segment.ts';
import { type Descriptor, dplOf, errorOf, hiddenOf, isNull, isPresent, isWritableData, rplOf } from './descriptor.ts';
import { allAccessed, descriptorOf } from './descriptor_table.ts';
import { withNull, withoutInner, withSegment } from './segments.ts';
import { movedBy, onStack, withPointer } from './stack.ts';

/** RET far, with bytes to drop. CS is read before the address (x86/far-pointer). */
export const returnFar: Semantics = (s, i) => {
  const drop = i.row.operands.length === 1 ? i.dst.value.lo & 0xffff : 0;
  const selector = onStack(s, i.size, i.size).lo & 0xffff;
  const offset = onStack(s, 0, i.size);
  const { regs, rip, segments, memory, system, cited } = returned(s, i.size, selector, offset, drop);
  return completed(s, i, { regs, rip, segments, memory, system, cited });
};

const returned = (s: Running, size: Size, selector: number, offset: Word, drop: number): Running => {
  const above = changed(s, { regs: setReg(s.regs, RSP, movedBy(s, 2 * size)) });
  // F-100: the bytes are dropped from the stack as the code returned to sees it.
  const dropping = (there: Running): Running => withPointer(there, addInt(there.regs[RSP], drop));
  const { mode, cpl } = s.system;
  if (mode === 'real' || mode === 'v86') return dropping(arrivedByParagraph(above, selector, offset));
  if (rplOf(selector) === cpl) {
    const code = returnCode(s, selector);
    requireTarget(s, hiddenOf(code), offset);
    return dropping(arrived(above, selector, code, offset));
  }
  // F-047: the outer stack, SS first, is read before the selector is judged, even when it cannot be returned to.
  const outer = { selector: onStack(s, 3 * size + drop, size).lo & 0xffff, pointer: onStack(s, 2 * size + drop, size) };
  const code = returnCode(s, selector);
  const stack = outerStack(s, outer.selector, rplOf(selector), runsLong(s, code));
  requireTarget(s, hiddenOf(code), offset);
  return dropping(toOuter(s, selector, code, offset, { ...outer, descriptor: stack }));
};

/** A stack to go back to. Without a descriptor it is null, as 64-bit code of rings 0 to 2 may have it. */
export type OuterStack = { readonly selector: number; readonly pointer: Word; readonly descriptor: Descriptor | null };

const refused = (selector: number, clause: ClauseId): Exit => generalProtection(errorOf(selector), clause);

/** x86/return-stack: the stack of the level returned to, `long` when 64-bit code is returned to. */
export const outerStack = (s: Running, selector: number, level: number, long: boolean): Descriptor | null => {
  if (isNull(selector)) {
    if (long && level !== 3 && rplOf(selector) === level) return null;
    throw generalProtection(0, 'x86/return-stack');
  }
  const d = descriptorOf(s, selector);
  if (d === null) throw refused(selector, 'x86/descriptor-limit');
  if (rplOf(selector) !== level || !isWritableData(d) || dplOf(d) !== level) throw refused(selector, 'x86/return-stack');
  if (!isPresent(d)) throw stackFault('x86/segment-not_present', errorOf(selector));
  return d;
};

/** The state at `rip` in code of another level, on its stack, without segments that the level may not use. */
export const toOuter = (s: Running, selector: number, code: Descriptor, rip: Word, stack: OuterStack): Running => {
  const level = rplOf(selector);
  const there = arrived(s, selector, code, rip, level);
  const onStackOf = stack.descriptor
    ? withSegment(there.segments, SS, stack.selector, hiddenOf(stack.descriptor))
    : withNull(there.segments, SS, stack.selector);
  const outwards = level > s.system.cpl;
  const segments = outwards ? withoutInner(onStackOf, level) : onStackOf;
  const noted = outwards ? citing(there, 'x86/return-clears_segments') : there;
  const settled = changed(allAccessed(noted, [stack.descriptor]), { segments });
  return withPointer(settled, zeroExtend(stack.pointer, 8));
};
