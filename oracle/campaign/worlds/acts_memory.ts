/** Acts with memory and page tables. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { memory } from '#spec/abi/memory.ts';
import { mmu_update, mmuext_op, UVMF } from '#spec/abi/xen.ts';
import { type Act, struct } from './act.ts';
import type { Word } from './code.ts';
import { BUFFER, LIST, PAGES, SPARES, VA, vaOf } from './layout.ts';
import { DOMID_SELF, type Scene } from './scene.ts';

const MEMORY = SUBOPERATIONS.memory_op;
const MMUEXT = SUBOPERATIONS.mmuext_op;
/** Pages of an extent list, at most. */
const MOST = 12;

const list = (frames: readonly Word[]): Act['stores'] => frames.map((mfn, i) => [LIST + 8 * i, mfn] as const);
const reservation = (
  name: 'increase_reservation' | 'decrease_reservation' | 'populate_physmap',
  frames: readonly Word[],
  order: number,
): Act => ({
  name,
  call: 'memory_op',
  args: [MEMORY[name], VA.data],
  stores: [
    ...list(frames),
    ...struct(memory.reservation, { extent_start: LIST, nr_extents: frames.length, extent_order: order, domid: DOMID_SELF }),
  ],
});

/** Pages come, and what stands in them is the domain's to read from then on. */
export const populate = (scene: Scene): Act => {
  const count = 1 + scene.draw.below(MOST);
  return reservation(
    'populate_physmap',
    Array.from({ length: count }, (_, i) => PAGES.spare + i),
    scene.draw.pick(0, 0, 0, 1, 2, 4),
  );
};

export const memoryAct = (scene: Scene): Act => {
  const { draw } = scene;
  switch (draw.below(10)) {
    case 0:
    case 1:
    case 2:
      return populate(scene);
    case 3:
      return reservation('increase_reservation', [0, 0, 0].slice(draw.below(3)), draw.below(2));
    case 4:
    case 5:
      return reservation(
        'decrease_reservation',
        [scene.own(scene.spare()), scene.isObserver ? scene.foreign() : scene.own(scene.spare())],
        0,
      );
    case 6:
      return {
        name: 'exchange',
        call: 'memory_op',
        args: [MEMORY.exchange, VA.data],
        stores: [
          [LIST, scene.isObserver && draw.below(3) === 0 ? scene.foreign() : scene.own(scene.spare())],
          [LIST + 64, PAGES.spare + draw.below(SPARES)],
          ...struct(memory.exchange, {
            ...{ in_extent_start: LIST, in_nr_extents: 1, in_domid: DOMID_SELF },
            ...{ out_extent_start: LIST + 64, out_nr_extents: 1, out_domid: DOMID_SELF },
          }),
        ],
      };
    case 7:
      return {
        name: 'machphys_mfn_list',
        call: 'memory_op',
        args: [MEMORY.machphys_mfn_list, VA.data],
        stores: struct(memory.machphys_mfn_list, { max_extents: 2, extent_start: BUFFER }),
        names: [],
      };
    default: {
      const name = draw.pick('current_reservation', 'maximum_reservation', 'maximum_gpfn', 'memory_map', 'maximum_ram_page');
      const about = draw.below(3) === 0 ? scene.domid(scene.other()) : DOMID_SELF;
      const stores =
        name === 'memory_map' ? struct(memory.memory_map, { nr_entries: 4, buffer: BUFFER }) : struct(memory.domain, { domid: about });
      return { name, call: 'memory_op', args: [MEMORY[name], VA.data], stores };
    }
  }
};

const mmuext = (scene: Scene, name: keyof typeof MMUEXT, fields: Readonly<Record<string, Word>>, domid: number): Act => ({
  name: `mmuext ${name}`,
  call: 'mmuext_op',
  args: [VA.data, 1, 0, domid],
  stores: struct(mmuext_op, { cmd: MMUEXT[name], ...fields }),
  ...(domid === DOMID_SELF ? {} : { names: [scene.domids.indexOf(domid)] }),
});

const owner = (scene: Scene): number => (scene.draw.below(6) === 0 ? scene.domid(scene.other()) : DOMID_SELF);

export const tableAct = (scene: Scene): Act => {
  const { draw } = scene;
  switch (draw.below(10)) {
    case 0:
    case 1: {
      const to = vaOf(scene.spare());
      return { name: 'update_va_mapping', call: 'update_va_mapping', args: [to, scene.entry(scene.frame()), UVMF.INVLPG], stores: [] };
    }
    case 2: {
      // An entry of what may be a table: a spare page.
      const ptr = (BigInt(scene.own(scene.spare())) << 12n) + BigInt(8 * draw.below(8));
      return {
        name: 'mmu_update',
        call: 'mmu_update',
        args: [VA.data, 1, 0, owner(scene)],
        stores: struct(mmu_update, { ptr, val: scene.entry(scene.frame()) }),
      };
    }
    case 3: {
      const ptr = (BigInt(scene.frame()) << 12n) + 1n;
      return {
        name: 'machphys_update',
        call: 'mmu_update',
        args: [VA.data, 1, 0, DOMID_SELF],
        stores: struct(mmu_update, { ptr, val: PAGES.spare }),
      };
    }
    case 4:
      // Unmapped first, or it could be no table.
      return { name: 'unmap', call: 'update_va_mapping', args: [vaOf(scene.spare()), 0, UVMF.INVLPG], stores: [] };
    case 5:
      return mmuext(scene, draw.pick('pin_l1_table', 'pin_l2_table', 'pin_l4_table'), { arg1: scene.frame() }, owner(scene));
    case 6:
      return mmuext(scene, 'unpin_table', { arg1: scene.frame() }, owner(scene));
    case 7:
      return mmuext(scene, 'clear_page', { arg1: scene.frame() }, owner(scene));
    case 8:
      return mmuext(
        scene,
        'copy_page',
        { arg1: scene.frame(), arg2: scene.isObserver ? scene.foreign() : scene.own(PAGES.code) },
        owner(scene),
      );
    default:
      return mmuext(scene, draw.pick('tlb_flush_local', 'tlb_flush_all', 'invlpg_local'), { arg1: VA.data }, DOMID_SELF);
  }
};
