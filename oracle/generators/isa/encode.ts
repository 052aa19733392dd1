/** From a draft to bytes. */
import type { Draft } from './draft.ts';

const MAP_BYTES = { '1': [], '0f': [0x0f], '0f38': [0x0f, 0x38], '0f3a': [0x0f, 0x3a] } as const;

/** The instruction at `d.rip`. */
export const encode = (d: Draft): Uint8Array => {
  const { row, modrm } = d;
  const head = [...d.prefixes, ...(d.rex === null ? [] : [0x40 | d.rex]), ...MAP_BYTES[row.map], row.opcode];
  const bytes = [...head, ...(modrm?.bytes ?? []), ...d.immediate];
  if (modrm !== null && modrm.ripRelative !== null) {
    const distance = Number(BigInt.asIntN(32, modrm.ripRelative - BigInt(d.rip + bytes.length)));
    for (let i = 0; i < 4; i++) bytes[head.length + 1 + i] = (distance >> (8 * i)) & 0xff;
  }
  return Uint8Array.from(bytes);
};
