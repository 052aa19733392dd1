/** Where processors of the two vendors differ, the CPU does as AMD's do: the findings F-036 to F-048. */
import { describe, expect, test } from 'vitest';
import { FLAT } from '#spec/abi/xen.ts';
import { CODE, DATA, fixture, STACK_END } from './fixture.ts';
import { RAX, RBP, RCX, RSP } from './interface.ts';

const ZF = 0x40n;
const faultOf = (exit: ReturnType<ReturnType<typeof fixture>['cpu']['run']>) =>
  exit.kind === 'fault' ? [exit.vector, exit.error] : exit.kind;
/** RSP far from the stack's ends. */
const TOP = STACK_END - 0x800n;

/** A machine with `code` at CODE and registers by number. */
const machine = (code: readonly number[], regs: Readonly<Record<number, bigint>> = {}) => {
  const made = fixture(code);
  made.cpu.setGpr(RSP, TOP);
  for (const [register, value] of Object.entries(regs)) made.cpu.setGpr(Number(register), value);
  return made;
};
const read64 = ({ memory, maddr }: ReturnType<typeof fixture>, address: bigint): bigint => memory.read64(maddr(address));
const bytes = (value: bigint, size: number): number[] => Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));

describe('near branches with 66', () => {
  test.each([
    ['jmp rel16', [0x66, 0xe9, 0x10, 0x00], 0x14n],
    ['jmp rel8', [0x66, 0xeb, 0x10], 0x13n],
    ['je, taken', [0x66, 0x74, 0x10], 0x13n],
    ['loop', [0x66, 0xe2, 0x10], 0x13n],
    ['jmp reg', [0x66, 0xff, 0xe0], 0x5678n],
  ])('%s keeps 16 bits of its target', (_, code, rip) => {
    const { cpu } = machine(code, { [RAX]: 0x12345678n, [RCX]: 5n });
    cpu.rflags = 2n | ZF;
    expect(cpu.run(1)).toEqual({ kind: 'limit', retired: 1 });
    expect(cpu.rip).toBe(rip);
  });

  test('not taken, or with REX.W, they are as ever', () => {
    const not = machine([0x66, 0x0f, 0x84, 0x10, 0x00]);
    not.cpu.run(1);
    expect(not.cpu.rip).toBe(CODE + 5n);
    const wide = machine([0x66, 0x48, 0xe9, 0x10, 0, 0, 0]);
    wide.cpu.run(1);
    expect(wide.cpu.rip).toBe(CODE + 0x17n);
  });

  test('CALL and RET move two bytes', () => {
    for (const code of [
      [0x66, 0xe8, 0x10, 0x00],
      [0x66, 0xff, 0xd0],
    ]) {
      const called = machine(code, { [RAX]: 0x14n });
      called.cpu.run(1);
      expect([called.cpu.rip, called.cpu.gpr(RSP)]).toEqual([0x14n, TOP - 2n]);
      expect(called.memory.read16(called.maddr(TOP - 2n))).toBe(code.length);
    }
    const returned = machine([0x66, 0xc2, 0x04, 0x00]);
    returned.poke(TOP, bytes(0x55662000n, 8));
    returned.cpu.run(1);
    expect([returned.cpu.rip, returned.cpu.gpr(RSP)]).toEqual([0x2000n, TOP + 6n]);
  });
});

test('a call to nowhere by a stack that cannot be written is a page fault', () => {
  const both = machine([0xff, 0xd0], { [RAX]: 1n << 60n, [RSP]: 0x1000n });
  expect(faultOf(both.cpu.run(1))).toEqual([14, 6]);
  const one = machine([0xff, 0xd0], { [RAX]: 1n << 60n });
  expect([faultOf(one.cpu.run(1)), read64(one, TOP - 8n)]).toEqual([[13, 0], 0n]);
});

describe('LOOPE and LOOPNE', () => {
  test.each([0xe0, 0xe1])('%i goes by F3 and F2', (opcode) => {
    for (const [prefix, flags, taken] of [
      [0xf3, ZF, true],
      [0xf3, 0n, false],
      [0xf2, ZF, false],
      [0xf2, 0n, true],
    ] as const) {
      const { cpu } = machine([prefix, opcode, 0x10], { [RCX]: 5n });
      cpu.rflags = 2n | flags;
      cpu.run(1);
      expect(cpu.rip).toBe(CODE + 3n + (taken ? 0x10n : 0n));
    }
  });
});

