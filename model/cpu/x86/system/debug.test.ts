/** Debug exceptions and registers. */

import { describe, expect, test } from 'vitest';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { AT, bareSample, faultOf, gate, SEL, type Setting, take } from '../../../bare/sample.ts';

const NOP = 0x90;
const { TF, RF } = RFLAGS;
const HANDLED: Setting = { words: { [AT.idt + 8]: gate(SEL.code32, AT.handler, 0x8e) } };
/** After one step: whether #DB came, DR6's lower bits, and where it was. */
const stepped = (code: readonly number[], setting: Setting) => {
  const { machine, events, retired } = take(bareSample(code, { ...HANDLED, ...setting }));
  return { came: events.some((e) => e.kind === 'exception' && e.vector === 1), dr6: machine.cpu.system.dr[4].lo & 0xe00f, retired };
};

describe('single step', () => {
  test('follows the instruction', () => expect(stepped([NOP], { flags: TF })).toEqual({ came: true, dr6: 0x4000, retired: 1 }));
  test('does not follow a load of SS', () =>
    expect(stepped([0x8e, 0xd0], { flags: TF, regs: { 0: BigInt(SEL.data) } })).toMatchObject({ came: false }));
  test('does not follow INT3', () => {
    const { events } = take(
      bareSample([0xcc], { flags: TF, words: { ...HANDLED.words, [AT.idt + 24]: gate(SEL.code32, AT.handler, 0x8e) } }),
    );
    expect(events).toMatchObject([{ vector: 3 }]);
  });
});

describe('a breakpoint', () => {
  const dr = (control: number, address: number = AT.data): readonly number[] => [address, 0, 0, 0, 0xffff0ff0 | 0, 0x400 | control];
  const STORE = [0xa3, 0x00, 0xb0, 0, 0];
  const LOAD = [0xa1, 0x00, 0xb0, 0, 0];
  const WRITES = 0x000d0001;
  const ACCESSES = 0x000f0001;
  test('on execution comes before the instruction, unless RF is set', () => {
    expect(stepped([NOP], { dr: dr(1, AT.code) })).toMatchObject({ came: true, dr6: 1 });
    expect(stepped([NOP], { dr: dr(1, AT.code), flags: RF })).toMatchObject({ came: false });
  });
  test('on writes comes after a write alone', () => {
    expect(stepped(STORE, { dr: dr(WRITES) })).toMatchObject({ came: true, dr6: 1 });
    expect(stepped(LOAD, { dr: dr(WRITES) })).toMatchObject({ came: false });
  });
  test('on accesses comes after both, and for bytes that overlap', () => {
    expect(stepped(LOAD, { dr: dr(ACCESSES, AT.data + 4) })).toMatchObject({ came: false });
    expect(stepped([0xa1, 0x01, 0xb0, 0, 0], { dr: dr(ACCESSES, AT.data + 4) })).toMatchObject({ came: true });
  });
  test('on ports needs CR4.DE', () => {
    const OUT = [0xe6, 0x80];
    expect(stepped(OUT, { dr: dr(0x20001, 0x80), cr4: 8 })).toMatchObject({ came: true, dr6: 1 });
    expect(stepped(OUT, { dr: dr(0x20001, 0x80) })).toMatchObject({ came: false });
  });
  test('that is not enabled never comes', () => expect(stepped(STORE, { dr: dr(0xd0000) })).toMatchObject({ came: false }));
});

describe('debug registers', () => {
  const FROM_DR7 = [0x0f, 0x21, 0xf8];
  const TO_DR4 = [0x0f, 0x23, 0xe0];
  test('general detect guards them, and its handler is free of it', () => {
    const { machine, events } = take(bareSample(FROM_DR7, { ...HANDLED, dr: [0, 0, 0, 0, 0xffff0ff0 | 0, 0x2400] }));
    expect(events).toMatchObject([{ vector: 1 }]);
    expect([machine.cpu.system.dr[4].lo & 0xe00f, machine.cpu.system.dr[5].lo]).toEqual([0x2000, 0x400]);
  });
  test('keep their fixed bits', () => {
    const { machine } = take(bareSample([0x0f, 0x23, 0xf8], { regs: { 0: 0xffffffffn } }));
    expect(machine.cpu.system.dr[5].lo | 0).toBe(0xffff27ff | 0);
  });
  test('DR4 is DR6, and #UD with CR4.DE', () => {
    expect(take(bareSample(TO_DR4, { regs: { 0: 0n } })).machine.cpu.system.dr[4].lo | 0).toBe(0xffff0ff0 | 0);
    expect(faultOf(bareSample(TO_DR4, { cr4: 8 }))).toMatchObject({ vector: 6 });
  });
  test('refuse high bits', () => {
    expect(faultOf(bareSample([0x0f, 0x23, 0xf8], { mode: '64', regs: { 0: 0x100000000n } }))).toEqual({ vector: 13, error: 0 });
  });
});
