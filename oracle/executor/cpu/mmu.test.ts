/** What instructions see of memory: page-crossing accesses, precise faults, changed tables, changed code. */
import { describe, expect, test } from 'vitest';
import { Cpu } from './cpu.ts';
import { CODE, DATA, fixture, NX, P, RW, STACK_END, US } from './fixture.ts';
import { R8, RAX, RBX, RCX, RDI, RSI, RSP } from './interface.ts';

const PAGE = 4096n;
const pageFault = (error: number, cr2: bigint, retired = 1) => ({ kind: 'fault', retired, vector: 14, error, cr2 });
const OTHER = 0x700000n;

/** MOV RAX,[RBX] and MOV [RBX],RAX. */
const LOAD = [0x48, 0x8b, 0x03];
const STORE = [0x48, 0x89, 0x03];

describe('accesses that span two pages', () => {
  /** The pages at DATA and behind it lie in frames that are not neighbours. */
  const scattered = (code: number[], secondFlags: bigint | null = P | RW | US) => {
    const f = fixture(code);
    f.frame();
    if (secondFlags === null) f.map(DATA + PAGE, 0, 0n);
    else f.map(DATA + PAGE, f.frame(), secondFlags);
    return f;
  };
  test('read and write', () => {
    const f = scattered([...LOAD, ...STORE, 0x48, 0x01, 0x03]);
    f.cpu.setGpr(RBX, DATA + PAGE - 3n);
    f.poke(DATA + PAGE - 3n, [1, 2, 3, 4, 5, 6, 7, 8]);
    f.cpu.run(1);
    expect(f.cpu.gpr(RAX)).toBe(0x0807060504030201n);
    f.cpu.setGpr(RAX, 0x1111111111111111n);
    f.cpu.run(2);
    expect(f.memory.read8(f.maddr(DATA + PAGE - 1n))).toBe(0x22);
    expect(f.memory.read8(f.maddr(DATA + PAGE))).toBe(0x22);
  });
  test('a fault in the second page names its first byte and leaves the first page alone', () => {
    const f = scattered(STORE, null);
    f.cpu.setGpr(RBX, DATA + PAGE - 3n);
    f.cpu.setGpr(RAX, -1n);
    expect(f.cpu.run(1)).toEqual(pageFault(6, DATA + PAGE));
    expect(f.memory.read8(f.maddr(DATA + PAGE - 1n))).toBe(0);
    expect(f.cpu.rip).toBe(CODE);
  });
  test('over the end of the lower half', () => {
    const { cpu } = scattered(LOAD);
    cpu.setGpr(RBX, 0x7ffffffffffcn);
    expect(cpu.run(1)).toMatchObject({ kind: 'fault', vector: 13, error: 0 });
  });
  test('a bad stack address is a stack fault', () => {
    for (const code of [[0x50], [0x58], [0xc3], [0x48, 0x8b, 0x45, 0]]) {
      const { cpu } = scattered(code);
      cpu.setGpr(RSP, 0x8000_0000_0000_0000n);
      cpu.setGpr(5, 0x8000_0000_0000_0000n);
      expect(cpu.run(1)).toMatchObject({ kind: 'fault', vector: 12, error: 0 });
    }
  });
});

describe('faults leave no trace', () => {
  test('PUSH, CALL and read-modify-write', () => {
    const cases = [[0x50], [0xe8, 0, 0, 0, 0], [0xff, 0x33], [0x48, 0x01, 0x03], [0x0f, 0xc1, 0x03], [0x87, 0x03]];
    for (const code of cases) {
      const { cpu } = fixture(code);
      cpu.setGpr(RSP, 0x1000n);
      cpu.setGpr(RBX, code[0] === 0xff ? DATA : 0x2000n);
      cpu.setGpr(RAX, 5n);
      const before = Array.from({ length: 16 }, (_, r) => cpu.gpr(r));
      const at = code[0] === 0x50 || code[0] === 0xe8 || code[0] === 0xff ? 0xff8n : 0x2000n;
      expect(cpu.run(1)).toEqual(pageFault(6, at));
      expect([Array.from({ length: 16 }, (_, r) => cpu.gpr(r)), cpu.rip, cpu.rflags]).toEqual([before, CODE, 0x202n]);
    }
  });
  test('a string move stops at the page that is not there, with its progress', () => {
    const f = fixture([0xf3, 0x48, 0xa5], 1);
    f.cpu.setGpr(RSI, DATA);
    f.cpu.setGpr(RDI, DATA + PAGE - 16n);
    f.cpu.setGpr(RCX, 5n);
    expect(f.cpu.run(10)).toEqual(pageFault(6, DATA + PAGE, 3));
    expect([f.cpu.gpr(RCX), f.cpu.gpr(RDI), f.cpu.rip]).toEqual([3n, DATA + PAGE, CODE]);
  });
  test('fetching from a page that forbids it', () => {
    const { cpu } = fixture([0xff, 0xe3]);
    cpu.setGpr(RBX, DATA + 5n);
    expect(cpu.run(5)).toEqual(pageFault(0x15, DATA + 5n, 2));
    expect(cpu.rip).toBe(DATA + 5n);
  });
  test('a jump to an address that is none', () => {
    const { cpu } = fixture([0xff, 0xe3]);
    cpu.setGpr(RBX, 0x800000000000n);
    expect(cpu.run(5)).toEqual({ kind: 'fault', retired: 1, vector: 13, error: 0, cr2: null });
    expect(cpu.rip).toBe(CODE);
  });
});

