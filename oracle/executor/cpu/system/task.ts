/** Switching tasks, which long mode does not have. Source: Intel SDM volume 3, 7.3; AMD APM volume 2, 12.3. */
import { CR0 as CR0_BITS, DR6 } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Cpu } from '../cpu.ts';
import { GP, NP, TS } from '../exit.ts';
import { getFlags, setFlags } from '../flags.ts';
import { CS, DS, ES, FS, GS, SS_REG } from '../interface.ts';
import { CPL, CR0, CR3, DEBUG, SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_RIGHTS } from '../layout.ts';
import { FAULT } from '../registers.ts';
import { USABLE } from '../segment_rights.ts';
import { read16, read32, readSized, writeSized } from './access.ts';
import { setLinear } from './code.ts';
import {
  baseOf,
  type Descriptor,
  dplOf,
  fetch,
  gateSelector,
  indexOf,
  isCode,
  isConforming,
  isNull,
  isOrdinary,
  isPresent,
  limitOf,
  markAccessed,
  markBusy,
  rightsOf,
  rpl,
  setHidden,
  setNull,
  setSegment,
  TR,
  TYPE,
  typeOf,
} from './descriptor.ts';
import { EXISTING_FLAGS, processorOf } from './processor.ts';
import { checkData, checkStack, setV86Segment } from './segments.ts';
import { Stack } from './stack.ts';
import { loadLdt } from './system_segments.ts';

export type Why = 'jump' | 'call' | 'interrupt' | 'iret';

/** Where things lie in a TSS. `sregs`: ES CS SS DS FS GS as far as there are. */
type Layout = {
  readonly bytes: number;
  readonly size: 2 | 4;
  readonly cr3: number | null;
  readonly ip: number;
  readonly flags: number;
  readonly gprs: number;
  readonly segments: number;
  readonly count: number;
  readonly ldt: number;
  readonly trap: number | null;
  readonly last: number;
};

const TSS32: Layout = {
  bytes: 4,
  size: 4,
  cr3: 0x1c,
  ip: 0x20,
  flags: 0x24,
  gprs: 0x28,
  segments: 0x48,
  count: 6,
  ldt: 0x60,
  trap: 0x64,
  last: 0x67,
};
const TSS16: Layout = {
  bytes: 2,
  size: 2,
  cr3: null,
  ip: 0x0e,
  flags: 0x10,
  gprs: 0x12,
  segments: 0x22,
  count: 4,
  ldt: 0x2a,
  trap: null,
  last: 0x2b,
};

const layoutOf = (type: number): Layout => ((type & 8) !== 0 ? TSS32 : TSS16);

/** The local breakpoints of DR7 belong to a task. */
const LOCAL_BREAKPOINTS = 0x155;
const BUSY = 2;

/** Through a task gate: the TSS that it names. */
export const taskGate = (c: Cpu, gate: Descriptor, why: Why, back: bigint, ext: number, pushed: number | null = null): void => {
  const selector = gateSelector(gate);
  const error = indexOf(selector) | ext;
  if (isNull(selector) || (selector & 4) !== 0) c.fault(GP, error);
  const d = fetch(c, selector, GP, ext);
  const type = typeOf(d);
  if (isOrdinary(d) || (type !== TYPE.TSS16 && type !== TYPE.TSS32)) c.fault(GP, error);
  if (!isPresent(d)) c.fault(NP, error);
  switchTask(c, selector, d, why, back, ext, pushed);
};

/** IRET with NT: back to the task that the present one names. */
export const taskReturn = (c: Cpu, back: bigint): void => {
  const selector = read16(c, c.pair(SEGMENT_BASE + 2 * TR), 'implicit');
  const error = indexOf(selector);
  if ((selector & 4) !== 0) c.fault(TS, error);
  const d = fetch(c, selector, TS);
  const type = typeOf(d);
  if (isOrdinary(d) || (type !== TYPE.TSS16_BUSY && type !== TYPE.TSS32_BUSY)) c.fault(TS, error);
  if (!isPresent(d)) c.fault(NP, error);
  switchTask(c, selector, d, 'iret', back, 0);
};

/**
 * Leave the present task for that of TSS descriptor `d`.
 *
 * @param back offset at which the present task goes on. @param pushed error code to be pushed in the new task.
 */
export const switchTask = (
  c: Cpu,
  selector: number,
  d: Descriptor,
  why: Why,
  back: bigint,
  ext: number,
  pushed: number | null = null,
): void => {
  const to = layoutOf(typeOf(d));
  if (limitOf(d) >>> 0 < to.last) c.fault(TS, indexOf(selector) | ext);
  const at = baseOf(d);
  const next = readTask(c, at, to);
  const old = c.selectors[TR];
  if (why === 'jump' || why === 'iret') markBusy(c, fetch(c, old), false);
  saveTask(c, why, back);
  if (why === 'call' || why === 'interrupt') writeSized(c, at, 2, BigInt(old), 'implicit');
  if (why !== 'iret') markBusy(c, d, true);
  setHidden(c, TR, selector, at, limitOf(d), rightsOf(d) | BUSY | USABLE);
  enter(c, next, why, ext, pushed);
};

