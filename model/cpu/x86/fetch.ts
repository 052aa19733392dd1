/** The instruction at RIP. Where it was found and what it means is remembered while it surely holds, as translations are (translation.ts). */
import { read } from '../../memory/access.ts';
import { pageOf } from '../../memory/memory.ts';
import { epochOf, learntFrom } from '../../memory/newest.ts';
import type { Page } from '../../memory/page.ts';
import { ACCESS } from '../../memory/translate.ts';
import { addInt } from '../../word/word.ts';
import { decode } from './decode/decode.ts';
import type { Instruction } from './instruction.ts';
import type { Running } from './running.ts';
import { PV_SYSTEM } from './system/state.ts';
import { frameFor } from './translation.ts';

/** Instructions by the offset of their first byte in a page. */
type Decoded = (Instruction | undefined)[];

/** What lies at a linear page now. */
class CodePage {
  readonly epoch: number;
  readonly root: number;
  readonly hi: number;
  readonly lo: number;
  readonly decoded: Decoded;
  constructor(epoch: number, root: number, hi: number, lo: number, decoded: Decoded) {
    this.epoch = epoch;
    this.root = root;
    this.hi = hi;
    this.lo = lo;
    this.decoded = decoded;
  }
}

const PAGES = 64;
const pages: CodePage[] = new Array<CodePage>(PAGES).fill(new CodePage(-1, -1, 0, 0, []));

/** Pages never change, so what was decoded from one holds as long as there is the page; wherever it is mapped. */
const decodedFrom = new WeakMap<Page, Decoded>();

/** The instruction at RIP. Throws its faults, and NotModelled. */
export const instructionAt = (s: Running): Instruction => {
  const { hi, lo } = s.rip;
  const page = pages[(lo >>> 12) & (PAGES - 1)];
  if (
    page.epoch === epochOf(s.memory) &&
    page.lo === (lo & ~0xfff) &&
    page.hi === hi &&
    page.root === s.segments.root &&
    s.system === PV_SYSTEM
  ) {
    const known = page.decoded[lo & 0xfff];
    if (known !== undefined) return known;
  }
  return fetchAt(s);
};

const fetchAt = (s: Running): Instruction => {
  const offset = s.rip.lo & 0xfff;
  const frame = frameFor(s, s.rip, ACCESS.FETCH, false);
  const decoded = remember(s, frame);
  const known = decoded[offset];
  if (known !== undefined) return known;
  const instruction = decode((index) => byteAt(s, frame, offset + index));
  if (offset + instruction.length <= 4096) decoded[offset] = instruction;
  return instruction;
};

/** A byte of the instruction: from RIP's frame, or from the next page's. */
const byteAt = (s: Running, frame: number, offset: number): number => {
  if (offset < 4096) return read(s.memory, frame, offset, 1).lo;
  const next = frameFor(s, addInt(s.rip, 4096 - (s.rip.lo & 0xfff)), ACCESS.FETCH, false);
  return read(s.memory, next, offset - 4096, 1).lo;
};

/** Remember that RIP's page is in this frame; returns what was decoded from it before. */
const remember = (s: Running, frame: number): Decoded => {
  const { hi, lo } = s.rip;
  const page = pageOf(s.memory, frame);
  let decoded = decodedFrom.get(page);
  if (decoded === undefined) {
    decoded = new Array<Instruction | undefined>(4096).fill(undefined);
    decodedFrom.set(page, decoded);
  }
  pages[(lo >>> 12) & (PAGES - 1)] = new CodePage(epochOf(s.memory), s.segments.root, hi, lo & ~0xfff, decoded);
  learntFrom(frame);
  return decoded;
};
