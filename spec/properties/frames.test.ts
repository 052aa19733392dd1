import { expect, test } from 'vitest';
import { isCounted, isShared, sharedBy } from './frames.ts';
import { isMachineToPhys, isNoPage } from './machine_to_phys.ts';
import { CONFIG, domain, small } from './testing/small_machine.ts';

/** Where a statement begins and stops to hold, from frame 0 on. */
const edges = (holds: (mfn: number) => boolean): readonly number[] => {
  const found: number[] = [];
  for (let mfn = 0; mfn < 0x900; mfn++) if (holds(mfn) !== (mfn > 0 && holds(mfn - 1))) found.push(mfn);
  return found;
};

const domains = [
  domain(0, { shared_info: 0x480, grant_frames: [0x484, 0x486] }),
  domain(1, { shared_info: 0x482, status_frames: [0x488] }),
];

test('RAM behind the first MiB has counts', () => expect(edges((mfn) => isCounted(small({}), mfn))).toEqual([0x100, 0x7f0]));

test('the tables that translate machine frames reach as far as there is RAM', () => {
  expect(edges((mfn) => isMachineToPhys(small({}), mfn))).toEqual([0x200, 0x204, 0x208, 0x20a]);
  const { compat_m2p_first: _, ...layout } = CONFIG.layout;
  expect(edges((mfn) => isMachineToPhys(small({ config: { ...CONFIG, layout } }), mfn))).toEqual([0x200, 0x204]);
});

test('Xen has its heap, the tables and what it shares with a domain', () => {
  const expected = [0x200, 0x204, 0x208, 0x20a, 0x400, 0x410, 0x480, 0x481, 0x482, 0x483, 0x484, 0x485, 0x486, 0x487, 0x488, 0x489];
  expect(edges((mfn) => isShared(small({ domains }), mfn))).toEqual(expected);
});

test('shared info, grant frames and status frames are shared with their domain', () => {
  const by = [0x480, 0x481, 0x482, 0x484, 0x486, 0x488].map((mfn) => sharedBy(small({ domains }), mfn));
  expect(by).toEqual([0, null, 1, 0, 0, 1]);
});

test('a frame that is nobody’s page has the invalid entry', () => {
  const view = small({ words: { 512: { 3: 0xffff_ffff_ffff_ffffn }, 513: { 0: 5n, 511: 0xffff_ffff_ffff_ffffn } } });
  const at = { ...view, config: { ...CONFIG, layout: { ...CONFIG.layout, m2p_first: 512 } } };
  expect(edges((mfn) => isNoPage(at, mfn))).toEqual([3, 4, 1023, 1024]);
});
