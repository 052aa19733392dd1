/**
 * The x86 branch filter of .xz files, undone. Before packing, targets of CALL and JMP (0xe8, 0xe9 with 32 bits) were made absolute, so that calls of
 * one function look alike. What only looks like an opcode was left alone by rules that both directions can follow: the last byte of a target is
 * 0x00 or 0xff, and opcodes found within the three bytes before make it doubtful. Source: the file format, section 5.3.2.
 */

/** Doubtful bytes before, as bits: whether conversion is possible at all, and which byte of the target decides. */
const POSSIBLE = [true, true, true, false, true, false, false, false];
const DECIDES = [0, 1, 2, 2, 3, 3, 3, 3];
const MOST_DISTANCE = 3;
const TARGET_BYTES = 4;

const isEnd = (byte: number): boolean => byte === 0 || byte === 0xff;

/** @param bytes changed in place; the data begins at position 0. */
export const undoX86Filter = (bytes: Uint8Array): void => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let last = -1;
  let doubt = 0;
  for (let i = 0; i < bytes.length - TARGET_BYTES; i++) {
    if ((bytes[i]! & 0xfe) !== 0xe8) continue;
    const distance = i - last;
    last = i;
    if (distance > MOST_DISTANCE) doubt = 0;
    else {
      doubt = (doubt << (distance - 1)) & 7;
      if (doubt !== 0 && (!POSSIBLE[doubt] || isEnd(bytes[i + TARGET_BYTES - DECIDES[doubt]!]!))) {
        doubt = (doubt << 1) | 1;
        continue;
      }
    }
    if (!isEnd(bytes[i + TARGET_BYTES]!)) {
      doubt = (doubt << 1) | 1;
      continue;
    }
    view.setInt32(i + 1, relative(view.getInt32(i + 1, true), i + 1 + TARGET_BYTES, doubt), true);
    i += TARGET_BYTES;
  }
};

/** The displacement that the absolute `target` of a branch stands for. */
const relative = (target: number, next: number, doubt: number): number => {
  let from = target;
  for (;;) {
    const to = (from - next) | 0;
    const shift = DECIDES[doubt]! * 8;
    // 25 bits with their sign: the byte on top is 0x00 or 0xff.
    if (doubt === 0 || !isEnd((to >>> (24 - shift)) & 0xff)) return (to << 7) >> 7;
    from = to ^ (shift === 0 ? -1 : 2 ** (32 - shift) - 1);
  }
};
