/** Rights on ports and on frames of devices: domain 0 gives them to the other domain or takes them away, its own among them, and both use them. */
import { XEN_DOMCTL, XEN_DOMCTL_INTERFACE_VERSION } from '#spec/abi/control.ts';
import type { Argument, Step, Value } from '#spec/program.ts';
import { type Family, type Generation, PAGES, SELF } from '../state.ts';
import { othersContext } from './contexts.ts';

/** Ports and frames come in slots side by side: what is taken away is one slot, or what nobody has. */
const SLOTS = 4;
const PORT_SLOT = { first: 0x300, size: 8 } as const;
/** Frames where the machine has nothing. */
const FRAME_SLOT = { first: 0xb0000, size: 2 } as const;
/** Kept from everybody, or beyond everything. */
const NEVER = {
  port: [0x20, 0x42, 0x3f8, 0x60a, 0xcfc, 0xffff],
  frame: ['0xfee00', '0xfd00000', '0x10000000', '0xffffffffffffffff'] as Value[],
} as const;
/** What is there is the I/O APIC's, and a display's that is not there. */
const FRAMES: readonly Value[] = ['0xfec00', '0xa0', '0xbf'];
const NOBODY = 0x7fe0;

const call = (g: Generation, name: string, ...args: readonly Argument[]): Step =>
  g.step({ do: 'hypercall', call: name, args: [...args] } as never);

/** Domain 0's steps, whoever's turn it is. */
const byDomain0 = <T>(g: Generation, make: () => T): T => {
  const { domain } = g;
  g.domain = 0;
  const made = make();
  g.domain = domain;
  return made;
};

/** Other domains than domain 0 are refused, and ask too. */
const change = (g: Generation, command: 'ioport_permission' | 'iomem_permission', first: Value, count: Value, allow: number): Step => {
  const ask = (): Step => {
    const { r } = g;
    const domain = r.one(6) ? r.pick([0, 0, NOBODY]) : 1;
    const head = { cmd: XEN_DOMCTL[command], interface_version: XEN_DOMCTL_INTERFACE_VERSION, domain };
    return command === 'ioport_permission'
      ? call(g, 'domctl', {
          struct: 'control.ioport_permission',
          fields: { ...head, first_port: first, nr_ports: count, allow_access: allow },
        })
      : call(g, 'domctl', {
          struct: 'domctl.iomem_permission',
          fields: { ...head, first_mfn: first, nr_mfns: count, allow_access: allow },
        });
  };
  return g.r.one(8) ? ask() : byDomain0(g, ask);
};

/** Some slots to give, one to take. */
const slots = ({ r }: Generation, allow: boolean): { readonly first: number; readonly count: number } => {
  const first = r.int(0, SLOTS - 1);
  return { first, count: allow ? r.int(1, SLOTS - first) : 1 };
};

const ports: Family = {
  weight: 5,
  make: (g) => {
    if (!g.peer) return [];
    const { r } = g;
    const allow = r.pick([0, 1, 1, 0xff]);
    if (r.one(6)) return [change(g, 'ioport_permission', r.pick(NEVER.port), r.pick([0, 1, 2]), 1)];
    const { first, count } = slots(g, allow !== 0);
    return [change(g, 'ioport_permission', PORT_SLOT.first + first * PORT_SLOT.size, count * PORT_SLOT.size, allow)];
  },
};

const frames: Family = {
  weight: 6,
  make: (g) => {
    if (!g.peer) return [];
    const { r } = g;
    const allow = r.pick([0, 1, 1, 0xff]);
    if (r.one(6)) return [change(g, 'iomem_permission', r.pick(NEVER.frame), r.pick([0, 1, 2]), 1)];
    if (r.one(4)) return [change(g, 'iomem_permission', r.pick(FRAMES), 1, allow)];
    const { first, count } = slots(g, allow !== 0);
    return [change(g, 'iomem_permission', FRAME_SLOT.first + first * FRAME_SLOT.size, count * FRAME_SLOT.size, allow)];
  },
};

const entry = ({ r }: Generation): Value => {
  const flags = r.pick([0x27, 0x25, 0x37, 0x2f, 0x3f, 0xa7]);
  if (r.one(3)) return { page: r.pick(PAGES.data), as: 'pte', flags };
  const mfn = r.one(3) ? r.pick([0xfec00, 0xfee00, 0xa0, 0xbf]) : FRAME_SLOT.first + r.int(0, SLOTS * FRAME_SLOT.size - 1);
  return `0x${(BigInt(mfn) * 4096n + BigInt(flags)).toString(16)}`;
};

/** Whoever's turn it is maps what may be a device's, for itself or in the other's name. */
const map: Family = {
  weight: 8,
  make: (g) => {
    if (!g.peer) return [];
    const { r } = g;
    if (r.one(2)) return [call(g, 'update_va_mapping', { page: PAGES.device, as: 'va' }, entry(g), 2)];
    const request: Argument = {
      structs: [{ struct: 'xen.mmu_update', fields: { ptr: { page: PAGES.device, as: 'entry_maddr' }, val: entry(g) } }],
    };
    const frames = r.pick([SELF, 0x7ff1, 0x7ff1, g.peer.domid]);
    return [call(g, 'mmu_update', request, 1, { array: [170], size: 4, show: 'number' }, frames)];
  },
};

const INDIFFERENT = { extent_start: { array: [0], size: 8, show: 'nothing' } } as const;

/** What goes with any right: caches, and larger extents. */
const caches: Family = {
  weight: 4,
  make: (g) => {
    if (!g.peer) return [];
    const { r } = g;
    if (r.one(2)) {
      const flush: Argument = { structs: [{ struct: 'xen.mmuext_op', fields: { cmd: r.pick([12, 18]), arg1: 0, arg2: 0 } }] };
      return [call(g, 'mmuext_op', flush, 1, { array: [170], size: 4, show: 'number' }, SELF)];
    }
    // Orders are looked at before the numbers of extents, which do not fit together.
    const exchange: Argument = {
      struct: 'memory.exchange',
      fields: {
        in_extent_start: INDIFFERENT.extent_start,
        in_nr_extents: 1,
        in_extent_order: r.pick([9, 10, 12, 13]),
        in_domid: SELF,
        out_extent_start: INDIFFERENT.extent_start,
        out_nr_extents: 2,
        out_extent_order: 9,
        out_domid: SELF,
      },
    };
    return [call(g, 'memory_op', 11, exchange)];
  },
};

/** What the machine's memory map says to domain 0. */
const told: Family = {
  weight: 2,
  make: (g) => {
    if (!g.peer) return [];
    return byDomain0(g, () => {
      const page = g.r.pick(PAGES.data);
      const fields = { nr_entries: g.r.pick([60, 60, 60, 13, 9]), buffer: { page, as: 'va' } } as const;
      return [call(g, 'memory_op', 10, { struct: 'memory.memory_map', fields }), g.step({ do: 'hash', page } as never)];
    });
  },
};

export const DEVICES: readonly Family[] = [ports, frames, map, caches, told, othersContext];
