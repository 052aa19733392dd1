/** String instructions. A repeated one takes one step for each iteration and stays the next instruction until it is done. */

import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { DATA, LEGACY_EXTRA, linearOf, readable, writable } from './address.ts';
import { sub32, sub64, topShift } from './arithmetic.ts';
import type { Cpu } from './cpu.ts';
import { sizeKind, zero } from './flags.ts';
import { SYSTEM } from './layout.ts';
import { type Handler, type Op, STOP } from './op.ts';
import { getRegister, peek, poke, setRegister } from './operand.ts';

/** Places of RCX, RDX, RSI, RDI. */
const CX = 2;
const DX = 4;
const SI = 12;
const DI = 14;

/** DS:rSI, or what an override says. */
const from = (c: Cpu, o: Op): number => {
  c.high = c.s[SI + 1];
  const lo = linearOf(c, o, c.s[SI]);
  return readable(c, o, lo, c.high, o.size - 1);
};

/** ES:rDI takes no segment override. */
const extraOffset = (c: Cpu, o: Op): number => {
  if (!o.legacy) {
    c.high = o.address === 4 ? 0 : c.s[DI + 1];
    return c.s[DI];
  }
  return linearOf(c, LEGACY_EXTRA, o.address === 2 ? c.s16[2 * DI] : c.s[DI]);
};
const compared = (c: Cpu, o: Op): number => {
  const lo = extraOffset(c, o);
  return readable(c, o.legacy ? LEGACY_EXTRA : DATA, lo, c.high, o.size - 1);
};
const to = (c: Cpu, o: Op): number => {
  const lo = extraOffset(c, o);
  return writable(c, o.legacy ? LEGACY_EXTRA : DATA, lo, c.high, o.size - 1);
};

/** Add `by` to a register of the address size. */
const step = (c: Cpu, o: Op, register: number, by: number): void => {
  const s = c.s;
  if (o.address === 2) {
    c.s16[2 * register] += by;
    return;
  }
  const lo = (s[register] + by) | 0;
  s[register + 1] = o.address === 4 ? 0 : (s[register + 1] + (by >> 31) + (lo >>> 0 < by >>> 0 ? 1 : 0)) | 0;
  s[register] = lo;
};

const advance = (c: Cpu, o: Op, register: number): void => step(c, o, register, (c.s[SYSTEM] & RFLAGS.DF) === 0 ? o.size : -o.size);

const move: Handler = (c, o) => {
  const p = from(c, o);
  const lo = peek(c, p, o.size);
  const hi = c.high;
  poke(c, to(c, o), o.size, lo, hi);
  advance(c, o, SI);
  advance(c, o, DI);
  return o;
};

const fill: Handler = (c, o) => {
  const p = to(c, o);
  poke(c, p, o.size, c.s[0], c.s[1]);
  advance(c, o, DI);
  return o;
};

const fetch: Handler = (c, o) => {
  const lo = peek(c, from(c, o), o.size);
  setRegister(c, 0, o.size, lo, c.high);
  advance(c, o, SI);
  return o;
};

/** Flags of a − b. */
const compare = (c: Cpu, size: number, al: number, ah: number, bl: number, bh: number): void => {
  if (size === 8) sub64(c, al, ah, bl, bh);
  else {
    const kind = sizeKind(size);
    const up = topShift(kind);
    sub32(c, al << up, bl << up, kind);
  }
};

const scan: Handler = (c, o) => {
  const lo = peek(c, compared(c, o), o.size);
  const hi = c.high;
  const accumulator = getRegister(c, 0, o.size);
  compare(c, o.size, accumulator, c.high, lo, hi);
  advance(c, o, DI);
  return o;
};

/** CPUs read ES:rDI first, as the fault shows when both are bad (but for F3 A6: finding F-035). */
const match: Handler = (c, o) => {
  const second = peek(c, compared(c, o), o.size);
  const secondHi = c.high;
  const first = peek(c, from(c, o), o.size);
  compare(c, o.size, first, c.high, second, secondHi);
  advance(c, o, SI);
  advance(c, o, DI);
  return o;
};

/** The memory may be written before the device is asked. */
const input: Handler = (c, o) => {
  const port = c.s16[2 * DX];
  const p = to(c, o);
  poke(c, p, o.size, c.platform.readPort(c, port, o.size), 0);
  advance(c, o, DI);
  return o;
};

const output: Handler = (c, o) => {
  const port = c.s16[2 * DX];
  const value = peek(c, from(c, o), o.size);
  c.platform.writePort(c, port, o.size, value);
  advance(c, o, SI);
  return o;
};

/** What one iteration of each instruction does. */
export const ITERATION: Readonly<Record<string, Handler>> = {
  movs: move,
  stos: fill,
  lods: fetch,
  scas: scan,
  cmps: match,
  ins: input,
  outs: output,
};
/** These speak with devices, which may want an interrupt then. */
const SPEAKING: readonly string[] = ['ins', 'outs'];

/** How a string instruction is repeated: not at all, by count, while equal, while not equal. */
export type Repeat = 'once' | 'count' | 'equal' | 'unequal';

const finished = (c: Cpu, o: Op): boolean => {
  if (o.address === 2) return c.s16[2 * CX] === 0;
  return c.s[CX] === 0 && (o.address === 4 || c.s[CX + 1] === 0);
};

const repeated =
  (iteration: Handler, goesOn: (c: Cpu) => boolean): Handler =>
  (c, o) => {
    if (finished(c, o)) return o.next;
    iteration(c, o);
    step(c, o, CX, -1);
    const more = !finished(c, o) && goesOn(c);
    return c.aftercare ? c.settleAt(o, more) : more ? o : o.next;
  };

const always = (): boolean => true;

const speaking =
  (handler: Handler): Handler =>
  (c, o) => {
    // The port is judged before the count.
    c.platform.checkPort(c, c.s16[2 * DX], o.size);
    const follow = handler(c, o);
    return follow === STOP ? STOP : c.pauseAt(follow === o ? o.off : o.end);
  };

export const stringHandler = (mnemonic: string, repeat: Repeat): Handler => {
  const handler = repeating(ITERATION[mnemonic], repeat);
  return SPEAKING.includes(mnemonic) ? speaking(handler) : handler;
};

const repeating = (iteration: Handler, repeat: Repeat): Handler => {
  switch (repeat) {
    case 'once':
      return (c, o) => {
        iteration(c, o);
        return c.aftercare ? c.settleAt(o, false) : o.next;
      };
    case 'count':
      return repeated(iteration, always);
    case 'equal':
      return repeated(iteration, zero);
    case 'unequal':
      return repeated(iteration, (c) => !zero(c));
  }
};
