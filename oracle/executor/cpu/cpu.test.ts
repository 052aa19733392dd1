/** Steps, ends of a run, and the instructions that belong to the system. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CODE, DATA, fixture, STACK_END } from './fixture.ts';
import { R11, RAX, RBX, RCX, RDI, RDX, RSI, RSP } from './interface.ts';

const fault = (vector: number, error: number | null, retired = 1) => ({ kind: 'fault', retired, vector, error, cr2: null });

describe('counting', () => {
  /** MOV ECX,200; L: ADD RAX,RCX; PUSH RAX; POP RDX; XOR [DATA],DL; DEC ECX; JNE L; REP STOSB; INT3 */
  const loop = [
    0xb9, 200, 0, 0, 0, 0x48, 0x01, 0xc8, 0x50, 0x5a, 0x30, 0x14, 0x25, 0, 0, 0x50, 0, 0xff, 0xc9, 0x75, 0xf0, 0xb1, 50, 0xbf, 0, 0, 0x50,
    0, 0xf3, 0xaa, 0xcc,
  ];
  const total = 1 + 200 * 6 + 2 + 50 + 1;

  test('a REP iteration is a step', () => {
    expect(fixture(loop).cpu.run(5000)).toEqual({ kind: 'int', retired: total, vector: 3 });
  });

  test('stopping anywhere and going on changes nothing', () => {
    const whole = fixture(loop);
    whole.cpu.run(total);
    const state = (f: typeof whole) => [...Array.from({ length: 16 }, (_, r) => f.cpu.gpr(r)), f.cpu.rip, f.cpu.rflags, f.memory.digest()];
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 8 }), fc.boolean(), (slices, digests) => {
        const f = fixture(loop);
        let left = total;
        for (const steps of [...slices, total]) {
          const part = Math.min(steps, left);
          if (part === 0) break;
          const exit = f.cpu.run(part);
          left -= part;
          expect(exit).toEqual(left === 0 ? { kind: 'int', retired: part, vector: 3 } : { kind: 'limit', retired: part });
          if (digests) f.memory.digest();
        }
        expect(state(f)).toEqual(state(whole));
      }),
      { numRuns: 100 },
    );
  });

  test('a repetition of none is one step, and one that ends by its condition counts what it did', () => {
    const none = fixture([0xf3, 0xa4, 0xcc]);
    none.cpu.setGpr(RSI, 0x1234n); // not mapped, and not touched
    expect(none.cpu.run(10)).toEqual({ kind: 'int', retired: 2, vector: 3 });
    const scan = fixture([0xf2, 0xae, 0xcc]); // REPNE SCASB
    scan.poke(DATA, [1, 2, 3, 0, 5]);
    scan.cpu.setGpr(RDI, DATA);
    scan.cpu.setGpr(RCX, 100n);
    expect(scan.cpu.run(50)).toEqual({ kind: 'int', retired: 5, vector: 3 });
    expect([scan.cpu.gpr(RDI), scan.cpu.gpr(RCX)]).toEqual([DATA + 4n, 96n]);
  });

  test('RDTSC counts the steps before it', () => {
    const { cpu } = fixture([0x90, 0x90, 0x0f, 0x31, 0x89, 0xc3, 0x0f, 0x31]);
    cpu.tsc = 0x1_0000_0000n;
    cpu.run(3);
    expect([cpu.gpr(RAX), cpu.gpr(RDX)]).toEqual([2n, 1n]);
    cpu.tsc = 7n;
    expect(cpu.run(2)).toEqual({ kind: 'limit', retired: 2 });
    expect([cpu.gpr(RAX), cpu.gpr(RBX)]).toEqual([8n, 2n]);
  });
});

describe('ways into Xen', () => {
  test('SYSCALL', () => {
    const { cpu } = fixture([0x0f, 0x05]);
    expect(cpu.run(9)).toEqual({ kind: 'syscall', retired: 1, served: false });
    expect([cpu.rip, cpu.gpr(RCX), cpu.gpr(R11)]).toEqual([CODE + 2n, CODE + 2n, 0x202n]);
  });
  test('software interrupts through the three open gates; the others name themselves', () => {
    for (const vector of [3, 4, 0x80]) expect(fixture([0xcd, vector]).cpu.run(9)).toEqual({ kind: 'int', retired: 1, vector });
    for (const vector of [0, 1, 0x20, 0x82, 0xff]) {
      const { cpu } = fixture([0xcd, vector]);
      expect(cpu.run(9)).toEqual(fault(13, vector * 8 + 2));
      expect(cpu.rip).toBe(CODE);
    }
  });
  test('privileged instructions', () => {
    for (const code of [[0xfa], [0xf4], [0xec], [0xf3, 0x6e], [0x0f, 0x20, 0xd8], [0x0f, 0x01, 0x3b], [0x0f, 0x32]])
      expect(fixture(code).cpu.run(1)).toEqual(fault(13, 0));
  });
  test('undefined and unknown opcodes', () => {
    expect(fixture([0x0f, 0x0b]).cpu.run(1)).toEqual(fault(6, null));
    expect(fixture([0x06]).cpu.run(1)).toEqual(fault(6, null));
    expect(fixture([0x0f, 0x01, 0xc8]).cpu.run(1), 'monitor').toEqual(fault(6, null));
    const { cpu } = fixture([0x90, 0x8f, 0xc8]);
    expect(() => cpu.run(5)).toThrow('not modelled: instruction/8f');
    expect(cpu.rip).toBe(CODE + 1n);
  });
});

