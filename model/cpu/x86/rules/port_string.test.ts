import { describe, expect, it } from 'vitest';
import { read } from '../../../memory/access.ts';
import { toNumber, word } from '../../../word/word.ts';
import { questionOf } from '../outside.ts';
import { asBare, frameOf, inMode, PLACE, SAMPLE_PLATFORM, type Setting, sample, tryOne } from '../sample.ts';
import { RCX, RDI, RDX, RSI } from '../state.ts';

const start = (code: number[], setting: Setting, cpl = 0) => asBare(inMode(sample(code, setting), 'compat32'), cpl);
const place = { [RDX]: 0x12345n, [RDI]: BigInt(PLACE.data), [RSI]: BigInt(PLACE.data) };

describe('INS and OUTS', () => {
  it('ask for the port, and go on with the answer', () => {
    const before = start([0x6d], { regs: place });
    const asked = tryOne(before);
    expect(asked).toMatchObject({ kind: 'wanted', steps: 0, wanted: { kind: 'in', port: 0x2345, size: 4 } });
    const answers = new Map([[questionOf({ kind: 'in', port: 0x2345, size: 4 }), word(0, 0x11223344)]]);
    const done = tryOne(asked, { ...SAMPLE_PLATFORM, answers });
    expect(done).toMatchObject({ kind: 'retired', steps: 1 });
    expect(read(done.memory, frameOf(PLACE.data), 0, 4).lo).toBe(0x11223344);
    expect(toNumber(done.cpu.regs[RDI])).toBe(PLACE.data + 4);
  });

  it('tell what they put out', () => {
    const bytes = { [PLACE.data]: [0x34, 0x12] };
    expect(tryOne(start([0x66, 0x6f], { regs: place, bytes }))).toMatchObject({
      wanted: { kind: 'out', port: 0x2345, size: 2, value: word(0, 0x1234) },
    });
  });

  it('find the place before they ask, and permission before all', () => {
    expect(tryOne(start([0x6c], { regs: { ...place, [RDI]: BigInt(PLACE.readOnly) } }, 3))).toMatchObject({ fault: { vector: 13 } });
    const absent = { ...place, [RDI]: BigInt(PLACE.absent) };
    expect(tryOne(start([0x6c], { regs: absent }))).toMatchObject({ kind: 'fault', fault: { vector: 14 } });
    expect(tryOne(start([0xf3, 0x6c], { regs: { ...absent, [RCX]: 0n } }))).toMatchObject({ kind: 'retired' });
    expect(tryOne(start([0xf3, 0x6c], { regs: { ...absent, [RCX]: 0n } }, 3))).toMatchObject({ fault: { vector: 13, error: 0 } });
  });
});
