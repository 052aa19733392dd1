/** An interrupt that waits while instructions hold it off: STI, MOV SS, POPF, IRET, HLT, each mode and ring. */
import type { Action, SystemCase } from '#oracle/image/bare/case.ts';
import { isLong } from '#oracle/image/bare/case.ts';
import type { Stream } from '../../isa/stream.ts';
import { dataOffset, movImmediate, rowOf } from '../assemble.ts';
import { somePlace } from '../places.ts';
import type { Family } from './family.ts';

const LAPIC = 0xfee00000;
const EOI = LAPIC + 0xb0;
const SPURIOUS = LAPIC + 0xf0;
const TASK_PRIORITY = LAPIC + 0x80;
const COMMAND_LOW = LAPIC + 0x300;
const SOFTWARE_ENABLED = 0x1ff;
const TO_SELF = 0x40000;
const IF = 0x200;
const IOPL3 = 0x3000;

const store = (at: number, value: number): Action => ({ do: 'store', at, value });

/**
 * Instructions behind which the interrupt comes, sooner or later; each ends with interrupts on. Nothing else ends the case before, because
 * a request that is left would come in another.
 */
const shadow = (s: Stream): SystemCase => {
  const at = somePlace(s);
  const on = [0xfb, 0x90, 0x90];
  const flags = (value: number): number[] => [...movImmediate(at, 0, value | 2), 0x50, 0x9d, 0x90, 0x90];
  const stack = [0x8c, 0xd0, 0x8e, 0xd0];
  const ring0 = at.ring === 0;
  const [what, code] = s.pick([
    ['sti', on],
    ['sti', [0xfb, 0xfa, ...on]],
    ['sti', [0xfb, 0xfb, 0x90, 0x90]],
    ['sti', [0xfb, 0x9c, 0x9c, 0x90]],
    ['mov_to_seg', [0x8c, 0xd0, 0xfb, 0x8e, 0xd0, 0x90, 0x90]],
    ['mov_to_seg', [...stack, ...on]],
    ['popf', flags(IF | (at.mode === 'v86' || !ring0 ? IOPL3 : 0))],
    ['hlt', ring0 ? [0xfb, 0xf4, 0x90] : on],
    ['cmpxchg', [0xfb, 0xb0, 0x01, 0x40, 0x90]],
    ['stos', [0xfb, 0xf3, 0xaa, 0x90]],
  ] as const);
  const row = what === 'cmpxchg' ? rowOf('sti') : rowOf(what);
  const enabled = s.one(6) && what === 'sti';
  return {
    ...at,
    row,
    note: 'interrupt waits',
    code: [...code],
    flags: (ring0 ? 0 : IOPL3) | (enabled ? IF : 0),
    gpr: { 1: 3n, 7: BigInt(dataOffset(at)) },
    ...(isLong(at.mode) && s.one(4) ? { cr8: s.pick([0, 1]) } : {}),
    before: [store(SPURIOUS, SOFTWARE_ENABLED), store(TASK_PRIORITY, 0), store(COMMAND_LOW, TO_SELF | s.pick([0x21, 0x2f, 0x3a]))],
    after: [store(TASK_PRIORITY, 0), store(EOI, 0)],
  };
};

export const INTERRUPTS: readonly Family[] = [{ name: 'interrupt waits', weight: 4, privileged: /^(sti|hlt)$/, make: shadow }];
