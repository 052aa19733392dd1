/** Instructions as bytes, with the distances between them worked out: for what the assembler has no name for. */
import type { Instruction } from '#spec/program.ts';

/** Bytes of an unsigned or two's complement number, low first, as hex digits. */
export const little = (value: number | bigint, bytes: number): string => {
  let rest = BigInt.asUintN(8 * bytes, BigInt(value));
  let out = '';
  for (let i = 0; i < bytes; i++, rest >>= 8n)
    out += Number(rest & 0xffn)
      .toString(16)
      .padStart(2, '0');
  return out;
};

const LONGEST = 15;
/** The bytes as instructions of a block; where they are cut means nothing. */
export const asCode = (hex: string): readonly Instruction[] =>
  Array.from({ length: Math.ceil(hex.length / (2 * LONGEST)) }, (_, i) => ({ bytes: hex.slice(2 * LONGEST * i, 2 * LONGEST * (i + 1)) }));

export const byteCount = (hex: string): number => hex.length / 2;

/** push imm32, sign-extended. */
export const push = (value: number): string => `68${little(value, 4)}`;
const COMPAT_CODE = 0xe023;
const LONG_CODE = 0xe033;
/** jmp far [rsp], or [esp]: four bytes of address, then the selector. QEMU 7.2 gets far returns in ring 3 wrong where SMAP is on. */
const JUMP_FAR = 'ff2c24';
/** add rsp, 8 */
const DROP_64 = '4883c408';
/** From 32-bit code back into 64-bit code behind these bytes: push CS; call the next; add 7 to the address; jmp far [esp]. */
export const backToLong = `${push(LONG_CODE)}e80000000083042407${JUMP_FAR}${DROP_64}`;

/** 64-bit code that goes on in the 32-bit bytes of `body` by a far jump to `selector`, and comes back. */
export const inCompat = (body: string, selector = COMPAT_CODE): string => {
  // sub rsp, 8; mov [rsp], eax; mov dword [rsp + 4], selector
  const away = `4883ec08890424c7442404${little(selector, 4)}${JUMP_FAR}`;
  // lea rax, [rip + what follows]; … add esp, 8
  return `488d05${little(byteCount(away), 4)}${away}83c408${body}${backToLong}`;
};
