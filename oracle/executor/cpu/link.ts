/** Ops that are no instructions of their own: they find the one that comes next, and carry it out. */
import { checkFetch, reachesBeyond } from './code_segment.ts';
import { PAGE } from './layout.ts';
import { type Handler, Op, STOP } from './op.ts';

/** The instruction at the page PAGE plus `cpu.offset`, wherever a branch or a run begins. */
export const FETCH: Op = new Op((c) => {
  const found = c.lookup(c.s[PAGE], c.s[PAGE + 1], c.offset);
  return found.run(c, found);
});
FETCH.next = FETCH;

const patch = (link: Op, found: Op): void => {
  const from = link.taken as Op;
  if (link.a === 0) from.next = found;
  else from.taken = found;
};

/** In the same page: found once, then the instruction before leads straight to it. */
const within: Handler = (c, link) => {
  // The instruction before has changed what code is found by (Cpu.refresh): look anew, and link nothing.
  if (c.code.mfn < 0) {
    const fresh = c.lookup(c.s[PAGE], c.s[PAGE + 1], link.off);
    return fresh.run(c, fresh);
  }
  const found = c.code.ops[link.off] ?? c.decodeAt(c.code, link.off);
  patch(link, found);
  return found.run(c, found);
};

/** The first instruction of a page outside 64-bit mode: the burst ends behind it if the page is not wholly inside CS. */
const intoBoundary: Handler = (c, found) => {
  c.boundary = reachesBeyond(c.s, c.s[PAGE]);
  const next = found.run(c, found);
  c.restart = null;
  if (!c.boundary) return next;
  c.hold(next);
  return STOP;
};

/** Into the following page, which the page tables may place anywhere. */
const across: Handler = (c, link) => {
  const { s } = c;
  const lo = (s[PAGE] + 4096) | 0;
  const hi = (s[PAGE + 1] + (lo === 0 && !c.legacy ? 1 : 0)) | 0;
  const found = c.lookup(lo, hi, link.off - 4096);
  s[PAGE] = lo;
  s[PAGE + 1] = hi;
  c.restart = found;
  if (c.legacy) return intoBoundary(c, found);
  const next = found.run(c, found);
  c.restart = null;
  return next;
};

const link = (from: Op, offset: number, which: number): Op => {
  const op = new Op(offset < 4096 ? within : across);
  op.off = op.end = offset;
  op.taken = from;
  op.a = which;
  return op;
};

/** What stands for the instruction after `from` until it is decoded. */
export const linkNext = (from: Op): Op => link(from, from.end, 0);
/** What stands for the target of `from`, at this offset of the same page. */
export const linkTaken = (from: Op, offset: number): Op => link(from, offset, 1);

/** Runs an instruction that reaches into the next page, if its second page is still the one it was decoded from. */
export const straddling: Handler = (c, o) => {
  const { s } = c;
  const lo = (s[PAGE] + 4096) | 0;
  if (c.legacy) checkFetch(c, s[PAGE] + o.off, o.end - o.off - 1);
  const second = c.codePage(lo, (s[PAGE + 1] + (lo === 0 && !c.legacy ? 1 : 0)) | 0, 0);
  if (second.mfn === o.second) return o.body(c, o);
  const fresh = c.decodeAt(c.code, o.off);
  return fresh.body(c, fresh);
};
