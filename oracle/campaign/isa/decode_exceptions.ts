/** Strings of bytes about which objdump and processors disagree, told by their bytes. The ids are those of spec/findings.md. */

export type DecodeException = {
  readonly finding: string;
  readonly why: string;
  readonly applies: (bytes: Uint8Array, shown: string) => boolean;
};

const PREFIXES: readonly number[] = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3];

/** The opcode bytes behind all prefixes, and which of them count. */
const take = (bytes: Uint8Array) => {
  let at = 0;
  while (at < bytes.length && (PREFIXES.includes(bytes[at]) || bytes[at] >> 4 === 4)) at++;
  const prefixes = bytes.subarray(0, at);
  return { opcode: bytes.subarray(at), prefixes, rex: at > 0 && prefixes[at - 1] >> 4 === 4 ? prefixes[at - 1] : 0 };
};

/** Of an instruction of 15 bytes. */
const MOST_PREFIXES = 14;

const starts = (opcode: Uint8Array, ...wanted: readonly number[]): boolean => wanted.every((byte, n) => opcode[n] === byte);
const modrmReg = (opcode: Uint8Array): number => (opcode[2] >> 3) & 7;

export const DECODE_EXCEPTIONS: readonly DecodeException[] = [
  {
    finding: 'F-042',
    why: 'objdump gives UD0 and UD1 the ModRM byte that they have on Intel’s processors',
    applies: (bytes) => {
      const { opcode } = take(bytes);
      return starts(opcode, 0x0f, 0xb9) || starts(opcode, 0x0f, 0xff);
    },
  },
  {
    finding: 'F-043',
    why: 'objdump names an instruction with prefixes that make it #UD, or calls one bad whose prefix is ignored',
    applies: (bytes) => {
      const { opcode, prefixes } = take(bytes);
      const marked = prefixes.some((byte) => byte === 0x66 || byte === 0xf2 || byte === 0xf3);
      return (
        marked &&
        (starts(opcode, 0x0f, 0xae) || starts(opcode, 0x0f, 0x01, 0xd1) || starts(opcode, 0x0f, 0x09) || starts(opcode, 0x0f, 0xc3))
      );
    },
  },
  {
    finding: 'F-044',
    why: 'objdump says PAUSE where REX.B makes it an exchange',
    applies: (bytes) => {
      const { opcode, rex } = take(bytes);
      return starts(opcode, 0x90) && (rex & 1) === 1;
    },
  },
  {
    finding: 'F-051',
    why: 'objdump takes fences for bad whose ModRM byte names a register other than 0',
    applies: (bytes) => {
      const { opcode } = take(bytes);
      return starts(opcode, 0x0f, 0xae) && opcode[2] >= 0xc0 && modrmReg(opcode) >= 5;
    },
  },
  {
    finding: 'F-051',
    why: 'objdump takes FWAIT for a part of the x87 instruction that follows, and a REX prefix before it for an instruction',
    applies: (bytes) => starts(take(bytes).opcode, 0x9b),
  },
  {
    finding: 'F-051',
    why: 'objdump knows XABORT and XBEGIN, which need a feature (RTM) that AMD’s processors do not have',
    applies: (bytes) => {
      const { opcode } = take(bytes);
      return starts(opcode, 0xc6, 0xf8) || starts(opcode, 0xc7, 0xf8);
    },
  },
  {
    finding: 'F-051',
    why: 'objdump gives up at the fourteenth prefix',
    applies: (bytes) => take(bytes).prefixes.length >= MOST_PREFIXES,
  },
];
