/** Instructions outside 64-bit mode: addresses, stacks, branches, what 64-bit mode does not have. */
import { describe, expect, test } from 'vitest';
import { DATA, STACK_END } from './fixture.ts';
import { CS, DS, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, SS_REG } from './interface.ts';
import { CPL, SYSTEM } from './layout.ts';
import { legacyFixture, STACK_BASE16, setSegment } from './legacy_fixture.ts';
import { BIG, RING3_DATA, USABLE } from './segment_rights.ts';

const u32 = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >>> 24) & 255];
const D = Number(DATA);
const top = BigInt(STACK_BASE16 + 0x4000);
const gp = { kind: 'fault', retired: 1, vector: 13, error: 0, cr2: null };
const ss = { ...gp, vector: 12 };

describe('addresses', () => {
  test('32 bits: registers wrap at 4 GiB, upper halves mean nothing', () => {
    const { cpu, poke } = legacyFixture('compat32', [0x8b, 0x84, 0x8b, ...u32(-16)]);
    poke(DATA, [1, 2, 3, 4]);
    cpu.setGpr(RBX, 0xdead_0000_0000_0000n | DATA);
    cpu.setGpr(RCX, 4n);
    expect(cpu.run(1)).toEqual({ kind: 'limit', retired: 1 });
    expect(cpu.gpr(RAX)).toBe(0x04030201n);
  });
  test('16 bits: BX + SI cut, through DS; BP through SS; 67 makes them 32', () => {
    const f = legacyFixture('prot16', [0x8a, 0x00, 0x8a, 0x66, 0xfe, 0x67, 0x8a, 0x0d, ...u32(D + 2)]);
    const { cpu } = f;
    f.poke(DATA, [7, 8, 9]);
    f.poke(top - 2n, [5]);
    setSegment(f, DS, { base: D, limit: 0xffff });
    cpu.refresh();
    cpu.setGpr(RBX, 0xffffn);
    cpu.setGpr(RSI, 0x10002n);
    cpu.setGpr(RBP, 0x4000n);
    cpu.run(2);
    expect(cpu.gpr(RAX)).toBe(0x0508n);
    setSegment(f, DS, { base: 0, limit: -1 });
    cpu.refresh();
    cpu.run(1);
    expect(cpu.gpr(RCX)).toBe(9n);
  });
  test('limits, expand-down segments, rights', () => {
    const load = [0x8b, 0x03];
    const of = (ebx: number, segment: Parameters<typeof setSegment>[2]) => {
      const f = legacyFixture('compat32', load);
      setSegment(f, DS, segment);
      f.cpu.refresh();
      f.cpu.setGpr(RBX, BigInt(ebx));
      return f.cpu.run(1).kind;
    };
    expect(of(D, { limit: D + 3 })).toBe('limit');
    expect(of(D, { limit: D + 2 })).toBe('fault');
    expect(of(0x10, { base: D - 0x10, limit: 0xf, rights: RING3_DATA | 4 })).toBe('limit');
    expect(of(0x10, { base: D - 0x10, limit: 0x10, rights: RING3_DATA | 4 })).toBe('fault');
    expect(of(0xffff, { base: D, limit: 0xf, rights: (RING3_DATA | 4) & ~BIG })).toBe('fault');
    expect(of(D, { rights: RING3_DATA & ~USABLE })).toBe('fault');
  });
  test('writes need a writable segment; SS says so with #SS', () => {
    const f = legacyFixture('compat32', [0x89, 0x03, 0x89, 0x45, 0x00]);
    setSegment(f, DS, { rights: RING3_DATA & ~2 });
    setSegment(f, SS_REG, { limit: 0x1000 });
    f.cpu.refresh();
    f.cpu.setGpr(RBX, DATA);
    f.cpu.setGpr(RBP, DATA);
    expect(f.cpu.run(1)).toEqual(gp);
    f.cpu.rip += 2n;
    expect(f.cpu.run(1)).toEqual(ss);
  });
});

