import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { platform, XENPF_INTERFACE_VERSION } from '#spec/abi/platform.ts';
import { shared_info } from '#spec/abi/xen.ts';
import { domainOf } from '../../lens.ts';
import { readPage } from '../../memory/access.ts';
import { preparedGuest } from '../../testing/fresh.ts';
import { ARGUMENTS, DOM0, peek, pokeWords } from '../../testing/guest.ts';
import { hypercall } from '../../testing/step.ts';

const guest = preparedGuest(ONE_PAGE_KERNEL);
const OP = SUBOPERATIONS.platform_op;
const head = (cmd: number): bigint => (BigInt(XENPF_INTERFACE_VERSION) << 32n) | BigInt(cmd);
const ask = (cmd: number, ...words: readonly (number | bigint)[]) =>
  hypercall(pokeWords(guest, DOM0, [head(cmd), ...words, ...new Array<number>(17).fill(0)]), DOM0, 'platform_op', ARGUMENTS);

describe('settime', () => {
  it('tells every domain the time at which Xen started, and when it may be read', () => {
    const { rc, machine } = ask(OP.settime64, 1_600_000_000, 7, 1_000_000_008);
    const page = readPage(machine.memory, domainOf(machine, 0).sharedInfo);
    const view = new DataView(page.buffer, page.byteOffset);
    const { wc_version, wc_sec, wc_nsec } = shared_info.fields;
    expect([rc, ...[wc_version, wc_sec, wc_nsec].map(({ at }) => view.getUint32(at, true))]).toEqual([0, 4, 1_599_999_998, 999_999_999]);
  });
  it('has a word that must be zero', () => expect(ask(OP.settime64, 1, 1n << 32n).rc).toBe(-22));
});

it('tells what a processor is, and that there is none', () => {
  const view = (cmd: number, cpu: number): DataView => {
    const { rc, machine } = ask(cmd, cpu);
    expect(rc).toBe(0);
    return new DataView(peek(machine, DOM0, ARGUMENTS, platform.call.size).buffer);
  };
  const { fields } = platform.get_cpu_version;
  const versionOf = (cpu: number): readonly number[] =>
    [fields.family, fields.model, fields.stepping, fields.vendor_id].map(({ at }) => view(OP.get_cpu_version, cpu).getUint32(at, true));
  expect([versionOf(0), versionOf(1)]).toEqual([
    [15, 0x6b, 1, 0x68747541],
    [0, 0, 0, 0],
  ]);
  const { flags } = platform.get_cpuinfo.fields;
  expect([0, 1].map((cpu) => view(OP.get_cpuinfo, cpu).getUint32(flags.at, true))).toEqual([1, 2]);
});

it.each([
  ['disks', [1, 0], -3],
  ['EFI', [4, 0], -38],
  ['the keyboard', [5, 0], 0],
  ['a second keyboard', [5, 1], -3],
  ['what nobody knows', [9, 0], -22],
])('firmware knows of %s', (_, [type, index], rc) => expect(ask(OP.firmware_info, BigInt(type!) | (BigInt(index!) << 32n)).rc).toBe(rc));

it('stops at what it lacks', () => expect(() => ask(OP.enter_acpi_sleep)).toThrow('not modelled: platform_op/enter_acpi_sleep'));
