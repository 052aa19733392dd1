/** From a draft to bytes. */
import type { Draft } from './draft.ts';

const MAP_BYTES = { '1': [], '0f': [0x0f], '0f38': [0x0f, 0x38], '0f3a': [0x0f, 0x3a] } as const;

const VEX_MAP = { '1': 0, '0f': 1, '0f38': 2, '0f3a': 3 } as const;
const VEX_PREFIX = { '66': 1, f3: 2, f2: 3 } as const;

/** Prefixes, the three bytes of VEX and the opcode. R, X, B and vvvv are complements; outside 64-bit mode REX's bits are not there. */
const vexHead = (d: Draft): number[] => {
  const { row, prefixes, s } = d;
  const rex = d.rex ?? 0;
  const pp = row.prefix === 'f2' || row.prefix === 'f3' || row.prefix === '66' ? VEX_PREFIX[row.prefix] : 0;
  const second = ((((rex & 7) << 5) ^ 0xe0) & 0xe0) | VEX_MAP[row.map];
  const third = ((rex & 8) << 4) | ((d.vvvv ^ 15) << 3) | (s.one(40) ? 4 : 0) | pp;
  return [...prefixes, 0xc4, second, third, row.opcode];
};

/** The instruction at `d.rip`. */
export const encode = (d: Draft): Uint8Array => {
  const { row, modrm } = d;
  const head = row.vex ? vexHead(d) : [...d.prefixes, ...(d.rex === null ? [] : [0x40 | d.rex]), ...MAP_BYTES[row.map], row.opcode];
  const bytes = [...head, ...(modrm?.bytes ?? []), ...d.immediate];
  if (modrm !== null && modrm.ripRelative !== null) {
    const distance = Number(BigInt.asIntN(32, modrm.ripRelative - BigInt(d.rip + bytes.length)));
    for (let i = 0; i < 4; i++) bytes[head.length + 1 + i] = (distance >> (8 * i)) & 0xff;
  }
  return Uint8Array.from(bytes);
};