describe('the code segment', () => {
  test('fetching beyond the limit faults, whether decoded already or not', () => {
    const f = legacyFixture('prot16', [0x40, 0x40, 0xb8, 0x34, 0x12]);
    setSegment(f, CS, { limit: 3 });
    f.cpu.refresh();
    expect(f.cpu.run(10)).toEqual({ ...gp, retired: 3 });
    expect(f.cpu.ip).toBe(2);
    setSegment(f, CS, { limit: 4 });
    f.cpu.refresh();
    expect(f.cpu.run(1)).toEqual({ kind: 'limit', retired: 1 });
    f.cpu.ip = 2;
    setSegment(f, CS, { limit: 3 });
    f.cpu.refresh();
    expect(f.cpu.run(1)).toEqual(gp);
  });
  test('branches beyond the limit fault themselves; 16-bit targets wrap', () => {
    const f = legacyFixture('prot16', [0xeb, 0x20, 0xe9, 0xff, 0xff, 0x66, 0xe9, ...u32(0x10000)]);
    setSegment(f, CS, { limit: 0x20 });
    f.cpu.refresh();
    expect(f.cpu.run(1)).toEqual(gp);
    expect(f.cpu.ip).toBe(0);
    f.cpu.ip = 2;
    f.cpu.run(1);
    expect(f.cpu.ip).toBe(4);
    f.cpu.ip = 5;
    expect(f.cpu.run(1)).toEqual(gp);
  });
  test('over a page boundary, into one that is only partly inside', () => {
    const nops = new Array(4094).fill(0x90);
    const f = legacyFixture('prot16', [...nops, 0xb8, 1, 2, 0x40, 0x40]);
    setSegment(f, CS, { limit: 4097 });
    f.cpu.refresh();
    expect(f.cpu.run(5000)).toEqual({ ...gp, retired: 4097 });
    expect(f.cpu.ip).toBe(4098);
    expect(f.cpu.gpr(RAX)).toBe(0x202n);
  });
  test('CALL and RET push and pop offsets; RET drops', () => {
    const f = legacyFixture('prot16', [0xe8, 1, 0, 0x90, 0xc2, 2, 0]);
    f.cpu.run(1);
    expect([f.cpu.ip, f.cpu.gpr(RSP)]).toEqual([4, 0x3ffen]);
    expect(f.memory.read16(f.maddr(top - 2n))).toBe(3);
    f.cpu.run(1);
    expect([f.cpu.ip, f.cpu.gpr(RSP)]).toEqual([3, 0x4002n]);
  });
  test('LOOP and JCXZ count by the address size', () => {
    const f = legacyFixture('compat32', [0x67, 0xe2, 0xfd, 0x67, 0xe3, 0x7f]);
    f.cpu.setGpr(RCX, 0x50003n);
    expect(f.cpu.run(3)).toEqual({ kind: 'limit', retired: 3 });
    expect(f.cpu.gpr(RCX)).toBe(0x50000n);
    f.cpu.run(1);
    expect(f.cpu.ip).toBe(0x400085);
  });
});

describe('the stack', () => {
  test('SP wraps at 64 KiB and leaves the rest of ESP alone', () => {
    const f = legacyFixture('prot16', [0x50, 0x66, 0x58]);
    f.cpu.setGpr(RSP, 0x7_0000n);
    setSegment(f, SS_REG, { base: Number(STACK_END) - 0x10000 });
    f.cpu.refresh();
    f.cpu.setGpr(RAX, 0xabcdn);
    f.cpu.run(1);
    expect(f.cpu.gpr(RSP)).toBe(0x7_fffen);
    expect(f.cpu.run(1)).toEqual(ss);
  });
  test('PUSHA and POPA', () => {
    const f = legacyFixture('compat32', [0x60, 0x61]);
    for (let r = 0; r < 8; r++) if (r !== 4) f.cpu.setGpr(r, BigInt(0x1000 + r));
    f.cpu.run(1);
    expect(f.cpu.gpr(RSP)).toBe(STACK_END - 32n);
    expect(f.memory.read32(f.maddr(STACK_END - 20n))).toBe(Number(STACK_END));
    for (let r = 0; r < 8; r++) if (r !== 4) f.cpu.setGpr(r, 0n);
    f.cpu.run(1);
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((r) => f.cpu.gpr(r))).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((r) => (r === 4 ? STACK_END : BigInt(0x1000 + r))),
    );
  });
  test('ENTER and LEAVE by the width of the stack', () => {
    const f = legacyFixture('prot16', [0xc8, 4, 0, 1, 0xc9]);
    f.cpu.setGpr(RBP, 0xffff_1234n);
    f.cpu.run(1);
    expect([f.cpu.gpr(RBP), f.cpu.gpr(RSP)]).toEqual([0xffff_3ffen, 0x3ff8n]);
    f.cpu.run(1);
    expect([f.cpu.gpr(RBP), f.cpu.gpr(RSP)]).toEqual([0xffff_1234n, 0x4000n]);
  });
  test('POPF: IOPL and privilege; virtual-8086 code needs IOPL 3', () => {
    const popf = (mode: 'v86' | 'prot16' | 'real', cpl: number, flags: bigint) => {
      const f = legacyFixture(mode, [0x9d]);
      f.poke(top - 2n, [0xff, 0x7e]);
      f.cpu.setGpr(RSP, 0x3ffen);
      f.cpu.rflags |= flags;
      f.cpu.s[CPL] = cpl;
      const exit = f.cpu.run(1);
      return exit.kind === 'fault' ? exit.vector : f.cpu.s[SYSTEM] & 0xf200;
    };
    expect(popf('prot16', 3, 0n)).toBe(0x4200);
    expect(popf('prot16', 3, 0x3000n)).toBe(0x7200);
    expect(popf('real', 0, 0n)).toBe(0x7200);
    expect(popf('v86', 3, 0n)).toBe(13);
  });
});

