/** Ports: who may reach them, IN and OUT. Chapter: "Ports and interrupt flag". */

import type { Size } from '../../../word/size.ts';
import { type Word, word, ZERO } from '../../../word/word.ts';
import { generalProtection } from '../fault.ts';
import { read, writeRegister } from '../operand.ts';
import { ask } from '../outside.ts';
import { completed, type Running, type Semantics } from '../running.ts';
import { RIGHTS } from '../state.ts';
import { SYSTEM_TYPE } from './descriptor.ts';
import { ioplOf } from './flags.ts';
import { inTable, readTable } from './supervisor.ts';
import { notePort, watching } from './watch.ts';

/** Where the task state says where its I/O permission map begins. */
const MAP_BASE = 102;

/** x86/port-permission: throws #GP(0) when the program may not reach all of the ports. */
export const requirePort = (s: Running, port: number, size: number): void => {
  const { mode, cpl } = s.system;
  if (mode === 'v86' || cpl > ioplOf(s.flags)) requireMapped(s, port, size);
  if (watching.armed) notePort(s, port, size);
};

const requireMapped = (s: Running, port: number, size: number): void => {
  const { base, limit, rights, usable } = s.system.tr;
  const refused = generalProtection(0, 'x86/port-permission');
  const type = rights & RIGHTS.TYPE & ~2;
  if (!usable || type !== SYSTEM_TYPE.TSS32 || MAP_BASE + 1 > limit) throw refused;
  const at = (readTable(s, inTable(s, base, MAP_BASE), 2).lo & 0xffff) + (port >> 3);
  if (at + 1 > limit) throw refused;
  const bits = readTable(s, inTable(s, base, at), 2).lo >>> (port & 7);
  if ((bits & ((1 << size) - 1)) !== 0) throw refused;
};

/** What a port gives. */
export const readPort = (s: Running, port: number, size: Size): Word => {
  requirePort(s, port, size);
  return ask(s, { kind: 'in', port, size }) ?? ZERO;
};

/** A value for a port: it has arrived when this returns. */
export const writePort = (s: Running, port: number, size: Size, value: Word): void => {
  requirePort(s, port, size);
  ask(s, { kind: 'out', port, size, value: word(0, value.lo) });
};

export const inRule: Semantics = (s, i) => {
  const value = readPort(s, read(s, i, i.src).lo & 0xffff, i.dst.size);
  return completed(s, i, { regs: writeRegister(s.regs, i.dst, value) });
};

export const outRule: Semantics = (s, i) => {
  writePort(s, read(s, i, i.dst).lo & 0xffff, i.src.size, read(s, i, i.src));
  return completed(s, i, {});
};
