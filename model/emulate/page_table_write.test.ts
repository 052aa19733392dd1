import { describe, expect, it } from 'vitest';
import { writeElf } from '#oracle/image/elf.ts';
import type { VcpuRef } from '#spec/event.ts';
import { RAX, RDI, RSP } from '../cpu/x86/state.ts';
import { execute } from '../execute.ts';
import { domainOf, setMemory, updateDomain, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { writeBytes } from '../memory/access.ts';
import { readWord } from '../memory/memory.ts';
import { frameOf } from '../page_type/pte.ts';
import { miscounted } from '../testing/census.ts';
import { DOM0, DOM1, frameAt, POOL, twoDomains, VIRT_BASE } from '../testing/guest.ts';
import { fromBigInt, fromNumber, toBigInt } from '../word/word.ts';

const IMAGE = writeElf({
  segments: [{ address: 0x200000, bytes: new Uint8Array(16), size: 0x2000 }],
  entry: 0x200000,
  virtBase: 0x200000,
  hypercallPage: 0x201000,
});
const fresh = twoDomains(IMAGE);

/** Frame of the level 1 table of the initial mapping, and the address at which the domain can read it. */
const table = (at: VcpuRef): { mfn: number; va: number } => {
  const { kernelTable } = vcpuOf(fresh, at);
  const l3 = frameOf(readWord(fresh.memory, kernelTable, 0));
  const l2 = frameOf(readWord(fresh.memory, l3, 0));
  const mfn = frameOf(readWord(fresh.memory, l2, 1));
  return { mfn, va: VIRT_BASE + (mfn - domainOf(fresh, at.domid).firstMfn) * 4096 };
};
const INDEX = (POOL - VIRT_BASE) / 4096;

/** Run one instruction that stores RAX, or a part of it, at the entry of the pool's first page, `offset` bytes into it. */
const run = (machine: Machine, at: VcpuRef, code: readonly number[], rax: bigint, offset = 0): Machine => {
  const { cpu } = vcpuOf(machine, at);
  const regs = cpu.regs.with(RAX, fromBigInt(BigInt.asUintN(64, rax))).with(RDI, fromNumber(table(at).va + INDEX * 8 + offset));
  const coded = setMemory(machine, writeBytes(machine.memory, frameAt(machine, at, VIRT_BASE), 0, Uint8Array.from(code)));
  const traps = vcpuOf(machine, at).traps.with(14, { flags: 0, cs: 0xe033, address: fromNumber(VIRT_BASE + 0x800) });
  return execute({ ...updateVcpu(coded, at, { cpu: { ...cpu, regs }, traps }), cpus: [{ current: at }] }, 0, 1);
};
const entry = (machine: Machine, at: VcpuRef): bigint => toBigInt(readWord(machine.memory, table(at).mfn, INDEX));
const faulted = (machine: Machine, at: VcpuRef): boolean => toBigInt(vcpuOf(machine, at).cpu.rip) === BigInt(VIRT_BASE + 0x800);

const STORE = [0x48, 0x89, 0x07]; // mov [rdi], rax
const STORE16 = [0x66, 0x89, 0x07]; // mov [rdi], ax
const AND32 = [0x21, 0x07]; // and [rdi], eax
const page = (n: number, at: VcpuRef): bigint => BigInt(frameAt(fresh, at, POOL + n * 4096)) << 12n;

describe('a store into a page table', () => {
  it('becomes a change of the entry', () => {
    const stored = run(fresh, DOM0, STORE, page(1, DOM0) | 0x63n);
    expect(entry(stored, DOM0)).toBe(page(1, DOM0) | 0x0010000000000067n);
    expect(toBigInt(vcpuOf(stored, DOM0).cpu.rip)).toBe(BigInt(VIRT_BASE + STORE.length));
    expect(miscounted(stored)).toEqual([]);
  });

  it('goes to the bit that a signed immediate names, beyond the operand too', () => {
    const BTS = [0x48, 0x0f, 0xba, 0x2f];
    const neighbour = (machine: Machine, n: number): bigint => toBigInt(readWord(machine.memory, table(DOM0).mfn, INDEX + n));
    for (const [imm, n, bit] of [
      [0x4b, 1, 11n],
      [0xf9, -1, 57n],
      [0x3f, 0, 63n],
    ] as const) {
      const stored = run(fresh, DOM0, [...BTS, imm], 0n);
      expect(neighbour(stored, n)).toBe(neighbour(fresh, n) | (1n << bit));
      expect(n === 0 || entry(stored, DOM0) === entry(fresh, DOM0)).toBe(true);
    }
  });

  it('by POP goes to the address that the moved stack pointer makes', () => {
    const { va } = table(DOM0);
    const { cpu } = vcpuOf(fresh, DOM0);
    const atTable = updateVcpu(fresh, DOM0, { cpu: { ...cpu, regs: cpu.regs.with(RSP, fromNumber(va + (INDEX + 1) * 8)) } });
    const next = toBigInt(readWord(fresh.memory, table(DOM0).mfn, INDEX + 1));
    const stored = run(atTable, DOM0, [0x8f, 0x44, 0x24, 0xf0], 0n); // pop [rsp-16]
    expect(entry(stored, DOM0)).toBe(next);
    expect(miscounted(stored)).toEqual([]);
  });

  it('may be a part of the entry, or read it first', () => {
    const low = entry(run(fresh, DOM0, STORE16, 0n), DOM0);
    expect(low).toBe(entry(fresh, DOM0) & ~0xffffn);
    const readOnly = run(fresh, DOM0, AND32, ~2n);
    expect(entry(readOnly, DOM0)).toBe(entry(fresh, DOM0) & ~2n);
    expect(miscounted(readOnly)).toEqual([]);
  });

  it.each([
    ['is out of line', STORE16, 0n, 1],
    ['would map another domain’s page', STORE, page(0, DOM1) | 0x63n, 0],
    ['would make a page table writable', STORE, (BigInt(table(DOM0).mfn) << 12n) | 0x63n, 0],
  ])('is the guest’s fault when it %s', (_, code, rax, offset) => {
    const refused = run(fresh, DOM0, code, rax, offset);
    expect(faulted(refused, DOM0)).toBe(true);
    expect(entry(refused, DOM0)).toBe(entry(fresh, DOM0));
    expect(miscounted(refused)).toEqual([]);
  });

  it('needs the assist in other domains', () => {
    expect(faulted(run(fresh, DOM1, STORE, 0n), DOM1)).toBe(true);
    const assisted = run(updateDomain(fresh, 1, { vmAssist: 4n }), DOM1, STORE, 0n);
    expect(faulted(assisted, DOM1)).toBe(false);
    expect(entry(assisted, DOM1)).toBe(0n);
  });

  const BTR = [0x48, 0x0f, 0xb3, 0x0f]; // btr [rdi], rcx
  const OR0 = [0x48, 0x83, 0x0f, 0x00]; // or qword [rdi], 0
  const CMPXCHG8B = [0x0f, 0xc7, 0x0f]; // cmpxchg8b [rdi]
  const CMPXCHG16B = [0x48, 0x0f, 0xc7, 0x0f]; // cmpxchg16b [rdi]
  const PUSH = [0x48, 0x87, 0xe7, 0x50]; // xchg rsp, rdi; push rax

  it('finds the bit of BTR in another entry', () => {
    const { cpu } = vcpuOf(fresh, DOM0);
    const far = updateVcpu(fresh, DOM0, { cpu: { ...cpu, regs: cpu.regs.with(1, fromNumber(-64 + 1)) } });
    const stored = run(far, DOM0, BTR, 0n, 8);
    expect(entry(stored, DOM0)).toBe(entry(fresh, DOM0) & ~2n);
    expect(miscounted(stored)).toEqual([]);
  });
  it('writes nothing that is there already, so that no rule is asked', () => {
    const foreign = page(0, DOM1) | 0x125n;
    const mapped = setMemory(
      fresh,
      writeBytes(fresh.memory, table(DOM0).mfn, INDEX * 8, new Uint8Array(new BigUint64Array([foreign]).buffer)),
    );
    const stored = run(mapped, DOM0, OR0, 0n);
    expect([faulted(stored, DOM0), entry(stored, DOM0)]).toEqual([false, foreign]);
    expect(faulted(run(mapped, DOM0, STORE, foreign), DOM0)).toBe(true);
  });
  it('compares and exchanges eight bytes, and sixteen only to find that they differ', () => {
    const differing = run(fresh, DOM0, CMPXCHG8B, 5n);
    expect([faulted(differing, DOM0), entry(differing, DOM0)]).toEqual([false, entry(fresh, DOM0)]);
    expect(faulted(run(fresh, DOM0, CMPXCHG16B, 5n), DOM0)).toBe(false);
    const zeros = setMemory(fresh, writeBytes(fresh.memory, table(DOM0).mfn, INDEX * 8, new Uint8Array(16)));
    const { cpu } = vcpuOf(zeros, DOM0);
    const same = updateVcpu(zeros, DOM0, { cpu: { ...cpu, regs: [2, 3, 1].reduce((regs, r) => regs.with(r, fromNumber(0)), cpu.regs) } });
    expect([faulted(run(same, DOM0, CMPXCHG8B, 0n), DOM0), faulted(run(same, DOM0, CMPXCHG16B, 0n), DOM0)]).toEqual([false, true]);
  });
  it('may be a push', () => {
    const swapped = run(fresh, DOM0, PUSH, 0n, 8);
    const pushed = execute(swapped, 0, 1);
    expect([faulted(pushed, DOM0), entry(pushed, DOM0)]).toEqual([false, 0n]);
    expect(miscounted(pushed)).toEqual([]);
  });
});