describe('prefixes', () => {
  test('fifteen bytes are the most', () => {
    expect(fixture([...Array(14).fill(0x66), 0x90]).cpu.run(1).kind).toBe('limit');
    expect(fixture([...Array(15).fill(0x66), 0x90]).cpu.run(1)).toEqual(fault(13, 0));
  });
  test('LOCK needs a memory destination of an instruction that allows it', () => {
    const run = (code: number[]) => {
      const { cpu } = fixture(code);
      cpu.setGpr(RBX, DATA);
      return cpu.run(1);
    };
    expect(run([0xf0, 0x01, 0x03]).kind).toBe('limit');
    for (const code of [
      [0xf0, 0x01, 0xc3],
      [0xf0, 0x03, 0x03],
      [0xf0, 0x39, 0x03],
      [0xf0, 0x90],
      [0xf0, 0x89, 0x03],
    ])
      expect(run(code)).toEqual(fault(6, null));
  });
  test('REX counts only right before the opcode', () => {
    const { cpu } = fixture([0x48, 0x66, 0xb8, 0x34, 0x12]);
    cpu.setGpr(RAX, -1n);
    cpu.run(1);
    expect(cpu.gpr(RAX)).toBe(0xffffffffffff1234n);
  });
});

describe('flags', () => {
  test('POPF in ring 3 keeps IF and IOPL, and clears RF', () => {
    const { cpu, memory, maddr } = fixture([0x9d]);
    cpu.setGpr(RSP, DATA);
    memory.write64(maddr(DATA), 0x0000_0000_003f_7c57n);
    expect(cpu.run(1)).toEqual({ kind: 'limit', retired: 1 });
    expect(cpu.rflags).toBe(0x0024_4e57n);
  });
  test('single steps: after POPF that sets TF, from the next instruction on', () => {
    const { cpu } = fixture([0x9c, 0x80, 0x4c, 0x24, 1, 1, 0x9d, 0x90, 0x90]); // PUSHF; OR [RSP+1],1; POPF; NOP; NOP
    expect(cpu.run(10)).toEqual({ kind: 'trap', retired: 4, vector: 1 });
    expect(cpu.rip).toBe(CODE + 8n);
    expect(cpu.run(10)).toEqual({ kind: 'trap', retired: 1, vector: 1 });
  });
  test('loading SS holds the trap back for one instruction', () => {
    const { cpu } = fixture([0x8e, 0xd0, 0x90, 0x90]);
    cpu.setGpr(RAX, 0xe02bn);
    cpu.rflags = 0x302n;
    expect(cpu.run(10)).toEqual({ kind: 'trap', retired: 2, vector: 1 });
    expect(cpu.rip).toBe(CODE + 3n);
  });
  test('a faulting instruction does not trap', () => {
    const { cpu } = fixture([0x0f, 0x0b]);
    cpu.rflags = 0x302n;
    expect(cpu.run(10)).toEqual(fault(6, null));
  });
});

describe('segments', () => {
  const load = (reg: number, selector: number) => {
    const { cpu } = fixture([0x8e, 0xc0 | (reg << 3)]);
    cpu.setGpr(RAX, BigInt(selector));
    cpu.fsBase = 0x1000n;
    return { exit: cpu.run(1), cpu };
  };
  test("Xen's flat segments and null load, others fault by their selector", () => {
    for (const selector of [0, 3, 0xe02b, 0xe028, 0xe033, 0xe023]) expect(load(3, selector).exit.kind).toBe('limit');
    expect(load(3, 0xe010).exit).toEqual(fault(13, 0xe010));
    expect(load(3, 0x10).exit).toEqual(fault(13, 0x10));
    expect(load(3, 0xe047).exit).toEqual(fault(13, 0xe044));
    expect(load(2, 0).exit).toEqual(fault(13, 0));
    expect(load(2, 0xe028).exit).toEqual(fault(13, 0xe028));
    expect(load(1, 0xe033).exit).toEqual(fault(6, null));
  });
  test('FS takes its base from the descriptor', () => {
    const { cpu } = load(4, 0xe02b);
    expect([cpu.selector(4), cpu.fsBase]).toEqual([0xe02b, 0n]);
  });
  test('bases are added, and LEA leaves them out', () => {
    const f = fixture([0x64, 0x48, 0x8b, 0x04, 0x25, 8, 0, 0, 0, 0x64, 0x48, 0x8d, 0x1c, 0x25, 8, 0, 0, 0]);
    f.cpu.fsBase = DATA;
    f.poke(DATA + 8n, [0x77]);
    f.cpu.run(2);
    expect([f.cpu.gpr(RAX), f.cpu.gpr(RBX)]).toEqual([0x77n, 8n]);
  });
  test('IRETQ', () => {
    const f = fixture([0x48, 0xcf]);
    const frame = [CODE + 0x10n, 0xe033n, 0x8d7n, STACK_END - 8n, 0xe02bn];
    frame.forEach((value, i) => {
      f.memory.write64(f.maddr(DATA) + 8 * i, value);
    });
    f.cpu.setGpr(RSP, DATA);
    expect(f.cpu.run(1).kind).toBe('limit');
    expect([f.cpu.rip, f.cpu.rflags, f.cpu.gpr(RSP)]).toEqual([CODE + 0x10n, 0xad7n, STACK_END - 8n]);
  });
});
