/** Loading data and stack segment registers, in every mode. Chapter: spec/chapters/cpu_x86_system.md, "Segments". */
import { ACCESS } from '../../../memory/translate.ts';
import type { Size } from '../../../word/size.ts';
import { addInt, type Word } from '../../../word/word.ts';
import { generalProtection, notPresent, stackFault, undefinedOpcode } from '../fault.ts';
import type { Instruction } from '../instruction.ts';
import { readLinear } from '../linear.ts';
import { effectiveAddress, read, writeRegister } from '../operand.ts';
import { changed, citing, completed, type Running, type Semantics } from '../running.ts';
import { segmented } from '../segmentation.ts';
import { CS, GS, RSP, type Segments, SS } from '../state.ts';
import {
  type Descriptor,
  dplOf,
  errorOf,
  hiddenOf,
  isConforming,
  isNull,
  isPresent,
  isReadable,
  isWritableData,
  rplOf,
} from './descriptor.ts';
import { accessed, descriptorOf } from './descriptor_table.ts';
import { withNull, withReal, withSegment, withV86 } from './segments.ts';
import { onStack, withPointer } from './stack.ts';
import { isWatched } from './watch.ts';

/** The state after loading a data or stack segment register, with the accessed bit set in memory. */
export const loadSegment = (s: Running, register: number, selector: number): Running => {
  if (s.system.mode === 'real') return withSegments(citing(s, 'x86/segment-real'), withReal(s.segments, register, selector));
  if (s.system.mode === 'v86') return withSegments(citing(s, 'x86/segment-v86'), withV86(s.segments, register, selector));
  if (isNull(selector)) return withSegments(s, loadNull(s, register, selector));
  const d = register === SS ? stackDescriptor(s, selector) : dataDescriptor(s, selector);
  return withSegments(accessed(s, d), withSegment(s.segments, register, selector, hiddenOf(d)));
};

const withSegments = (s: Running, segments: Segments): Running => changed(s, { segments });

/** x86/segment-null: DS, ES, FS and GS may be null; SS only in 64-bit code of rings 0 to 2, with RPL = CPL. */
const loadNull = (s: Running, register: number, selector: number): Segments => {
  const { mode, cpl } = s.system;
  if (register === SS && (mode !== '64' || cpl === 3 || rplOf(selector) !== cpl)) throw generalProtection(0, 'x86/segment-null');
  return withNull(s.segments, register, selector);
};

/** x86/segment-stack. */
const stackDescriptor = (s: Running, selector: number): Descriptor => {
  const { cpl } = s.system;
  const error = errorOf(selector);
  const d = descriptorOf(s, selector);
  if (d === null) throw generalProtection(error, 'x86/descriptor-limit');
  if (rplOf(selector) !== cpl || !isWritableData(d) || dplOf(d) !== cpl) throw generalProtection(error, 'x86/segment-stack');
  if (!isPresent(d)) throw stackFault('x86/segment-not_present', error);
  return d;
};

/** x86/segment-data. */
const dataDescriptor = (s: Running, selector: number): Descriptor => {
  const error = errorOf(selector);
  const d = descriptorOf(s, selector);
  if (d === null) throw generalProtection(error, 'x86/descriptor-limit');
  const outer = Math.max(rplOf(selector), s.system.cpl) > dplOf(d);
  if (!isReadable(d) || (!isConforming(d) && outer)) throw generalProtection(error, 'x86/segment-data');
  if (!isPresent(d)) throw notPresent(error, 'x86/segment-not_present');
  return d;
};

/** A load of SS holds off interrupts and debug exceptions for one instruction. */
const shadowed = (s: Running, register: number): Running =>
  register === SS && (s.system.kind === 'bare' || isWatched(s))
    ? changed(citing(s, 'x86/shadow-stack'), { system: { ...s.system, shadow: 'ss' } })
    : s;

const done = (s: Running, i: Instruction, after: Running): Running =>
  completed(s, i, { regs: after.regs, segments: after.segments, memory: after.memory, system: after.system, cited: after.cited });

/** MOV to a segment register. x86/segment-undefined: CS and the encodings 6 and 7 are no destination. */
export const movToSegment: Semantics = (s, i) => {
  const register = i.dst.index;
  if (register > GS || register === CS) throw undefinedOpcode('x86/segment-undefined');
  return done(s, i, shadowed(loadSegment(s, register, read(s, i, i.src).lo & 0xffff), register));
};

/** POP to a segment register: the stack moves by the operand's size, and 16 bits count. */
export const popSegment: Semantics = (s, i) => {
  const register = i.dst.index;
  const loaded = loadSegment(s, register, onStack(s, 0, i.size).lo & 0xffff);
  const popped = withPointer(s, addInt(s.regs[RSP], i.size));
  return done(s, i, shadowed(changed(loaded, { regs: popped.regs }), register));
};

/** LDS, LES, LFS, LGS, LSS: a far pointer from memory, offset first. */
export const loadPointer =
  (register: number): Semantics =>
  (s, i) => {
    const { offset, selector } = farPointer(s, i);
    const loaded = loadSegment(s, register, selector);
    return done(s, i, changed(loaded, { regs: writeRegister(s.regs, i.dst, offset) }));
  };

/** The pointer in memory that an instruction's memory operand names. REX.W leaves the offset at 32 bits, as AMD does: x86/far-pointer. */
export const farPointer = (s: Running, i: Instruction): { readonly offset: Word; readonly selector: number } => {
  const o = i.dst.kind === 'mem' ? i.dst : i.src;
  const bytes: Size = i.size === 2 ? 2 : 4;
  const at = effectiveAddress(s, i, o);
  const offset = readLinear(s, segmented(s, o.segment, at, bytes, ACCESS.READ), bytes, o.stack);
  return { offset, selector: readLinear(s, segmented(s, o.segment, addInt(at, bytes), 2, ACCESS.READ), 2, o.stack).lo & 0xffff };
};
