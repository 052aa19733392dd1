/** The instruction at RIP. What was decoded is remembered while it surely holds, as translations are (translation.ts). */
import { read } from '../../memory/access.ts';
import { epochOf, learntFrom } from '../../memory/newest.ts';
import { ACCESS } from '../../memory/translate.ts';
import { addInt } from '../../word/word.ts';
import { decode } from './decode/decode.ts';
import type { Instruction } from './instruction.ts';
import type { Running } from './running.ts';
import { frameFor } from './translation.ts';

/** Instructions that lie in one page as it is mapped now. */
class CodePage {
  readonly epoch: number;
  readonly root: number;
  readonly hi: number;
  readonly lo: number;
  readonly decoded: (Instruction | undefined)[] = new Array<Instruction | undefined>(4096).fill(undefined);
  constructor(epoch: number, root: number, hi: number, lo: number) {
    this.epoch = epoch;
    this.root = root;
    this.hi = hi;
    this.lo = lo;
  }
}

const PAGES = 64;
const pages: CodePage[] = new Array<CodePage>(PAGES).fill(new CodePage(-1, -1, 0, 0));

/** The instruction at RIP. Throws its faults, and NotModelled. */
export const instructionAt = (s: Running): Instruction => {
  const { hi, lo } = s.rip;
  const page = pages[(lo >>> 12) & (PAGES - 1)];
  if (page.epoch === epochOf(s.memory) && page.lo === (lo & ~0xfff) && page.hi === hi && page.root === s.segments.root) {
    const known = page.decoded[lo & 0xfff];
    if (known !== undefined) return known;
  }
  return decodeAt(s);
};

const decodeAt = (s: Running): Instruction => {
  const offset = s.rip.lo & 0xfff;
  const frame = frameFor(s, s.rip, ACCESS.FETCH, false);
  const instruction = decode((index) => byteAt(s, frame, offset + index));
  if (offset + instruction.length <= 4096) remember(s, frame, instruction);
  return instruction;
};

/** A byte of the instruction: from RIP's frame, or from the next page's. */
const byteAt = (s: Running, frame: number, offset: number): number => {
  if (offset < 4096) return read(s.memory, frame, offset, 1).lo;
  const next = frameFor(s, addInt(s.rip, 4096 - (s.rip.lo & 0xfff)), ACCESS.FETCH, false);
  return read(s.memory, next, offset - 4096, 1).lo;
};

const remember = (s: Running, frame: number, instruction: Instruction): void => {
  const { hi, lo } = s.rip;
  const epoch = epochOf(s.memory);
  const slot = (lo >>> 12) & (PAGES - 1);
  const old = pages[slot];
  const same = old.epoch === epoch && old.lo === (lo & ~0xfff) && old.hi === hi && old.root === s.segments.root;
  const page = same ? old : new CodePage(epoch, s.segments.root, hi, lo & ~0xfff);
  pages[slot] = page;
  page.decoded[lo & 0xfff] = instruction;
  learntFrom(frame);
};
