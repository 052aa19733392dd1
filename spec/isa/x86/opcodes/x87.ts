/**
 * The x87 unit: SDM volume 1, 5.2. Memory operands say by their width what they are: for FLD, FST and the arithmetic without I `Md` single,
 * `Mq` double and `Mt` extended precision; behind an I in the mnemonic integers; for FBLD and FBSTP packed decimals.
 */
import { type Extra, row } from './make.ts';

const X87: Extra = { state: 'x87', feature: 'fpu' };
const NOWAIT: Extra = { state: 'x87_nowait', feature: 'fpu' };

/** A memory form; a register form by modrm.reg; one by its whole modrm byte. */
const memory = (opcode: number, ext: number, text: string, extra = X87) => row('1', opcode, text, { ext, mod: 'mem', ...extra });
const stack = (opcode: number, ext: number, text: string) => row('1', opcode, text, { ext, mod: 'reg', ...X87 });
const alone = (opcode: number, modrm: number, text: string, extra = X87) => row('1', opcode, text, { modrm, ...extra });

const ARITHMETIC = ['add', 'mul', 'com', 'comp', 'sub', 'subr', 'div', 'divr'] as const;
/** With the result in ST(i) the manuals' names of the two directions change places. */
const REVERSED = ['add', 'mul', '', '', 'subr', 'sub', 'divr', 'div'] as const;

const arithmetic = [
  ...ARITHMETIC.flatMap((name, ext) => [
    memory(0xd8, ext, `f${name} Md`),
    memory(0xdc, ext, `f${name} Mq`),
    memory(0xda, ext, `fi${name} Md`),
    memory(0xde, ext, `fi${name} Mw`),
    stack(0xd8, ext, name.startsWith('com') ? `f${name} STi` : `f${name} ST,STi`),
  ]),
  ...REVERSED.flatMap((name, ext) => (name === '' ? [] : [stack(0xdc, ext, `f${name} STi,ST`), stack(0xde, ext, `f${name}p STi,ST`)])),
];

const transfer = [
  memory(0xd9, 0, 'fld Md'),
  memory(0xd9, 2, 'fst Md'),
  memory(0xd9, 3, 'fstp Md'),
  memory(0xdb, 0, 'fild Md'),
  memory(0xdb, 1, 'fisttp Md', { ...X87, feature: 'sse3' }),
  memory(0xdb, 2, 'fist Md'),
  memory(0xdb, 3, 'fistp Md'),
  memory(0xdb, 5, 'fld Mt'),
  memory(0xdb, 7, 'fstp Mt'),
  memory(0xdd, 0, 'fld Mq'),
  memory(0xdd, 1, 'fisttp Mq', { ...X87, feature: 'sse3' }),
  memory(0xdd, 2, 'fst Mq'),
  memory(0xdd, 3, 'fstp Mq'),
  memory(0xdf, 0, 'fild Mw'),
  memory(0xdf, 1, 'fisttp Mw', { ...X87, feature: 'sse3' }),
  memory(0xdf, 2, 'fist Mw'),
  memory(0xdf, 3, 'fistp Mw'),
  memory(0xdf, 4, 'fbld Mt'),
  memory(0xdf, 5, 'fild Mq'),
  memory(0xdf, 6, 'fbstp Mt'),
  memory(0xdf, 7, 'fistp Mq'),
  stack(0xd9, 0, 'fld STi'),
  stack(0xd9, 1, 'fxch STi'),
  stack(0xdd, 2, 'fst STi'),
  stack(0xdd, 3, 'fstp STi'),
  ...['b', 'e', 'be', 'u'].flatMap((cc, ext) => [stack(0xda, ext, `fcmov${cc} ST,STi`), stack(0xdb, ext, `fcmovn${cc} ST,STi`)]),
];

const comparison = [
  stack(0xdd, 4, 'fucom STi'),
  stack(0xdd, 5, 'fucomp STi'),
  alone(0xde, 0xd9, 'fcompp'),
  alone(0xda, 0xe9, 'fucompp'),
  stack(0xdb, 5, 'fucomi ST,STi'),
  stack(0xdb, 6, 'fcomi ST,STi'),
  stack(0xdf, 5, 'fucomip ST,STi'),
  stack(0xdf, 6, 'fcomip ST,STi'),
];

/** D9 with modrm from E0 on; an empty name is no instruction. */
const ALONE = [
  ['fchs', 'fabs', '', '', 'ftst', 'fxam', '', ''],
  ['fld1', 'fldl2t', 'fldl2e', 'fldpi', 'fldlg2', 'fldln2', 'fldz', ''],
  ['f2xm1', 'fyl2x', 'fptan', 'fpatan', 'fxtract', 'fprem1', 'fdecstp', 'fincstp'],
  ['fprem', 'fyl2xp1', 'fsqrt', 'fsincos', 'frndint', 'fscale', 'fsin', 'fcos'],
].flat();

const control = [
  memory(0xd9, 4, 'fldenv M'),
  memory(0xd9, 5, 'fldcw Mw'),
  memory(0xd9, 6, 'fnstenv M', NOWAIT),
  memory(0xd9, 7, 'fnstcw Mw', NOWAIT),
  memory(0xdd, 4, 'frstor M'),
  memory(0xdd, 6, 'fnsave M', NOWAIT),
  memory(0xdd, 7, 'fnstsw Mw', NOWAIT),
  alone(0xdf, 0xe0, 'fnstsw AX', NOWAIT),
  alone(0xd9, 0xd0, 'fnop'),
  stack(0xdd, 0, 'ffree STi'),
  // Of the 8087 and the 80287; they do nothing since the 80387.
  alone(0xdb, 0xe0, 'fneni', NOWAIT),
  alone(0xdb, 0xe1, 'fndisi', NOWAIT),
  alone(0xdb, 0xe2, 'fnclex', NOWAIT),
  alone(0xdb, 0xe3, 'fninit', NOWAIT),
  alone(0xdb, 0xe4, 'fnsetpm', NOWAIT),
  row('1', 0x9b, 'fwait', { state: 'wait', feature: 'fpu' }),
];

/** In no manual, or only in the 80287's, and in every processor: other encodings of the same. FFREEP frees and pops. */
const aliases = [
  stack(0xdc, 2, 'fcom STi'),
  stack(0xdc, 3, 'fcomp STi'),
  stack(0xde, 2, 'fcomp STi'),
  stack(0xd9, 3, 'fstp STi'),
  stack(0xdd, 1, 'fxch STi'),
  stack(0xdf, 0, 'ffreep STi'),
  stack(0xdf, 1, 'fxch STi'),
  stack(0xdf, 2, 'fstp STi'),
  stack(0xdf, 3, 'fstp STi'),
];

export const X87_ROWS = [
  ...arithmetic,
  ...transfer,
  ...comparison,
  ...ALONE.flatMap((name, n) => (name === '' ? [] : [alone(0xd9, 0xe0 + n, name)])),
  ...control,
  ...aliases,
];
