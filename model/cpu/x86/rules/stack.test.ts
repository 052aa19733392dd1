import { describe, expect, it } from 'vitest';
import { read } from '../../../memory/access.ts';
import { toBigInt, toNumber } from '../../../word/word.ts';
import { AC, CF, DF, ID, IF, NT, RF, TF, ZF } from '../flags.ts';
import { frameOf, PLACE, type Setting, sample, tryOne } from '../sample.ts';
import { RBP, RSP } from '../state.ts';

const TOP = PLACE.stack + 0x800;
/** The state after one instruction, with a way to look at memory. */
const run = (code: number[], setting: Setting = {}) => {
  const { cpu, memory, kind } = tryOne(sample(code, setting));
  const reg = (n: number): bigint => toBigInt(cpu.regs[n]);
  return {
    kind,
    cpu,
    reg,
    rip: toNumber(cpu.rip),
    at: (address: number): bigint => toBigInt(read(memory, frameOf(address), address % 4096, 8)),
  };
};
const stackBytes = (...words: bigint[]): Record<number, number[]> => ({
  [TOP]: words.flatMap((w) => Array.from({ length: 8 }, (_, i) => Number((w >> BigInt(8 * i)) & 0xffn))),
});

describe('PUSH and POP', () => {
  it('move 64 bits, or 16 under a 66 prefix', () => {
    const pushed = run([0x50], { regs: { 0: 0x1122_3344_5566_7788n } });
    expect([pushed.reg(RSP), pushed.at(TOP - 8)]).toEqual([BigInt(TOP - 8), 0x1122_3344_5566_7788n]);
    const short = run([0x66, 0x50], { regs: { 0: 0x1122n } });
    expect([short.reg(RSP), short.at(TOP - 8)]).toEqual([BigInt(TOP - 2), 0x1122n << 48n]);
    const popped = run([0x41, 0x58], { bytes: stackBytes(99n) }); // pop r8
    expect([popped.reg(RSP), popped.reg(8)]).toEqual([BigInt(TOP + 8), 99n]);
  });

  it('sign-extend immediates', () => {
    expect(run([0x6a, 0xff]).at(TOP - 8)).toBe((1n << 64n) - 1n);
    expect(run([0x68, 0, 0, 0, 0x80]).at(TOP - 8)).toBe(0xffff_ffff_8000_0000n);
  });

  it('PUSH RSP stores the old RSP, POP RSP keeps what it popped', () => {
    expect(run([0x54]).at(TOP - 8)).toBe(BigInt(TOP));
    expect(run([0x5c], { bytes: stackBytes(77n) }).reg(RSP)).toBe(77n);
  });

  it('POP to memory counts RSP as already raised', () => {
    expect(run([0x8f, 0x04, 0x24], { bytes: stackBytes(5n, 6n) }).at(TOP + 8)).toBe(5n); // pop [rsp]
  });

  it('a POP whose destination faults leaves RSP alone', () => {
    const faulted = run([0x8f, 0x03], { regs: { 3: BigInt(PLACE.readOnly) } });
    expect([faulted.kind, faulted.reg(RSP)]).toEqual(['fault', BigInt(TOP)]);
  });
});

describe('flags on the stack', () => {
  it('PUSHF shows all but RF', () => {
    expect(run([0x9c], { flags: CF | DF | NT | AC | ID | RF }).at(TOP - 8)).toBe(BigInt(0x202 | CF | DF | NT | AC | ID));
  });

  it('POPF changes what ring 3 may change: not IF, not IOPL', () => {
    const popped = (value: bigint, code = [0x9d]): number => run(code, { bytes: stackBytes(value) }).cpu.flags;
    expect(popped(BigInt(CF | ZF | DF | TF | NT | AC | ID))).toBe(CF | ZF | DF | TF | NT | AC | ID | IF | 2);
    expect(popped(0x3000n | BigInt(RF))).toBe(IF | 2);
    expect(popped(0xffff_ffffn, [0x66, 0x9d]) & (AC | ID)).toBe(0);
  });
});

