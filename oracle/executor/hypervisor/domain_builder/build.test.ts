import { expect, test } from 'vitest';
import { start_info } from '#spec/abi/xen.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import { debian_4_17, dom0 } from '#spec/machines/debian_4_17.ts';
import { bootMachine } from '../../boot.ts';
import { RSI, RSP } from '../../cpu/interface.ts';
import { audit } from '../testing/audit.ts';
import { DATA, Guest, HYPERCALL_PAGE } from '../testing/guest.ts';
import { BASE, image } from '../testing/image.ts';
import { planDomain } from './build.ts';
import { frameAt } from './page_tables.ts';

const config = debian_4_17([dom0('one two', 8)]);

test('vCPU 0 starts as measured', () => {
  const machine = bootMachine(config, [image()]);
  const [vcpu] = machine.domains[0]!.vcpus;
  const { cpu } = vcpu!;
  expect([cpu.rip, cpu.rflags, cpu.gpr(RSI)]).toEqual([BigInt(BASE), 0x202n, 0x208000n]);
  expect(cpu.gpr(RSP)).toBe(0x20en << 12n);
  expect([vcpu!.periodicPeriod, vcpu!.cr4, machine.domains[0]!.vmAssist]).toEqual([10_000_000, 0x660, 8]);
});

test('start_info', () => {
  const machine = bootMachine(config, [image()]);
  const at = (config.layout.domheap_first + 8) * 4096;
  const { memory } = machine;
  const word = (field: { readonly at: number }): bigint => memory.read64(at + field.at);
  const { fields } = start_info;
  expect(String.fromCharCode(...memory.readBytes(at, 15))).toBe('xen-3.0-x86_64p');
  expect(word(fields.nr_pages)).toBe(2048n);
  expect(word(fields.shared_info)).toBe(BigInt(config.layout.xenheap_first + 2) << 12n);
  expect([memory.read32(at + fields.flags.at), word(fields.console_mfn)]).toEqual([0x303, 0x2800000490n]);
  expect([word(fields.pt_base), word(fields.nr_pt_frames), word(fields.first_p2m_pfn)]).toEqual([0x209000n, 4n, 512n]);
  expect(String.fromCharCode(...memory.readBytes(at + fields.cmd_line.at, 8))).toBe('one two\0');
});

test('the counts are what the tables justify', () => {
  expect(audit(bootMachine(config, [image()]))).toEqual([]);
  expect(audit(bootMachine(config, [image({ notes: { 15: 0xffffff8000000000n } })]))).toEqual([]);
});

test('every page is in the p2m and in the machine-to-physical table', () => {
  for (const notes of [{}, { 15: 0xffffff8000000000n }]) {
    const machine = bootMachine(config, [image({ notes })]);
    const first = config.layout.domheap_first;
    const l4 = machine.domains[0]!.vcpus[0]!.kernelTable;
    const p2m = 15 in notes ? 0xffffff8000000000n : 0x204000n;
    for (const pfn of [0, 1, 511, 2047]) {
      const address = p2m + 8n * BigInt(pfn);
      expect(machine.memory.read64(frameAt(machine, l4, address) * 4096 + Number(address & 0xfffn))).toBe(BigInt(first + pfn));
      expect(machine.memory.read64(config.layout.m2p_first * 4096 + 8 * (first + pfn))).toBe(BigInt(pfn));
    }
    expect(machine.memory.read64(config.layout.m2p_first * 4096)).toBe(0xffffffffffffffffn);
  }
});

test('leaf flags: written by Xen, untouched, page table', () => {
  const guest = new Guest();
  const l1 = guest.machine.config.layout.domheap_first + 10;
  const leaf = (address: number): bigint => guest.machine.memory.read64(l1 * 4096 + 8 * ((address >> 12) & 511)) & 0xfff0000000000fffn;
  expect(leaf(DATA)).toBe(0x10000000000067n);
  expect(leaf(HYPERCALL_PAGE)).toBe(0x10000000000067n);
  expect(leaf(0x3ff000)).toBe(0x10000000000027n);
  expect(leaf(0x209000)).toBe(0x10000000000025n);
});

test('the hypercall page', () => {
  const guest = new Guest();
  expect(guest.words(HYPERCALL_PAGE + 32 * 17, 2)).toEqual([0x00000011b8534151n, 0xccccc3595b41050fn]);
  expect(guest.words(HYPERCALL_PAGE + 32 * 23, 2)).toEqual([0x000017b850534151n, 0xcccccccccc050f00n]);
});

test.each([
  ['no notes for Xen', { 5: null, 8: null, 1: null, 2: null, 3: null, 4: null, 9: null }],
  ['another loader', { 8: 'own' }],
  ['another interface', { 5: 'xen-2.0' }],
  ['an unknown feature', { 10: '!flying_pages' }],
  ['no dom0 support', { 17: 1n }],
])('an image with %s is refused', (_, notes) => {
  expect(() => bootMachine(config, [image({ notes })])).toThrow(BadInput);
});

test('symbols for the kernel are not modelled', () => {
  expect(() => bootMachine(config, [image({ notes: { 11: 'yes' } })])).toThrow(NotModelled);
});

test('hostile images give one line or a plan', () => {
  const good = image();
  let seed = 12345;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return seed % below;
  };
  for (let i = 0; i < 4000; i++) {
    const bad = i % 4 === 0 ? good.slice(0, random(good.length)) : good.slice();
    if (i % 4 !== 0) for (let flips = 1 + random(3); flips > 0; flips--) bad[random(0x2c0)]! ^= 1 << random(8);
    try {
      planDomain(config.domains[0]!, bad);
    } catch (error) {
      expect(error instanceof BadInput || error instanceof NotModelled).toBe(true);
      expect((error as Error).message).not.toContain('\n');
    }
  }
});
