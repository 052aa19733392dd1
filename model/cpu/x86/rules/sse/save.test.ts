/** FXSAVE and FXRSTOR without CR4.OSFXSR. */

import { expect, test } from 'vitest';
import { CR4 } from '#spec/isa/x86/control_registers.ts';
import { AT, bareSample, take } from '../../../../bare/sample.ts';
import { read } from '../../../../memory/access.ts';

const FXSAVE = [0x0f, 0xae, 0x05, 0x00, 0xb0, 0, 0];
const FXRSTOR = [0x0f, 0xae, 0x0d, 0x00, 0xb0, 0, 0];
/** Control word 0x27f, MXCSR 0x1fa0. */
const IMAGE = [0x7f, 0x02, ...new Array<number>(22).fill(0), 0xa0, 0x1f, 0, 0];

test('FXSAVE leaves MXCSR’s bytes as they were', () => {
  const mxcsrAfter = (cr4: number): number => {
    const { memory } = take(bareSample(FXSAVE, { cr4, bytes: { [AT.data + 24]: [0xee, 0xee, 0xee, 0xee] } })).machine;
    return read(memory, AT.data >> 12, 24, 4).lo >>> 0;
  };
  expect([mxcsrAfter(CR4.OSFXSR), mxcsrAfter(0)]).toEqual([0x1f80, 0xeeeeeeee]);
});

test('FXRSTOR loads x87 state alone', () => {
  const after = (cr4: number) => take(bareSample(FXRSTOR, { cr4, bytes: { [AT.data]: IMAGE } })).machine.cpu.fpu;
  expect(after(CR4.OSFXSR)).toMatchObject({ control: 0x27f, mxcsr: 0x1fa0 });
  expect(after(0)).toMatchObject({ control: 0x27f, mxcsr: 0x1f80 });
});
