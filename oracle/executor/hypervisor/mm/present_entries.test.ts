/** Runs of empty entries are passed over, in both directions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Memory } from '../../memory.ts';
import { ENTRIES, nextPresent, previousPresent } from './present_entries.ts';

const TABLE = 3;

describe('present entries', () => {
  it('are found as by looking at each', () => {
    const slot = fc.nat(ENTRIES - 1);
    fc.assert(
      fc.property(fc.uniqueArray(slot, { maxLength: 20 }), slot, (present, from) => {
        const memory = new Memory(8);
        for (let i = 0; i < ENTRIES; i++) memory.writeHalves(TABLE * 4096 + 8 * i, present.includes(i) ? 0x1067 : 0x1066, 1);
        memory.writeHalves((TABLE + 1) * 4096, 1, 0);
        memory.writeHalves(TABLE * 4096 - 8, 1, 0);
        expect(nextPresent(memory, TABLE, from)).toBe(Math.min(ENTRIES, ...present.filter((i) => i >= from)));
        expect(previousPresent(memory, TABLE, from)).toBe(Math.max(-1, ...present.filter((i) => i <= from)));
        expect(nextPresent(memory, TABLE, ENTRIES)).toBe(ENTRIES);
        expect(previousPresent(memory, TABLE, -1)).toBe(-1);
        memory.release();
      }),
    );
  });
});
