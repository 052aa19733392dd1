/** Strings of bytes about which objdump and processors disagree, told by their bytes. The ids are those of spec/findings.md. */

import type { DecodeMode } from '#spec/isa/x86/mode.ts';

export type DecodeException = {
  readonly finding: string;
  readonly why: string;
  readonly applies: (bytes: Uint8Array, shown: string, mode: DecodeMode) => boolean;
};

const PREFIXES: readonly number[] = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3];

/** The opcode bytes behind all prefixes, and which of them count. */
const take = (bytes: Uint8Array, mode: DecodeMode = '64') => {
  let at = 0;
  while (at < bytes.length && (PREFIXES.includes(bytes[at]) || (mode === '64' && bytes[at] >> 4 === 4))) at++;
  const prefixes = bytes.subarray(0, at);
  return { opcode: bytes.subarray(at), prefixes, rex: at > 0 && prefixes[at - 1] >> 4 === 4 ? prefixes[at - 1] : 0 };
};

/** Of an instruction of 15 bytes. */
const MOST_PREFIXES = 14;

const starts = (opcode: Uint8Array, ...wanted: readonly number[]): boolean => wanted.every((byte, n) => opcode[n] === byte);
const SALC = 0xd6;

/** Instructions of features that the default machine does not have: its processor has #UD there, and so has the host's, or would. */
const FOREIGN =
  /\b(vm[a-z]+|td(call)|seam(call|ops|ret)|encl[suv]|pconfig|xend|xtest|xabort|xbegin|skinit|(cl|st)gi|invlpg[ab]|tlbsync|psmash|pvalidate|rmp[a-z]+|(monitor|mwait)x|clzero|rdpru|mcommit|rstorssp|clrssbsy|setssbsy|saveprevssp|incssp[dq]|wruss[dq]|wrss[dq]|ptwrite|u?monitor|u?mwait|tpause|senduipi|uiret|testui|clui|stui|x(sus|res)ldtrk|serialize|(rd|wr)pkru|getsec|rsm|sysenter|sysexit[dq]?|swapgs|frstpm|tr[0-7]|xstore-?rng|xcrypt-[a-z]+|montmul|xsha(1|256)|femms|pf[a-z0-9]+|pi2f[dw]|pavgusb|pmulhrw|pswapd|loadall(286)?|cl1invmb|hreset|wrmsrns|cldemote)\b/;

const modrmReg = (opcode: Uint8Array): number => (opcode[2] >> 3) & 7;

export const DECODE_EXCEPTIONS: readonly DecodeException[] = [
  {
    finding: 'F-042',
    why: 'objdump gives UD0 and UD1 the ModRM byte that they have on Intel’s processors',
    applies: (bytes, _, mode) => {
      const { opcode } = take(bytes, mode);
      return starts(opcode, 0x0f, 0xb9) || starts(opcode, 0x0f, 0xff);
    },
  },
  {
    finding: 'F-043',
    why: 'objdump names an instruction with prefixes that make it #UD, or calls one bad whose prefix is ignored',
    applies: (bytes, _, mode) => {
      const { opcode, prefixes } = take(bytes, mode);
      const marked = prefixes.some((byte) => byte === 0x66 || byte === 0xf2 || byte === 0xf3);
      const behindVex = opcode[0] === 0xc4 || opcode[0] === 0xc5;
      return (marked && starts(opcode, 0x0f)) || (behindVex && prefixes.length > 0);
    },
  },
  {
    finding: 'F-061',
    why: 'objdump knows instructions of other processors, features or modes: VMX, SVM, SGX, TDX, CET, 3DNow!, PadLock, test registers and others',
    applies: (_, shown) => FOREIGN.test(shown),
  },
  {
    finding: 'F-062',
    why: 'objdump calls encodings bad that processors carry out: SALC, second encodings of FCOM, FCOMP, FSTP, FXCH, and FFREEP',
    applies: (bytes, shown, mode) => {
      const { opcode } = take(bytes, mode);
      const stack = opcode[0] >= 0xd8 && opcode[0] <= 0xdf && opcode[1] >= 0xc0;
      return shown.includes('(bad)') && (stack || opcode[0] === SALC);
    },
  },
  {
    finding: 'F-063',
    why: 'objdump breaks off where an instruction of MPX has 16-bit addresses; without MPX it is a wide NOP',
    applies: (_, shown) => /\bbnd[a-z]+\b.*\(bad\)/.test(shown),
  },
  {
    finding: 'F-044',
    why: 'objdump says PAUSE where REX.B makes it an exchange',
    applies: (bytes, _, mode) => {
      const { opcode, rex } = take(bytes, mode);
      return starts(opcode, 0x90) && (rex & 1) === 1;
    },
  },
  {
    finding: 'F-051',
    why: 'objdump takes fences for bad whose ModRM byte names a register other than 0',
    applies: (bytes, _, mode) => {
      const { opcode } = take(bytes, mode);
      return starts(opcode, 0x0f, 0xae) && opcode[2] >= 0xc0 && modrmReg(opcode) >= 5;
    },
  },
  {
    finding: 'F-051',
    why: 'objdump takes FWAIT for a part of the x87 instruction that follows, and a REX prefix before it for an instruction',
    applies: (bytes, _, mode) => starts(take(bytes, mode).opcode, 0x9b),
  },
  {
    finding: 'F-051',
    why: 'objdump knows XABORT and XBEGIN, which need a feature (RTM) that AMD’s processors do not have',
    applies: (bytes, _, mode) => {
      const { opcode } = take(bytes, mode);
      return starts(opcode, 0xc6, 0xf8) || starts(opcode, 0xc7, 0xf8);
    },
  },
  {
    finding: 'F-051',
    why: 'objdump gives up at the fourteenth prefix',
    applies: (bytes, _, mode) => take(bytes, mode).prefixes.length >= MOST_PREFIXES,
  },
];
