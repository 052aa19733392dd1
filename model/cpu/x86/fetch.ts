/** The instruction at RIP. Where it was found and what it means is remembered while it surely holds, as translations are (translation.ts). */
import { type DecodeMode, decodeMode } from '#spec/isa/x86/mode.ts';
import { readByte } from '../../memory/access.ts';
import { pageOf } from '../../memory/memory.ts';
import { epochOf, learntFrom } from '../../memory/newest.ts';
import type { Page } from '../../memory/page.ts';
import { ACCESS } from '../../memory/translate.ts';
import { addInt } from '../../word/word.ts';
import { decode } from './decode/decode.ts';
import type { Instruction } from './instruction.ts';
import { knownInstruction } from './known_instructions.ts';
import type { Running } from './running.ts';
import { fetchAddress } from './segmentation.ts';
import { frameFor } from './translation.ts';

/** Instructions by the offset of their first byte in a page. */
type Decoded = (Instruction | undefined)[];

/** What lies at a linear page now, for 64-bit code of a PV guest. */
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
const decodedFrom: Readonly<Record<DecodeMode, WeakMap<Page, Decoded>>> = { '16': new WeakMap(), '32': new WeakMap(), '64': new WeakMap() };

/** The instruction at RIP. Throws its faults, and NotModelled. */
export const instructionAt = (s: Running): Instruction => {
  if (s.system.mode !== '64') return inLegacyMode(s);
  if (s.system.kind !== 'pv') return inLongMode(s);
  const { hi, lo } = s.rip;
  const page = pages[(lo >>> 12) & (PAGES - 1)];
  if (page.epoch === epochOf(s.memory) && page.lo === (lo & ~0xfff) && page.hi === hi && page.root === s.segments.root) {
    const known = page.decoded[lo & 0xfff];
    if (known !== undefined) return known;
  }
  return fetchAt(s);
};

const fetchAt = (s: Running): Instruction => {
  const frame = frameFor(s, s.rip, ACCESS.FETCH, false);
  const decoded = decodedIn(s, frame, '64');
  const { hi, lo } = s.rip;
  pages[(lo >>> 12) & (PAGES - 1)] = new CodePage(epochOf(s.memory), s.segments.root, hi, lo & ~0xfff, decoded);
  learntFrom(frame);
  return decoded[lo & 0xfff] ?? decodedAt(s, frame, decoded);
};

/** 64-bit code whose pages are not remembered by address. */
const inLongMode = (s: Running): Instruction => {
  const frame = codeFrame(s, 0);
  const decoded = decodedIn(s, frame, '64');
  return decoded[s.rip.lo & 0xfff] ?? decodedAt(s, frame, decoded);
};

const decodedAt = (s: Running, frame: number, decoded: Decoded): Instruction => {
  const offset = s.rip.lo & 0xfff;
  const anew = (): Instruction => decode((index) => byteAt(s, frame, offset + index));
  const instruction = frame < 0 ? anew() : knownInstruction(s.memory, frame, offset, anew);
  if (offset + instruction.length <= 4096) decoded[offset] = instruction;
  return instruction;
};

/** A byte of the instruction: from RIP's frame, or from the next page's. */
const byteAt = (s: Running, frame: number, offset: number): number => {
  if (offset < 4096) return codeByte(s, frame, offset);
  return codeByte(s, codeFrame(s, 4096 - (s.rip.lo & 0xfff)), offset - 4096);
};

/** The frame of the byte so far behind RIP, in 64-bit mode. */
const codeFrame = (s: Running, ahead: number): number => frameFor(s, addInt(s.rip, ahead), ACCESS.FETCH, false);

/** Code outside 64-bit mode: every byte is inside CS, which has a base. What is remembered must lie inside CS as a whole. */
const inLegacyMode = (s: Running): Instruction => {
  const linear = fetchAddress(s, s.rip.lo);
  const offset = linear.lo & 0xfff;
  const mode = decodeMode(s.system.mode);
  const frame = frameFor(s, linear, ACCESS.FETCH, false);
  const decoded = decodedIn(s, frame, mode);
  const there = decoded[offset];
  if (there !== undefined) {
    fetchAddress(s, s.rip.lo + there.length - 1);
    return there;
  }
  const instruction = decode((index) => legacyByte(s, index), mode, !isByParagraph(s));
  if (offset + instruction.length <= 4096) decoded[offset] = instruction;
  return instruction;
};

/** Real and virtual-8086 mode have no VEX: where other modes do, they are #UD. */
const isByParagraph = ({ system: { mode } }: Running): boolean => mode === 'real' || mode === 'v86';

const legacyByte = (s: Running, index: number): number => {
  const at = fetchAddress(s, (s.rip.lo >>> 0) + index);
  return codeByte(s, frameFor(s, at, ACCESS.FETCH, false), at.lo & 0xfff);
};

/** A byte of code; where RAM does not answer (`~frame`), all ones. */
const codeByte = (s: Running, frame: number, offset: number): number => (frame < 0 ? 0xff : readByte(s.memory, frame, offset));

/** What was decoded from a frame's page before. */
const decodedIn = (s: Running, frame: number, mode: DecodeMode): Decoded => {
  if (frame < 0) return [];
  const page = pageOf(s.memory, frame);
  let decoded = decodedFrom[mode].get(page);
  if (decoded === undefined) {
    decoded = new Array<Instruction | undefined>(4096).fill(undefined);
    decodedFrom[mode].set(page, decoded);
  }
  return decoded;
};