describe('tables that change', () => {
  test('between runs: the new frame, the lost right to write, the lost page', () => {
    const f = fixture([...LOAD, 0xeb, 0xfb]);
    f.cpu.setGpr(RBX, DATA);
    f.poke(DATA, [1]);
    f.cpu.run(2);
    expect(f.cpu.gpr(RAX)).toBe(1n);
    f.map(DATA, f.frame(), P | RW | US);
    f.poke(DATA, [2]);
    f.cpu.run(2);
    expect(f.cpu.gpr(RAX)).toBe(2n);
    f.memory.write64(f.entry(DATA), 0n);
    expect(f.cpu.run(2)).toEqual(pageFault(4, DATA));
  });
  test('by the guest itself, through a mapping of the table', () => {
    const f = fixture([...LOAD, 0x4c, 0x89, 0x06, ...LOAD]); // MOV RAX,[RBX]; MOV [RSI],R8; MOV RAX,[RBX]
    const other = f.frame();
    f.map(OTHER, f.entry(DATA) >> 12);
    f.memory.write8(other * 4096, 9);
    f.cpu.setGpr(RBX, DATA);
    f.cpu.setGpr(RSI, OTHER + BigInt(f.entry(DATA) & 0xfff));
    f.cpu.setGpr(R8, (BigInt(other) << 12n) | P | RW | US);
    f.cpu.run(3);
    expect(f.cpu.gpr(RAX)).toBe(9n);
  });
  test('accessed and dirty come back after they were cleared', () => {
    const f = fixture([...STORE, 0xeb, 0xfb]);
    f.cpu.setGpr(RBX, DATA);
    for (let i = 0; i < 2; i++) {
      f.cpu.run(2);
      expect(f.memory.read64(f.entry(DATA)) & 0x60n).toBe(0x60n);
      f.memory.write64(f.entry(DATA), f.memory.read64(f.entry(DATA)) & ~0x60n);
    }
  });
  test('a read does not make a page dirty, and a later write does', () => {
    const f = fixture([...LOAD, ...STORE]);
    f.cpu.setGpr(RBX, DATA);
    f.cpu.run(1);
    expect(f.memory.read64(f.entry(DATA)) & 0x60n).toBe(0x20n);
    f.cpu.run(1);
    expect(f.memory.read64(f.entry(DATA)) & 0x60n).toBe(0x60n);
  });
  test('another root, and back', () => {
    const f = fixture([...LOAD, 0xeb, 0xfb]);
    f.cpu.setGpr(RBX, DATA);
    f.poke(DATA, [1]);
    f.cpu.run(2);
    const root = f.frame();
    f.cpu.root = root;
    expect(f.cpu.run(1)).toEqual(pageFault(0x14, CODE));
    f.cpu.root = 1;
    f.cpu.setGpr(RAX, 0n);
    f.cpu.run(2);
    expect(f.cpu.gpr(RAX)).toBe(1n);
  });
});

