/** Far transfers inside ring 3. Other rings are out of reach: Xen's descriptor table has no gate that ring 3 may call. */

import { type Size, zeroExtend } from '../../../word/size.ts';
import { addInt, Word } from '../../../word/word.ts';
import { canonicalTarget } from '../canonical.ts';
import { generalProtection } from '../fault.ts';
import { NT, RF, setFlags } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { readLinear } from '../linear.ts';
import { effectiveAddress } from '../operand.ts';
import { pushedInTurn, stackSlot } from '../push.ts';
import { citing, nextRip, type Rules, Running, type Semantics, setReg } from '../running.ts';
import { segmented } from '../segmentation.ts';
import { jumpSelector, returnSelector, returnStack } from '../selectors.ts';
import { CS, RSP, type Segments, SS } from '../state.ts';
import { changeableFlags } from './flags_image.ts';

type Target = { readonly selector: number; readonly offset: Word };

/**
 * The pointer in the instruction, which compatibility mode has, or in memory, offset first, then the selector. REX.W leaves the offset
 * at 32 bits.
 */
const readPointer = (s: Running, i: Instruction): Target => {
  const bytes = i.size === 2 ? 2 : 4;
  if (i.dst.kind === 'far') return { selector: i.dst.index, offset: zeroExtend(i.dst.value, bytes) };
  const { segment, stack } = i.dst;
  const at = effectiveAddress(s, i, i.dst);
  const offset = readLinear(s, segmented(s, segment, at, bytes), bytes, stack);
  return { offset, selector: readLinear(s, segmented(s, segment, addInt(at, bytes), 2), 2, stack).lo };
};

const withSelector = (segments: Segments, register: number, selector: number): Segments => {
  if (segments.selectors[register] === selector) return segments;
  const selectors = segments.selectors.slice();
  selectors[register] = selector;
  return { ...segments, selectors };
};

const arrive = (s: Running, rip: Word, regs: readonly Word[], flags: number, segments: Segments, memory = s.memory): Running =>
  new Running(regs, rip, flags, segments, memory, s.platform, s.tick + 1, citing(s, 'x86/far-pointer').cited, s.fpu, s.system);

/** JMP far. */
const jmpFarRule: Semantics = (s, i) => {
  const { offset, selector } = readPointer(s, i);
  const cs = jumpSelector(selector);
  canonicalTarget(offset);
  return arrive(s, offset, s.regs, s.flags, withSelector(s.segments, CS, cs));
};

/** CALL far: push CS, then the address of the next instruction, both of the operand's size. */
const callFarRule: Semantics = (s, i) => {
  const { offset, selector } = readPointer(s, i);
  const cs = jumpSelector(selector);
  canonicalTarget(offset);
  const top = s.regs[RSP];
  const memory = pushedInTurn(s, top, i.size, [new Word(0, s.segments.selectors[CS]), nextRip(s, i)]);
  return arrive(s, offset, setReg(s.regs, RSP, addInt(top, -2 * i.size)), s.flags, withSelector(s.segments, CS, cs), memory);
};

const RPL = 3;

/** A return to another ring would find SS and RSP behind the arguments: they are read before the selector is judged. */
const readOuterStack = (s: Running, size: Size, drop: number): void => {
  for (const slot of [3, 2]) readLinear(s, addInt(s.regs[RSP], slot * size + drop), size, true);
};

/** RET far: pop the address and CS, which is read first, then drop the immediate's bytes. */
const retFarRule: Semantics = (s, i) => {
  const selector = stackSlot(s, 1, i.size).lo & 0xffff;
  const offset = stackSlot(s, 0, i.size);
  const drop = i.row.operands.length === 1 ? i.dst.value.lo : 0;
  if ((selector & RPL) !== RPL) readOuterStack(s, i.size, drop);
  const cs = returnSelector(selector);
  canonicalTarget(offset);
  return arrive(s, offset, setReg(s.regs, RSP, addInt(s.regs[RSP], 2 * i.size + drop)), s.flags, withSelector(s.segments, CS, cs));
};

/**
 * IRET: pop RIP, CS, RFLAGS, RSP and SS. x86/iret-nested_task: with NT set there is no task to return to.
 * Flags change as POPF changes them, and RF may be set.
 */
const iretRule: Semantics = (s, i) => {
  if ((s.flags & NT) !== 0) throw generalProtection(0, 'x86/iret-nested_task');
  const slot = (n: number): Word => stackSlot(s, n, i.size);
  const [rip, cs, flags, rsp, ss] = [slot(0), slot(1).lo & 0xffff, slot(2).lo, slot(3), slot(4).lo & 0xffff];
  const code = returnSelector(cs);
  canonicalTarget(rip);
  const stack = returnStack(ss);
  const mask = changeableFlags(s, i.size) | (i.size === 2 ? 0 : RF);
  const segments = withSelector(withSelector(s.segments, CS, code), SS, stack);
  return arrive(s, rip, setReg(s.regs, RSP, rsp), setFlags(s.flags, mask, flags & mask), segments);
};

export const FAR_RULES: Rules = {
  call_far: callFarRule,
  jmp_far: jmpFarRule,
  ret_far: retFarRule,
  iret: iretRule,
};
