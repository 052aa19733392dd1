import { expect, it } from 'vitest';
import { start_info } from '#spec/abi/xen.ts';
import type { Engine } from '#spec/engine.ts';
import { debian_4_17, dom0 } from '#spec/machines/debian_4_17.ts';
import { buildImages, EXAMPLES } from '../../image/index.ts';
import { ENGINES, loadEngine } from '../engines.ts';
import { runEngine } from '../run.ts';

const kernel = buildImages(EXAMPLES.hello)[0]!;
const disk = new Uint8Array(10_000).map((_, i) => i % 251);
const PAE_MODE = 9;
const MOD_START_PFN = 16;

/** The same kernel with a note that says MOD_START_PFN: its PAE_MODE ("yes" is four bytes, and no zero). */
const byPfn = (elf: Uint8Array): Uint8Array => {
  const file = elf.slice();
  const view = new DataView(file.buffer);
  for (let at = 4; at + 8 < file.length; at += 4)
    if (view.getUint32(at + 4, true) === PAE_MODE && view.getUint32(at + 8, true) === 0x6e6558) view.setUint32(at + 4, MOD_START_PFN, true);
  return file;
};

/** What start_info says of the disk, and its first bytes at the page that says so. */
const found = (engine: Engine) => {
  const { domheap_first } = debian_4_17().layout;
  const { fields, size } = start_info;
  const isStartInfo = (page: Uint8Array): boolean => new TextDecoder('latin1').decode(page.subarray(0, 14)) === 'xen-3.0-x86_64';
  const mfn = [...engine.populated()].find((candidate) => candidate >= domheap_first && isStartInfo(engine.page(candidate)))!;
  const view = new DataView(engine.page(mfn).buffer, 0, size);
  const [start, length] = [fields.mod_start, fields.mod_len].map(({ at }) => view.getBigUint64(at, true));
  return {
    start: `0x${start!.toString(16)}`,
    length: Number(length),
    flags: view.getUint32(fields.flags.at, true),
    first: view.getBigUint64(fields.first_p2m_pfn.at, true),
  };
};

it.each([
  ['behind the kernel, mapped', kernel],
  ['behind the first allocation, by number', byPfn(kernel)],
])('a disk lies %s, on both engines alike', async (_where, image) => {
  const config = debian_4_17([{ ...dom0('', 32), initrd: disk.length }]);
  const ends = await Promise.all(
    ENGINES.map(async (name) => {
      const engine = (await loadEngine(name))(config, [image, disk]);
      const told = found(engine);
      const atStart = engine.observe();
      const { finish, halted } = runEngine(engine, { limit: 1_000_000 });
      return { told, atStart, finish, halted, atEnd: engine.observe() };
    }),
  );
  expect(ends[0]).toEqual(ends[1]);
  expect(ends[0]).toMatchObject({ finish: 'halted', halted: 0, told: { length: disk.length } });
});

it('says where it lies', async () => {
  const config = debian_4_17([{ ...dom0('', 32), initrd: disk.length }]);
  const boot = await loadEngine('model');
  const [mapped, numbered] = [kernel, byPfn(kernel)].map((image) => found(boot(config, [image, disk])));
  const [flagged, first] = [8, Number(numbered!.first)];
  expect([mapped!.flags & flagged, numbered!.flags & flagged]).toEqual([0, flagged]);
  expect([Number(BigInt(mapped!.start) & 0xfffn), Number(numbered!.start)]).toEqual([0, first - 3]);
  expect(mapped!.first).toBe(numbered!.first);
});
