/** For tests and benchmarks: a CPU with page tables of its own and code at a fixed address. */

import { FLAT } from '#spec/abi/xen.ts';
import type { CpuidLeaf } from '#spec/config.ts';
import { FRAME_BYTES, Memory } from '../memory.ts';
import { Cpu } from './cpu.ts';
import { CS, RSP, SS_REG } from './interface.ts';

export const CODE = 0x400000n;
export const DATA = 0x500000n;
/** Stack, growing down from STACK_END. */
export const STACK_END = 0x600000n;
const STACK_PAGES = 4;
/** Frames for the stack, page tables and what a test maps beside them. */
const SPARE_FRAMES = 48;

export const P = 1n;
export const RW = 2n;
export const US = 4n;
export const NX = 1n << 63n;

const CPUID: readonly CpuidLeaf[] = [
  { leaf: 0x80000008, subleaf: null, eax: 0x3028, ebx: 0, ecx: 0, edx: 0 },
  { leaf: 7, subleaf: 1, eax: 1, ebx: 2, ecx: 3, edx: 4 },
];

export type Fixture = {
  readonly memory: Memory;
  readonly cpu: Cpu;
  /** Map the page at a virtual address to a frame, making the tables it takes. */
  map(address: bigint, mfn: number, flags?: bigint): void;
  /** Machine address of the leaf entry for a virtual address. */
  entry(address: bigint): number;
  /** Machine address that a mapped virtual address leads to, by the leaf entry alone. */
  maddr(address: bigint): number;
  /** Write bytes at a mapped virtual address. */
  poke(address: bigint, bytes: readonly number[] | Uint8Array): void;
  /** Frames that nothing uses yet. */
  frame(): number;
};

/** A machine with code at CODE, `dataPages` at DATA and a stack, RIP and RSP set. `bytes` may span pages. */
export const fixture = (bytes: readonly number[] | Uint8Array = [], dataPages = 4): Fixture => {
  const codePages = Math.max(1, Math.ceil(bytes.length / FRAME_BYTES));
  const memory = new Memory(SPARE_FRAMES + codePages + dataPages);
  const cpu = new Cpu(memory, CPUID);
  let free = 1;
  const frame = (): number => free++;
  const root = frame();
  cpu.root = root;

  const entry = (address: bigint): number => {
    let table = root;
    for (let level = 3; level > 0; level--) {
      const at = table * FRAME_BYTES + 8 * Number((address >> BigInt(12 + 9 * level)) & 511n);
      if (memory.read64(at) === 0n) memory.write64(at, (BigInt(frame()) << 12n) | P | RW | US);
      table = Number((memory.read64(at) >> 12n) & 0xffffffffffn);
    }
    return table * FRAME_BYTES + 8 * Number((address >> 12n) & 511n);
  };
  const map = (address: bigint, mfn: number, flags: bigint = P | RW | US): void =>
    memory.write64(entry(address), (BigInt(mfn) << 12n) | flags);
  const maddr = (address: bigint): number => Number(memory.read64(entry(address)) & 0xffffff000n) + Number(address & 0xfffn);
  const poke = (address: bigint, from: readonly number[] | Uint8Array): void => {
    const bytes = Uint8Array.from(from);
    for (let done = 0; done < bytes.length; ) {
      const at = maddr(address + BigInt(done));
      const part = Math.min(bytes.length - done, FRAME_BYTES - (at % FRAME_BYTES));
      memory.writeBytes(at, bytes.subarray(done, done + part));
      done += part;
    }
  };

  for (let i = 0; i < codePages; i++) map(CODE + BigInt(i * FRAME_BYTES), frame());
  for (let i = 0; i < dataPages; i++) map(DATA + BigInt(i * FRAME_BYTES), frame(), P | RW | US | NX);
  for (let i = 1; i <= STACK_PAGES; i++) map(STACK_END - BigInt(i * FRAME_BYTES), frame(), P | RW | US | NX);
  poke(CODE, bytes);
  cpu.rip = CODE;
  cpu.setGpr(RSP, STACK_END);
  cpu.rflags = 0x202n;
  cpu.setSelector(CS, FLAT.RING3_CS64);
  cpu.setSelector(SS_REG, FLAT.RING3_SS64);
  return { memory, cpu, map, entry, maddr, poke, frame };
};