describe('frames', () => {
  it('ENTER and LEAVE', () => {
    const entered = run([0xc8, 0x20, 0, 0], { regs: { [RSP]: BigInt(TOP), [RBP]: 0x55n } });
    expect([entered.reg(RBP), entered.reg(RSP), entered.at(TOP - 8)]).toEqual([BigInt(TOP - 8), BigInt(TOP - 8 - 0x20), 0x55n]);
    const left = run([0xc9], { regs: { [RSP]: 1n, [RBP]: BigInt(TOP) }, bytes: stackBytes(0x66n) });
    expect([left.reg(RBP), left.reg(RSP)]).toEqual([0x66n, BigInt(TOP + 8)]);
  });

  it('ENTER with nesting copies the outer frames', () => {
    const outer = PLACE.stack + 0xc00;
    const bytes = { [outer - 8]: [0xaa], [outer - 16]: [0xbb] };
    const entered = run([0xc8, 0x10, 0, 3], { regs: { [RSP]: BigInt(TOP), [RBP]: BigInt(outer) }, bytes });
    const frame = TOP - 8;
    expect([entered.at(frame), entered.at(frame - 8), entered.at(frame - 16), entered.at(frame - 24)]).toEqual([
      BigInt(outer),
      0xaan,
      0xbbn,
      BigInt(frame),
    ]);
    expect([entered.reg(RBP), entered.reg(RSP)]).toEqual([BigInt(frame), BigInt(frame - 24 - 16)]);
  });

  it('ENTER faults as a whole when its lowest place cannot be written', () => {
    const regs = { [RSP]: BigInt(PLACE.absent + 0x1000 + 8), [RBP]: 5n };
    expect(run([0xc8, 0x20, 0, 0], { regs }).kind).toBe('fault');
  });
});

describe('calls', () => {
  it('push the way back, and RET takes it', () => {
    const called = run([0xe8, 0x10, 0, 0, 0]);
    expect([called.rip, called.at(TOP - 8)]).toEqual([PLACE.code + 21, BigInt(PLACE.code + 5)]);
    const returned = run([0xc2, 0x10, 0], { bytes: stackBytes(0x1234n) });
    expect([returned.rip, returned.reg(RSP)]).toEqual([0x1234, BigInt(TOP + 8 + 16)]);
  });

  it('through RSP read their target before they push', () => {
    expect(run([0xff, 0x14, 0x24], { bytes: stackBytes(0x4321n) }).rip).toBe(0x4321);
  });

  it('to an address that does not exist do nothing', () => {
    const called = run([0xff, 0xd0], { regs: { 0: 1n << 50n, [RSP]: BigInt(TOP) } });
    expect([called.kind, called.rip, called.reg(RSP)]).toEqual(['fault', PLACE.code, BigInt(TOP)]);
  });
});

describe('loops', () => {
  const landing = PLACE.code + 2 + 0x10;
  it('LOOP counts RCX down, under a 67 prefix ECX', () => {
    const again = run([0xe2, 0x10], { regs: { 1: 2n } });
    expect([again.rip, again.reg(1)]).toEqual([landing, 1n]);
    expect(run([0xe2, 0x10], { regs: { 1: 1n } }).rip).toBe(PLACE.code + 2);
    expect(run([0x67, 0xe2, 0x10], { regs: { 1: 0x1_0000_0001n } }).reg(1)).toBe(0n);
  });

  it('LOOPE and LOOPNE ask ZF too, JRCXZ only the counter', () => {
    expect(run([0xe1, 0x10], { regs: { 1: 2n }, flags: ZF }).rip).toBe(landing);
    expect(run([0xe0, 0x10], { regs: { 1: 2n }, flags: ZF }).rip).toBe(PLACE.code + 2);
    expect(run([0xe3, 0x10]).rip).toBe(landing);
    expect(run([0x67, 0xe3, 0x10], { regs: { 1: 1n << 32n } }).rip).toBe(landing + 1);
  });
});
