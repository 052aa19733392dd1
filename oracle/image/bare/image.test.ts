import { expect, it } from 'vitest';
import { MULTIBOOT } from '#spec/bare/boot.ts';
import { bootDisk } from './boot_disk.ts';
import { encodeCase, type SystemCase } from './case.ts';
import { Emitter, R } from './emitter.ts';
import { buildPayload } from './image.ts';
import { FIRST_LINE, LAST_LINE, LOAD, RECORD_BYTES, RECORD_FIELDS, RECORD_MARK } from './layout.ts';
import { multibootElf } from './multiboot.ts';
import { readResult } from './result.ts';

const CASE: SystemCase = { row: 0, note: '', mode: 'prot32', ring: 0, paging: 'none', code: [0x90] };

it('the emitter fills labels in, before and behind, in code of each size', () => {
  const e = new Emitter(0x1000);
  e.bits = 16;
  e.label('a').jmp('b').load(R.ax, 'a');
  e.bits = 32;
  e.load(R.cx, 0x1234).short(0x74, 'b').label('b').dd('a');
  expect([...e.finish()]).toEqual([
    ...[0xe9, 13, 0, 0x66, 0x8b, 0x06, 0x00, 0x10],
    ...[0x8b, 0x0d, 0x34, 0x12, 0, 0, 0x74, 0, 0x00, 0x10, 0, 0],
  ]);
  expect(() => e.label('a')).toThrow('twice');
  expect(() => new Emitter(0).jmp('nowhere').finish()).toThrow('no label nowhere');
});

it('an image is a multiboot file, and a disk that loads the same bytes', () => {
  const payload = buildPayload([CASE, CASE]);
  const elf = multibootElf(payload);
  const view = new DataView(elf.buffer);
  const header = Array.from({ length: 32 }, (_, i) => 4 * i).find((at) => view.getUint32(at, true) === MULTIBOOT.HEADER_MAGIC)!;
  expect((view.getUint32(header, true) + view.getUint32(header + 4, true) + view.getUint32(header + 8, true)) >>> 0).toBe(0);
  expect(view.getUint32(24, true)).toBe(LOAD);
  const disk = bootDisk(payload);
  expect([disk[510], disk[511]]).toEqual([0x55, 0xaa]);
  expect(disk.length % (16 * 63 * 512)).toBe(0);
  expect(disk.subarray(512, 512 + payload.bytes.length)).toEqual(payload.bytes);
});

it('a case that is as its template only pokes its code and frame', () => {
  let known: DataView | null = null;
  const template = (state: DataView) => {
    known ??= state;
    return { address: 0x100000, state: known };
  };
  const first = encodeCase(CASE, 1, () => 0, template);
  const second = encodeCase({ ...CASE, gpr: { 3: 7n } }, 2, () => 0, template);
  // The second differs by two stores: EBX for POPAD and RBX.
  expect(second.length - first.length).toBe(2 * 3);
});

const printed = (records: number, last = LAST_LINE): Uint8Array => {
  const record = new Uint8Array(4 + RECORD_BYTES + 8);
  const view = new DataView(record.buffer);
  view.setUint32(0, RECORD_MARK, true);
  view.setUint32(4, 7, true);
  view.setUint32(4 + 8 * RECORD_FIELDS.indexOf('changes'), 1, true);
  view.setUint32(4 + RECORD_BYTES, 0x9000, true);
  view.setUint32(4 + RECORD_BYTES + 4, 5, true);
  const text = (t: string) => Uint8Array.from(t, (c) => c.charCodeAt(0));
  return Uint8Array.from([
    ...text(`a BIOS speaks\n${FIRST_LINE}`),
    ...Array.from({ length: records }, () => [...record]).flat(),
    ...text(last),
  ]);
};

it('results are read between what others print', () => {
  const { records, complete } = readResult(printed(2));
  expect(complete).toBe(true);
  expect(records.map(({ id, changes }) => [id, changes])).toEqual([
    [7, [[0x9000, 5]]],
    [7, [[0x9000, 5]]],
  ]);
  expect(readResult(printed(1, 'xen'))).toMatchObject({ complete: false, records: [{ id: 7 }] });
  expect(readResult(printed(1).subarray(0, 60))).toMatchObject({ records: [], complete: false });
  expect(readResult(new Uint8Array(10))).toMatchObject({ records: [], complete: false });
});
