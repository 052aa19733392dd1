import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeElf } from '#oracle/image/elf.ts';
import { shared_info, start_info, vcpu_info } from '#spec/abi/xen.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import { debian_4_17, dom0, domU } from '#spec/machines/debian_4_17.ts';
import { RSI, RSP } from '../cpu/x86/state.ts';
import { fieldOf } from '../hypercall/guest_struct.ts';
import { domainOf, frame, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { readPage } from '../memory/access.ts';
import { wordIn } from '../memory/guest.ts';
import { readWord } from '../memory/memory.ts';
import { toBigInt, toHex, toNumber } from '../word/word.ts';
import { bootMachine } from './boot.ts';

const KERNEL = 0x200000;
const image = writeElf({
  segments: [{ address: KERNEL, bytes: Uint8Array.from([1, 2, 3]), size: 0x3000 }],
  entry: KERNEL + 2,
  virtBase: KERNEL,
  hypercallPage: 0x202000,
});
const machine = bootMachine(debian_4_17([dom0('one two=a'), domU(5, '', 4)]), [image, image]);
const DOM0 = { domid: 0, vcpu: 0 };
const DOMU = { domid: 5, vcpu: 0 };

const pageAt = (m: Machine, domid: number, va: number): Uint8Array =>
  readPage(m.memory, domainOf(m, domid).firstMfn + (va - KERNEL) / 4096);
const entryFor = (m: Machine, domid: number, va: number): bigint => {
  const next = (table: number, index: number): number => Number((toBigInt(readWord(m.memory, table, index)) >> 12n) & 0xffffffffffn);
  const l1 = next(next(next(vcpuOf(m, { domid, vcpu: 0 }).kernelTable, 0), 0), va >>> 21);
  return toBigInt(readWord(m.memory, l1, (va >>> 12) & 511)) & ~0xfffffff000n;
};

describe('the first vCPU of domain 0', () => {
  const { cpu } = vcpuOf(machine, DOM0);
  it('stands at its entry with RSI at start_info, RSP at the stack’s end and everything else zero', () => {
    expect(toHex(cpu.rip)).toBe('0x200002');
    expect(cpu.regs.map(toNumber).filter((_, i) => i !== RSI && i !== RSP)).toEqual(new Array(14).fill(0));
    expect([toHex(cpu.regs[RSI]), toHex(cpu.regs[RSP])]).toEqual(['0x243000', '0x249000']);
    expect([cpu.flags, cpu.segments.selectors]).toEqual([0x202, [0, 0xe033, 0xe02b, 0, 0, 0]]);
  });
});

describe('start_info', () => {
  const info = pageAt(machine, 0, 0x243000);
  const field = (name: keyof typeof start_info.fields): bigint =>
    toBigInt(wordIn(info, start_info.fields[name].at, start_info.fields[name].size === 4 ? 4 : 8));
  it('tells dom0 what Xen tells it', () => {
    expect(String.fromCharCode(...info.subarray(0, 16))).toBe('xen-3.0-x86_64p\0');
    expect([field('nr_pages'), field('flags'), field('pt_base'), field('nr_pt_frames'), field('mfn_list')]).toEqual([
      0x8000n,
      0x303n,
      0x244000n,
      4n,
      0x203000n,
    ]);
    expect(field('shared_info')).toBe(BigInt(domainOf(machine, 0).sharedInfo) * 4096n);
    expect([field('first_p2m_pfn'), field('nr_p2m_frames'), field('console_mfn')]).toEqual([0x200n, 0n, 0x2800000490n]);
    expect(String.fromCharCode(...info.subarray(128, 138))).toBe('one two=a\0');
  });

  it('has no privileges for another domain', () => {
    const other = pageAt(machine, 5, 0x205000);
    expect(fieldOf(other, start_info.fields.flags)).toBe(0);
    expect(toNumber(wordIn(other, start_info.fields.nr_pages.at))).toBe(1024);
    expect(toHex(vcpuOf(machine, DOMU).cpu.regs[RSI])).toBe('0x205000');
  });
});

describe('memory', () => {
  it('has the image, zeros behind it, and the hypercall page', () => {
    expect([...pageAt(machine, 0, KERNEL).subarray(0, 5)]).toEqual([1, 2, 3, 0, 0]);
    const page = pageAt(machine, 0, 0x202000);
    expect([...page.subarray(32, 46)]).toEqual([0x51, 0x41, 0x53, 0xb8, 1, 0, 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3]);
    expect([...page.subarray(23 * 32, 23 * 32 + 12)]).toEqual([0x51, 0x41, 0x53, 0x50, 0xb8, 23, 0, 0, 0, 0x0f, 0x05, 0xcc]);
  });

  it('is mapped with the flags of a Xen that has just written through them', () => {
    expect(entryFor(machine, 0, KERNEL)).toBe(0x0010000000000067n);
    expect(entryFor(machine, 0, 0x203000)).toBe(0x0010000000000067n);
    expect(entryFor(machine, 0, 0x244000)).toBe(0x0010000000000025n);
    expect(entryFor(machine, 0, 0x248000)).toBe(0x0010000000000027n);
    expect(entryFor(machine, 0, 0x3ff000)).toBe(0x0010000000000027n);
    expect(toBigInt(readWord(machine.memory, vcpuOf(machine, DOM0).kernelTable, 256)) >> 48n).toBe(0x8000n);
  });

  it('lists the frames both ways', () => {
    const first = domainOf(machine, 0).firstMfn;
    const list = pageAt(machine, 0, 0x204000);
    expect(toNumber(wordIn(list, 0))).toBe(first + 512);
    expect(toNumber(readWord(machine.memory, machine.config.layout.m2p_first + (first >>> 9), (first + 7) & 511))).toBe(7);
    expect(toHex(readWord(machine.memory, machine.config.layout.m2p_first, 3))).toBe('0xffffffffffffffff');
  });

  it('counts references as Xen does after construction', () => {
    const first = domainOf(machine, 0).firstMfn;
    const seen = (pfn: number) => {
      const { refs, type, typeRefs, pinned } = frame(machine, first + pfn)!;
      return [refs, type, typeRefs, pinned];
    };
    expect(seen(0)).toEqual([2, 'writable', 1, false]);
    expect(seen(0x44)).toEqual([4, 'l4', 2, true]);
    expect(seen(0x45)).toEqual([3, 'l1', 1, false]);
    expect(seen(0x200)).toEqual([1, 'none', 0, false]);
    const shared = frame(machine, domainOf(machine, 0).sharedInfo)!;
    expect([shared.owner, shared.refs, shared.type, shared.typeRefs]).toEqual([0, 1, 'writable', 1]);
  });

  it('starts with upcalls masked on every vCPU, and no port masked', () => {
    const page = readPage(machine.memory, domainOf(machine, 0).sharedInfo);
    for (let i = 0; i < 32; i++) expect(page[i * vcpu_info.size + vcpu_info.fields.evtchn_upcall_mask.at]).toBe(1);
    expect(page.subarray(shared_info.fields.evtchn_mask.at, shared_info.fields.evtchn_mask.at + 512).every((byte) => byte === 0)).toBe(
      true,
    );
  });
});

describe('hostile images', () => {
  const config = debian_4_17([dom0('', 4)]);
  /** Booting either works or says in one line what is wrong. */
  const survives = (bytes: Uint8Array): void => {
    try {
      bootMachine(config, [bytes]);
    } catch (thrown) {
      if (thrown instanceof NotModelled) return;
      expect(thrown).toBeInstanceOf(BadInput);
      expect((thrown as Error).message).not.toMatch(/\n/);
    }
  };

  it('are refused in one line when cut short', () =>
    fc.assert(
      fc.property(fc.nat(image.length), (end) => survives(image.subarray(0, end))),
      { seed: 1, numRuns: 200 },
    ));

  it('are refused in one line, or boot, when bytes are changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(Math.min(image.length, 1200) - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(changes, (all) => {
        const bytes = image.slice();
        for (const [at, value] of all) bytes[at] = value;
        survives(bytes);
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it.each([
    ['not an ELF file', Uint8Array.from([0x7f, 0x45]), /not an ELF file/],
    ['of another machine', Object.assign(image.slice(), { 18: 3 }), /not an x86-64/],
    ['of 32 bits', Object.assign(image.slice(), { 4: 1 }), /64-bit/],
  ])('%s', (_, bytes, message) => expect(() => bootMachine(config, [bytes])).toThrow(message));

  it('need one for each domain', () => expect(() => bootMachine(config, [])).toThrow(BadInput));
});
