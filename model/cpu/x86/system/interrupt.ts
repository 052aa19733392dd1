/** Delivery of one event through its gate. Chapter: "Interrupts and exceptions". */
import { DR7 } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { type Word, word } from '../../../word/word.ts';
import { Exit, generalProtection, notPresent } from '../fault.ts';
import { AC, IF, NT, RF, TF } from '../flags.ts';
import { VECTOR } from '../outcome.ts';
import { changed, citing, type Running, setReg } from '../running.ts';
import { CS, DS, ES, FS, GS, RSP, SS } from '../state.ts';
import { onInnerStack } from './call_gate.ts';
import { arrivedByParagraph, inCode, namedDescriptor, requireTarget, runsLong } from './code_segment.ts';
import { type Descriptor, dplOf, errorOf, hiddenOf, isBig, isCode, isConforming, isPresent, withRpl } from './descriptor.ts';
import { allAccessed } from './descriptor_table.ts';
import type { Event } from './event.ts';
import { gateOf, type InterruptGate } from './gate.ts';
import { withNull } from './segments.ts';
import { namingStack, pushAll, selectorWord } from './stack.ts';
import { inTable, isLong, readTable } from './supervisor.ts';
import { innerStack, interruptStack, protectionOf, taskDescriptor } from './task_state.ts';
import { switchTask } from './task_switch.ts';

const NMI = 2;

/** The state in the handler of an event. Throws the faults of its delivery. */
export const through = (s: Running, event: Event): Running =>
  settled(event.source === 'software' ? entered(s, event) : external(() => entered(s, event)), event);

const entered = (s: Running, event: Event): Running => {
  if (s.system.mode === 'real') return throughVector(s, event);
  const gate = gateOf(s, event);
  if (gate.kind === 'task') return throughTask(s, event, gate);
  const code = codeOf(s, gate);
  return isLong(s) ? throughLong(s, event, gate, code) : throughLegacy(s, event, gate, code);
};

/** What delivery leaves behind: the shadow and the halt end; #DB clears GD, an NMI blocks others. */
const settled = (s: Running, { vector, source }: Event): Running => {
  const dr = s.system.dr.slice();
  const debug = vector === VECTOR.DB;
  if (debug) dr[5] = word(0, dr[5].lo & ~DR7.GD);
  const blocks = source === 'nmi' && vector === NMI;
  const nmiBlocked = s.system.nmiBlocked || blocks;
  const noted = debug ? citing(s, 'x86/interrupt-debug') : blocks ? citing(s, 'x86/nmi-blocked') : s;
  return changed(noted, { system: { ...s.system, dr, nmiBlocked, shadow: 'none', activity: 'running' } });
};

const SELECTOR_ERRORS: readonly number[] = [VECTOR.TS, VECTOR.NP, VECTOR.SS, VECTOR.GP];
const EXTERNAL = 1;

/** x86/interrupt-external. */
const external = <T>(action: () => T): T => {
  try {
    return action();
  } catch (thrown) {
    if (!(thrown instanceof Exit) || !SELECTOR_ERRORS.includes(thrown.fault.vector)) throw thrown;
    const { kind, after, fault, clause, left } = thrown;
    throw new Exit(kind, after, { ...fault, error: (fault.error ?? 0) | EXTERNAL }, clause, left);
  }
};

const NO_RF: readonly number[] = [VECTOR.DB, VECTOR.DF];

/** What is pushed. */
const pushedFlags = (s: Running, { vector, source }: Event): number =>
  source === 'fault' && !NO_RF.includes(vector) ? s.flags | RF : s.flags;

/** What the handler begins with. */
const handlerFlags = (flags: number, kind: InterruptGate['kind']): number =>
  flags & ~(TF | NT | RF | RFLAGS.VM | (kind === 'interrupt' ? IF : 0));

/** x86/interrupt-real. */
const throughVector = (s: Running, { vector }: Event): Running => {
  const { base, limit } = s.system.idtr;
  if (vector * 4 + 3 > limit) throw generalProtection(0, 'x86/interrupt-real');
  const entry = readTable(s, inTable(s, base, vector * 4), 4).lo;
  const pushed = pushAll(s, 2, [word(0, s.flags), selectorWord(s.segments.selectors[CS]), s.rip]);
  return arrivedByParagraph(changed(pushed, { flags: s.flags & ~(IF | TF | RF | AC) }), entry >>> 16, word(0, entry & 0xffff));
};