describe('what 64-bit mode has not', () => {
  const run = (bytes: number[], registers: Readonly<Record<number, bigint>>, flags = 2n) => {
    const f = legacyFixture('compat32', bytes);
    for (const [r, value] of Object.entries(registers)) f.cpu.setGpr(Number(r), value);
    f.cpu.rflags = flags;
    return { f, exit: f.cpu.run(1) };
  };
  test('decimal adjustments', () => {
    const al = (opcode: number[], eax: bigint, flags = 2n) => {
      const { cpu } = run(opcode, { [RAX]: eax }, flags).f;
      return [cpu.gpr(RAX), cpu.rflags & 0x8d5n];
    };
    expect(al([0x27], 0x9an)).toEqual([0n, 0x55n]);
    expect(al([0x2f], 0x05n, 0x12n)).toEqual([0xffn, 0x95n]);
    expect(al([0x37], 0x0an)).toEqual([0x100n, 0x11n]);
    expect(al([0x3f], 0x0an)).toEqual([0xff04n, 0x11n]);
    expect(al([0xd4, 10], 0x4dn)).toEqual([0x707n, 0n]);
    expect(al([0xd5, 10], 0x0707n)).toEqual([0x4dn, 4n]);
    expect(run([0xd4, 0], {}).exit).toMatchObject({ kind: 'fault', vector: 0 });
  });
  test('BOUND, INTO, SALC, INC by one byte', () => {
    const bounds = (index: bigint) => {
      const f = legacyFixture('compat32', [0x62, 0x03]);
      f.poke(DATA, [...u32(-5), ...u32(5)]);
      f.cpu.setGpr(RBX, DATA);
      f.cpu.setGpr(RAX, index);
      return f.cpu.run(1);
    };
    expect(bounds(5n).kind).toBe('limit');
    expect(bounds(6n)).toMatchObject({ kind: 'fault', vector: 5, error: null });
    expect(run([0xce], {}, 0x802n).exit).toEqual({ kind: 'int', retired: 1, vector: 4 });
    expect(run([0xce], {}).exit.kind).toBe('limit');
    expect(run([0xd6], { [RAX]: 0x1200n }, 3n).f.cpu.gpr(RAX)).toBe(0x12ffn);
    expect(run([0x42], { [RDX]: 0xffff_ffff_ffff_ffffn }).f.cpu.gpr(RDX)).toBe(0n);
  });
  test('strings with 16-bit addresses', () => {
    const f = legacyFixture('prot16', [0xf3, 0xa4]);
    setSegment(f, DS, { base: D });
    setSegment(f, 0, { base: D });
    f.cpu.refresh();
    f.poke(DATA, [1, 2, 3, 4]);
    f.cpu.setGpr(RSI, 0xa_0000n);
    f.cpu.setGpr(RDI, 0xb_0100n);
    f.cpu.setGpr(RCX, 0xc_0004n);
    expect(f.cpu.run(4).kind).toBe('limit');
    expect([RSI, RDI, RCX].map((r) => f.cpu.gpr(r))).toEqual([0xa_0004n, 0xb_0104n, 0xc_0000n]);
    expect([...f.memory.readBytes(f.maddr(DATA + 0x100n), 4)]).toEqual([1, 2, 3, 4]);
    expect(f.cpu.ip).toBe(2);
  });
  test('misaligned accesses fault once asked to', () => {
    const f = legacyFixture('compat32', [0x8b, 0x03]);
    f.cpu.setGpr(RBX, DATA + 2n);
    f.cpu.rflags |= 0x40000n;
    expect(f.cpu.run(1)).toMatchObject({ kind: 'fault', vector: 17, error: 0 });
  });
});
