/** The code segment outside 64-bit mode: RIP is linear in the register file, but fetches and branches go by offsets in CS. */
import { FRAME_BYTES } from '../memory.ts';
import type { Cpu } from './cpu.ts';
import { GP } from './exit.ts';
import { CS_BASE, CS_LIMIT, PAGE } from './layout.ts';
import type { Op } from './op.ts';

/** Whether some byte of the page at linear address `page` is not inside CS. */
export const reachesBeyond = (s: Int32Array, page: number): boolean => ((page - s[CS_BASE]) >>> 0) + FRAME_BYTES - 1 > s[CS_LIMIT] >>> 0;

/** #GP(0) unless the byte that lies `at` bytes behind an instruction's beginning is inside CS; offsets do not wrap within one. */
export const checkFetch = (c: Cpu, start: number, at: number): void => {
  if (((start - c.s[CS_BASE]) >>> 0) + at > c.s[CS_LIMIT] >>> 0) c.fault(GP, 0);
};

/** Offset in CS of the instruction behind `o`. */
export const nextIp = (c: Cpu, o: Op): number => (c.s[PAGE] + o.end - c.s[CS_BASE]) | 0;

/** Continue at an offset in CS. Throws #GP(0) beyond the limit. */
export const jump = (c: Cpu, ip: number): Op => {
  if (ip >>> 0 > c.s[CS_LIMIT] >>> 0) c.fault(GP, 0);
  return c.goto((c.s[CS_BASE] + ip) | 0, 0);
};