describe('offsets that FS is added to', () => {
  const offset = 1n << 47n;
  const run = (code: readonly number[], at: bigint) => {
    const made = machine(code, { [RAX]: at, 6: at });
    made.cpu.fsBase = BigInt.asUintN(64, DATA + 16n - at);
    return faultOf(made.cpu.run(1));
  };

  test('must be canonical from the first byte to the last', () => {
    const load = [0x64, 0x48, 0x8b, 0x00];
    expect([run(load, offset), run(load, offset - 4n), run(load, offset - 8n)]).toEqual([[13, 0], [13, 0], 'limit']);
    expect([run([0x64, 0xac], offset), run([0x64, 0xac], offset - 1n)]).toEqual([[13, 0], 'limit']);
  });

  test('mean nothing to LEA', () => {
    expect(run([0x64, 0x48, 0x8d, 0x00], offset)).toBe('limit');
  });

  test('leave RSP alone when POP to memory finds them bad', () => {
    const made = machine([0x64, 0x8f, 0x00], { [RAX]: offset });
    expect([faultOf(made.cpu.run(1)), made.cpu.gpr(RSP)]).toEqual([[13, 0], TOP]);
  });
});

test('control and debug registers that do not exist are undefined, others privileged', () => {
  const vector = (...code: number[]) => (faultOf(machine(code).cpu.run(1)) as number[])[0];
  expect([0, 1, 2, 3, 4, 5, 6, 7].map((n) => vector(0x0f, 0x20, 0xc0 | (n << 3)))).toEqual([13, 6, 13, 13, 13, 6, 6, 6]);
  expect([
    vector(0x44, 0x0f, 0x22, 0xc0),
    vector(0x44, 0x0f, 0x22, 0xc8),
    vector(0x0f, 0x23, 0xf8),
    vector(0x44, 0x0f, 0x23, 0xc0),
  ]).toEqual([13, 6, 13, 6]);
});

describe('far transfers', () => {
  const withPointer = (code: readonly number[], regs: Readonly<Record<number, bigint>> = {}) => {
    const made = machine(code, { [RAX]: DATA, ...regs });
    made.poke(DATA, [...bytes(CODE + 0x20n, 4), ...bytes(BigInt(FLAT.RING3_CS64), 2)]);
    return made;
  };

  test('read 32 bits under REX.W too, and push 64', () => {
    const jumped = withPointer([0x48, 0xff, 0x28]);
    jumped.cpu.run(1);
    expect(jumped.cpu.rip).toBe(CODE + 0x20n);
    const called = withPointer([0x48, 0xff, 0x18]);
    called.cpu.run(1);
    expect([called.cpu.rip, read64(called, TOP - 8n), read64(called, TOP - 16n)]).toEqual([
      CODE + 0x20n,
      BigInt(FLAT.RING3_CS64),
      CODE + 3n,
    ]);
  });

  test('CALL leaves CS on the stack when the address cannot be pushed', () => {
    const made = withPointer([0xff, 0x18], { [RSP]: DATA + 4n });
    expect([faultOf(made.cpu.run(1)), made.memory.read32(made.maddr(DATA)), made.cpu.gpr(RSP)]).toEqual([
      [14, 6],
      FLAT.RING3_CS64,
      DATA + 4n,
    ]);
  });

  test('RET looks at the outer stack before it refuses another ring', () => {
    const refused = machine([0x48, 0xcb]);
    refused.poke(TOP, [...bytes(CODE, 8), ...bytes(0xe030n, 8)]);
    expect(faultOf(refused.cpu.run(1))).toEqual([13, 0xe030]);
    const end = machine([0x48, 0xcb], { [RSP]: STACK_END - 16n });
    end.poke(STACK_END - 16n, [...bytes(CODE, 8), ...bytes(0xe030n, 8)]);
    expect(faultOf(end.cpu.run(1))).toEqual([14, 4]);
  });
});

test('ENTER leaves what it pushed before a fault', () => {
  const made = machine([0xc8, 0, 0, 1], { [RSP]: DATA + 8n, [RBP]: 0x1122n });
  expect([faultOf(made.cpu.run(1)), read64(made, DATA), made.cpu.gpr(RSP), made.cpu.gpr(RBP)]).toEqual([
    [14, 6],
    0x1122n,
    DATA + 8n,
    0x1122n,
  ]);
});

describe('prefixes that select nothing', () => {
  test.each([
    ['lfence', [0x0f, 0xae, 0xe8]],
    ['movnti', [0x0f, 0xc3, 0x00]],
    ['xsetbv', [0x0f, 0x01, 0xd1]],
  ])('make %s undefined', (_, code) => {
    for (const prefix of [0x66, 0xf2, 0xf3]) expect(faultOf(machine([prefix, ...code], { [RAX]: DATA }).cpu.run(1))).toEqual([6, null]);
  });

  test('F3 90 is an exchange with REX.B', () => {
    const { cpu } = machine([0xf3, 0x41, 0x90], { [RAX]: 1n, 8: 2n });
    cpu.run(1);
    expect([cpu.gpr(RAX), cpu.gpr(8)]).toEqual([2n, 1n]);
  });

  test('MOVSXD to 16 bits reads 32', () => {
    const last = machine([0x66, 0x63, 0x00], { [RAX]: STACK_END - 2n });
    expect(faultOf(last.cpu.run(1))).toEqual([14, 4]);
  });
});
