/** Loads of segment registers and of LDTR and TR, and the questions about selectors: descriptors of every type, limits tried afterwards. */
import type { SystemCase } from '#oracle/image/bare/case.ts';
import { bitsOf, isLong, pageOf } from '#oracle/image/bare/case.ts';
import { DATA } from '#oracle/image/bare/layout.ts';
import type { Stream } from '../../isa/stream.ts';
import { absolute, dataAt, dataOffset, instruction, movImmediate, type Place, rowOf } from '../assemble.ts';
import { type Placed, someSelector, store } from '../descriptor.ts';
import { PROTECTED, somePlace } from '../places.ts';
import type { Family } from './family.ts';

const LOADERS = [
  { mnemonic: 'mov_to_seg', reg: [0, 2, 3, 4, 5] },
  { mnemonic: 'pop_seg', part: 'FS', reg: [4] },
  { mnemonic: 'pop_seg', part: 'GS', reg: [5] },
  { mnemonic: 'lss', reg: [2] },
  { mnemonic: 'lfs', reg: [4] },
  { mnemonic: 'lgs', reg: [5] },
] as const;
const LEGACY_LOADERS = [
  { mnemonic: 'pop_seg', part: 'ES', reg: [0] },
  { mnemonic: 'pop_seg', part: 'SS', reg: [2] },
  { mnemonic: 'pop_seg', part: 'DS', reg: [3] },
  { mnemonic: 'les', reg: [0] },
  { mnemonic: 'lds', reg: [3] },
] as const;
/** A place on the case's own stack, as offset in SS. */
const stackOffset = (at: Place): number => (at.mode === 'real' || at.mode === 'v86' ? 0x2a0 : pageOf(at) + 0x2a0);

const PREFIX = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65] as const;
const SS = 2;

/** MOV EAX, seg:[offset]: shows base and limit of what was loaded. Bytes near the end of small limits among them. */
const probe = (s: Stream, place: Place, segment: number): number[] => {
  if (s.one(3)) return [];
  const offset = s.pick([0x0, 0x7, 0x8, 0xa, 0x9, dataOffset(place), 0xfffd, 0xfffc]);
  const opcode = s.one(4) ? 0x89 : 0x8b;
  // What a store through a flat segment would reach at such an offset belongs to nobody.
  return [PREFIX[segment], opcode, ...absolute(bitsOf(place.mode), 0, opcode === 0x89 ? dataOffset(place, 8) : offset)];
};

/** Where no descriptor is asked: any value; for SS one whose stack is not the harness's memory. */
const realSelector = (s: Stream, segment: number): Placed => ({
  selector: segment === SS ? s.pick([0x900, 0xa00]) : s.pick([0, 0x900, 0xa00, 0xfff, 0x123]),
  before: [],
});

const load = (s: Stream): SystemCase => {
  const at = somePlace(s);
  const chosen = s.pick(at.mode === '64' ? LOADERS : [...LOADERS, ...LEGACY_LOADERS]);
  const segment = s.pick(chosen.reg);
  const row = rowOf(chosen.mnemonic, 'part' in chosen ? chosen.part : '');
  const real = at.mode === 'real' || at.mode === 'v86';
  const { selector, before, ldt } = real ? realSelector(s, segment) : someSelector(s, isLong(at.mode), at.ring);
  const bits = bitsOf(at.mode);
  const code =
    chosen.mnemonic === 'mov_to_seg'
      ? [...movImmediate(at, 0, selector | (s.one(2) ? 0x12340000 : 0)), ...instruction(at, row, { reg: segment })]
      : chosen.mnemonic === 'pop_seg'
        ? [...movImmediate(at, 0, selector | 0x12340000), 0x50, ...instruction(at, row)]
        : instruction(at, row, { reg: segment === SS ? 4 : 0, memory: dataOffset(at, 0x10) });
  // What LDS and its kind read: offset and selector. The stack stays where it is.
  const offset = segment === SS ? stackOffset(at) : 0x12345678;
  const far = store(dataAt(at, 0x10), bits === 16 ? [(offset & 0xffff) | (selector << 16)] : [offset, selector]);
  return {
    ...at,
    row,
    note: 'segment load',
    code: [...code, ...(real ? [] : probe(s, at, segment))],
    gpr: { 1: 0x1111n, 3: 0x3333n, 4: 0n },
    before: [...before, ...far, ...store(pageOf(at) + DATA, [0x11223344, 0x55667788, 0x99aabbcc])],
    ...(ldt === undefined ? {} : { ldt }),
  };
};
const QUESTIONS = ['lar', 'lsl', 'verr', 'verw', 'arpl', 'lldt', 'ltr', 'sldt', 'str'] as const;

const question = (s: Stream): SystemCase => {
  const at = somePlace(s, s.one(8) ? undefined : PROTECTED);
  const mnemonic = s.pick(at.mode === '64' ? QUESTIONS.filter((m) => m !== 'arpl') : QUESTIONS);
  const row = rowOf(mnemonic, mnemonic === 'sldt' || mnemonic === 'str' ? s.pick(['mem', 'reg']) : '');
  const { selector, before, ldt } = someSelector(s, isLong(at.mode), at.ring);
  const memory = s.one(2) ? { memory: dataOffset(at) } : {};
  const other = s.one(4) ? { other: true } : s.one(4) && at.mode === '64' ? { wide: true } : {};
  return {
    ...at,
    row,
    note: `question ${mnemonic}`,
    code: instruction(at, row, { reg: 1, rm: 0, ...memory, ...other }),
    gpr: { 0: BigInt(selector) | 0xabcd0000n, 1: s.one(2) ? 0x1122334455667788n : BigInt(s.below(4)), 2: s.bits64() },
    flags: s.one(2) ? 0x40 : 0,
    before: [...before, ...store(dataAt(at), [selector])],
    ...(ldt === undefined ? {} : { ldt }),
  };
};

/** Reads and writes through segments that were loaded before: rights, limits, expand-down, null. */
const access = (s: Stream): SystemCase => {
  const at = somePlace(s, PROTECTED);
  const { selector, before, ldt } = someSelector(s, isLong(at.mode), at.ring);
  const bits = bitsOf(at.mode);
  const segment = s.pick([0, 3, 4, 5]);
  const write = s.one(2);
  const row = rowOf('mov', write ? '1 89' : '1 8b');
  const offset = write ? dataOffset(at, s.pick([0, 1, 2])) : s.pick([0, 6, 7, 8, 9, 0xa, 0xfffc, 0xfffd, dataOffset(at)]);
  const bytes = [
    ...movImmediate(at, 0, selector),
    0x8e,
    0xc0 | (segment << 3),
    PREFIX[segment],
    write ? 0x89 : 0x8b,
    ...absolute(bits, 1, offset),
  ];
  return { ...at, row, note: 'segment access', code: bytes, gpr: { 1: 0xcafen }, before, ...(ldt === undefined ? {} : { ldt }) };
};

export const SEGMENTS: readonly Family[] = [
  { name: 'segment load', weight: 5, make: load },
  { name: 'selector question', weight: 4, privileged: /^(lar|lsl|verr|verw|arpl|lldt|ltr|sldt|str)$/, make: question },
  { name: 'segment access', weight: 2, make: access },
];