const throughTask = (s: Running, event: Event, { selector }: InterruptGate): Running => {
  const d = taskDescriptor(s, selector, false, protectionOf);
  return switchTask(citing(s, 'x86/interrupt-task'), selector, d, 'interrupt', s.rip, pushedFlags(s, event), event.error);
};

/** x86/interrupt-code. */
const codeOf = (s: Running, { selector }: InterruptGate): Descriptor => {
  const d = namedDescriptor(s, selector);
  const { cpl, mode } = s.system;
  const fits = isCode(d) && dplOf(d) <= cpl && (!isLong(s) || (runsLong(s, d) && !isBig(d)));
  if (!fits || (mode === 'v86' && (isConforming(d) || dplOf(d) !== 0))) throw generalProtection(errorOf(selector), 'x86/interrupt-code');
  if (!isPresent(d)) throw notPresent(errorOf(selector), 'x86/segment-not_present');
  return d;
};

const levelOf = (s: Running, code: Descriptor): number => (isConforming(code) ? s.system.cpl : dplOf(code));

/** The state at the handler, before anything is pushed. */
const atHandler = (s: Running, gate: InterruptGate, code: Descriptor, level: number): Running =>
  inCode(
    changed(citing(s, 'x86/interrupt-flags'), { flags: handlerFlags(s.flags, gate.kind) }),
    withRpl(gate.selector, level),
    hiddenOf(code),
    gate.offset,
    level,
  );

/** Flags, CS, the address and the error code: what every handler finds on top. */
const frame = (s: Running, event: Event): readonly Word[] => [
  word(0, pushedFlags(s, event)),
  selectorWord(s.segments.selectors[CS]),
  s.rip,
  ...(event.error === null ? [] : [word(0, event.error)]),
];

const stackOf = (s: Running): readonly Word[] => [selectorWord(s.segments.selectors[SS]), s.regs[RSP]];

const throughLong = (s: Running, event: Event, gate: InterruptGate, code: Descriptor): Running => {
  const level = levelOf(s, code);
  const inner = level < s.system.cpl;
  const top = gate.ist !== 0 ? interruptStack(s, gate.ist) : inner ? innerStack(s, level).pointer : s.regs[RSP];
  requireTarget(s, hiddenOf(code), gate.offset);
  const there = atHandler(citing(s, gate.ist === 0 ? 'x86/interrupt-long' : 'x86/interrupt-ist'), gate, code, level);
  const segments = inner ? withNull(there.segments, SS, level) : there.segments;
  const moved = changed(there, { segments, regs: setReg(s.regs, RSP, word(top.hi, top.lo & ~15)) });
  return allAccessed(pushAll(moved, 8, [...stackOf(s), ...frame(s, event)]), [code]);
};

const throughLegacy = (s: Running, event: Event, gate: InterruptGate, code: Descriptor): Running => {
  const level = levelOf(s, code);
  if (level === s.system.cpl) {
    requireTarget(s, hiddenOf(code), gate.offset);
    return allAccessed(pushAll(atHandler(s, gate, code, level), gate.size, frame(s, event)), [code]);
  }
  const stack = innerStack(s, level);
  requireTarget(s, hiddenOf(code), gate.offset);
  const moved = onInnerStack(atHandler(citing(s, 'x86/interrupt-inner'), gate, code, level), stack, level);
  const values = [...dataOfV86(s), ...stackOf(s), ...frame(s, event)];
  const pushed = namingStack(stack.selector, () => pushAll(moved, gate.size, values));
  return withoutV86(s, allAccessed(pushed, [code, stack.descriptor]));
};

/** Virtual-8086 mode hands its data segments over. */
const dataOfV86 = (s: Running): readonly Word[] =>
  s.system.mode === 'v86' ? [GS, FS, DS, ES].map((register) => selectorWord(s.segments.selectors[register])) : [];

const withoutV86 = (before: Running, s: Running): Running =>
  before.system.mode === 'v86'
    ? changed(s, { segments: [ES, DS, FS, GS].reduce((now, register) => withNull(now, register, 0), s.segments) })
    : s;