/** The new task's own part. Its faults are raised as soon as it runs: there is no way back to the old one. */
const enter = (c: Cpu, task: Task, why: Why, ext: number, pushed: number | null): void => {
  const processor = processorOf(c);
  if (task.trap) processor.traps |= DR6.BT;
  try {
    loadTask(c, task, why, ext);
    if (pushed === null) return;
    const stack = Stack.current(c, ext);
    stack.push(pushed, task.layout.size);
    stack.commit();
  } catch (thrown) {
    if (thrown !== FAULT) throw thrown;
    c.refresh();
    processor.late = { vector: c.faultVector, error: c.faultError, address: c.faultAddress };
  }
};

type Task = {
  readonly layout: Layout;
  readonly cr3: number | null;
  readonly ip: number;
  readonly flags: number;
  readonly gprs: readonly bigint[];
  readonly segments: readonly number[];
  readonly ldt: number;
  readonly trap: boolean;
};

const readTask = (c: Cpu, at: bigint, layout: Layout): Task => {
  const value = (offset: number): number => Number(readSized(c, at + BigInt(offset), layout.size, 'implicit'));
  const word = (offset: number): number => read16(c, at + BigInt(offset), 'implicit');
  const step = layout.bytes;
  return {
    layout,
    cr3: layout.cr3 === null ? null : read32(c, at + BigInt(layout.cr3), 'implicit'),
    ip: value(layout.ip),
    flags: value(layout.flags),
    gprs: Array.from({ length: 8 }, (_, n) => BigInt(value(layout.gprs + n * step))),
    segments: Array.from({ length: 6 }, (_, n) => (n < layout.count ? word(layout.segments + n * step) : 0)),
    ldt: word(layout.ldt),
    trap: layout.trap !== null && (word(layout.trap) & 1) !== 0,
  };
};

const saveTask = (c: Cpu, why: Why, back: bigint): void => {
  const layout = layoutOf(c.s[SEGMENT_RIGHTS + TR] & 15);
  const at = c.pair(SEGMENT_BASE + 2 * TR);
  const put = (offset: number, value: bigint, size: number = layout.size): void =>
    writeSized(c, at + BigInt(offset), size, value, 'implicit');
  const flags = why === 'iret' ? getFlags(c) & ~RFLAGS.NT : getFlags(c);
  put(layout.ip, back);
  put(layout.flags, BigInt(flags >>> 0));
  for (let n = 0; n < 8; n++) put(layout.gprs + n * layout.bytes, c.gpr(n));
  for (let n = 0; n < layout.count; n++) put(layout.segments + n * layout.bytes, BigInt(c.selectors[n]), 2);
};

/** Registers first, which cannot fail any more; then the segments, whose faults are the new task's. */
const loadTask = (c: Cpu, task: Task, why: Why, ext: number): void => {
  const { s } = c;
  s[CR0] |= CR0_BITS.TS;
  s[DEBUG + 2 * 7] &= ~LOCAL_BREAKPOINTS;
  if (task.cr3 !== null && (s[CR0] & CR0_BITS.PG) !== 0) c.setPair(CR3, BigInt(task.cr3));
  const nested = why === 'call' || why === 'interrupt' ? RFLAGS.NT : 0;
  setFlags(c, (task.flags & EXISTING_FLAGS) | nested);
  task.gprs.forEach((value, n) => {
    const kept = task.layout.size === 2 ? c.gpr(n) & 0xffff0000n : 0n;
    c.setGpr(n, kept | value);
  });
  const names = [ES, CS, SS_REG, DS, FS, GS];
  for (const segment of names) setHidden(c, segment, task.segments[segment], 0n, 0, 0);
  s[CPL] = (task.flags & RFLAGS.VM) !== 0 ? 3 : rpl(task.segments[CS]);
  setLinear(c, BigInt(task.ip));
  loadLdt(c, task.ldt, TS, ext);
  if ((task.flags & RFLAGS.VM) !== 0) {
    for (const segment of names) setV86Segment(c, segment, task.segments[segment]);
    setLinear(c, BigInt(task.segments[CS] << 4) + BigInt(task.ip));
  } else loadSegments(c, task, ext);
  if (BigInt(task.ip) > BigInt(s[SEGMENT_LIMIT + CS] >>> 0)) c.fault(GP, ext);
};

const loadSegments = (c: Cpu, task: Task, ext: number): void => {
  const code = task.segments[CS];
  const cpl = rpl(code);
  const d = taskCode(c, code, ext);
  markAccessed(c, d);
  setSegment(c, CS, code, d);
  setLinear(c, BigInt.asUintN(32, baseOf(d) + BigInt(task.ip)));
  const ss = task.segments[SS_REG];
  if (isNull(ss)) c.fault(TS, ext);
  const stack = checkStack(c, ss, cpl, TS, ext);
  markAccessed(c, stack);
  setSegment(c, SS_REG, ss, stack);
  for (const segment of [DS, ES, FS, GS]) {
    const selector = task.segments[segment];
    if (isNull(selector)) {
      setNull(c, segment, selector);
      continue;
    }
    const data = checkData(c, selector, cpl, TS, ext);
    markAccessed(c, data);
    setSegment(c, segment, selector, data);
  }
  c.refresh();
};

const taskCode = (c: Cpu, selector: number, ext: number): Descriptor => {
  if (isNull(selector)) c.fault(TS, ext);
  const error = indexOf(selector) | ext;
  const d = fetch(c, selector, TS, ext);
  const fits = isConforming(d) ? dplOf(d) <= rpl(selector) : dplOf(d) === rpl(selector);
  if (!isCode(d) || !fits) c.fault(TS, error);
  if (!isPresent(d)) c.fault(NP, error);
  return d;
};