describe('code that changes', () => {
  test('the very next instruction', () => {
    // MOV BYTE [RIP+1], 0x43 makes the INC EAX behind it INC EBX (C0 → C3 in its ModRM byte).
    const f = fixture([0xc6, 0x05, 1, 0, 0, 0, 0xc3, 0xff, 0xc0, 0xff, 0xc0]);
    f.map(CODE, f.maddr(CODE) >> 12, P | RW | US);
    f.cpu.run(3);
    expect([f.cpu.gpr(RAX), f.cpu.gpr(RBX)]).toEqual([1n, 1n]);
  });
  test('a loop that rewrites an instruction it has run many times', () => {
    // L: ADD EAX,1; DEC ECX; JNE L; MOV BYTE [L+2],7; MOV ECX,1; JMP L
    const f = fixture([0x83, 0xc0, 1, 0xff, 0xc9, 0x75, 0xf9, 0xc6, 0x04, 0x25, 2, 0, 0x40, 0, 7, 0xb9, 1, 0, 0, 0, 0xeb, 0xea]);
    f.cpu.setGpr(RCX, 100n);
    f.cpu.run(303);
    expect(f.cpu.gpr(RAX)).toBe(100n);
    f.cpu.run(1);
    expect(f.cpu.gpr(RAX)).toBe(107n);
  });
  test('data beside code costs nothing but time', () => {
    // L: ADD [RIP+4],ECX; LOOP L; INT3; four bytes of data
    const f = fixture([0x01, 0x0d, 4, 0, 0, 0, 0xe2, 0xf8, 0xcc, 0xcc, 0, 0, 0, 0]);
    f.cpu.setGpr(RCX, 10n);
    expect(f.cpu.run(100)).toEqual({ kind: 'int', retired: 21, vector: 3 });
    expect(f.memory.read32(f.maddr(CODE + 10n))).toBe(55);
  });
  test('by another CPU, by the hypervisor, and through another mapping', () => {
    const f = fixture([0xff, 0xc0, 0xeb, 0xfc]); // L: INC EAX; JMP L
    const second = new Cpu(f.memory, []);
    second.root = f.cpu.root;
    second.rip = CODE;
    f.cpu.run(4);
    second.run(4);
    f.memory.write8(f.maddr(CODE) + 1, 0xc3);
    f.cpu.run(4);
    second.run(4);
    expect([f.cpu.gpr(RAX), f.cpu.gpr(RBX), second.gpr(RBX)]).toEqual([2n, 2n, 2n]);
    f.poke(DATA, [0xc6, 0x04, 0x25, 1, 0, 0x70, 0, 0xc1]); // MOV BYTE [OTHER+1],0xC1
    f.map(DATA, f.maddr(DATA) >> 12, P | RW | US);
    f.map(OTHER, f.maddr(CODE) >> 12, P | RW | US | NX);
    second.rip = DATA;
    second.run(1);
    f.cpu.run(4);
    expect(f.cpu.gpr(RCX)).toBe(2n);
  });
});

describe('instructions that reach into the next page', () => {
  const split = (first: number) => {
    // MOV EAX, 0x44332211 with `first` bytes in the first page, then INT3.
    const code = new Uint8Array(2 * 4096);
    const instruction = [0xb8, 0x11, 0x22, 0x33, 0x44, 0xcc];
    code.set(instruction, 4096 - first);
    const f = fixture(code);
    f.cpu.rip = CODE + BigInt(4096 - first);
    return f;
  };
  test('run, follow a new mapping of the second page, and fault in it', () => {
    const f = split(2);
    const start = f.cpu.rip;
    expect(f.cpu.run(9)).toEqual({ kind: 'int', retired: 2, vector: 3 });
    expect(f.cpu.gpr(RAX)).toBe(0x44332211n);
    const other = f.frame();
    f.memory.writeBytes(other * 4096, Uint8Array.of(0xaa, 0xbb, 0xcc, 0xcc));
    f.map(CODE + PAGE, other);
    f.cpu.rip = start;
    f.cpu.run(1);
    expect(f.cpu.gpr(RAX)).toBe(0xccbbaa11n);
    f.poke(CODE + PAGE, [0x55]);
    f.cpu.rip = start;
    f.cpu.run(1);
    expect(f.cpu.gpr(RAX)).toBe(0xccbb5511n);
    f.map(CODE + PAGE, 0, 0n);
    f.cpu.rip = start;
    expect(f.cpu.run(1)).toEqual(pageFault(0x14, CODE + PAGE));
    expect(f.cpu.rip).toBe(start);
  });
  test('no byte beyond the instruction is fetched', () => {
    const f = split(5);
    f.map(CODE + PAGE, 0, 0n);
    expect(f.cpu.run(1).kind).toBe('limit');
    expect(f.cpu.run(1)).toEqual(pageFault(0x14, CODE + PAGE));
    expect(f.cpu.rip).toBe(CODE + PAGE);
  });
});

test('digests follow every kind of write', () => {
  const f = fixture([...STORE, 0x50, 0x48, 0x87, 0x03, 0xaa]);
  f.cpu.setGpr(RBX, DATA);
  f.cpu.setGpr(RDI, DATA + PAGE - 1n);
  f.cpu.setGpr(RAX, 77n);
  const seen = new Set([f.memory.digest()]);
  for (let i = 0; i < 4; i++) {
    f.cpu.setGpr(RAX, BigInt(78 + i));
    f.cpu.run(1);
    seen.add(f.memory.digest());
  }
  expect(seen.size).toBe(5);
  expect(f.memory.read64(f.maddr(STACK_END - 8n))).toBe(79n);
});
