/**
 * Pages of Xen's own that a guest may map: those with the marks of grants in use. The guest maps one, writes there, and has Xen give it up, with the mapping
 * in place or without; touches what it had; and looks at what it is given the next time.
 */
import type { Step, Value } from '#spec/program.ts';
import { type Family, type Generation, PAGES, SELF } from '../state.ts';
import { asCode } from './machine_code.ts';

/** In a page of data: the list that Xen writes the frame to, and an element of mmu_update. */
const PAGE = PAGES.data[2];
const at = (plus: number): Value => ({ page: PAGE, as: 'va', plus });
const [LIST, ENTRY, VALUE] = [at(0), at(64), at(72)];
/** No frame: where Xen tells none, nothing is mapped. */
const NONE = '0xfffffffff';
/** mov rax, [rdi]; shl rax, 12; or rax, 0x63; mov [rsi], rax */
const FRAME_TO_ENTRY = '488b0748c1e00c4883c863488906';

const grants = (g: Generation, command: number, struct: string, fields: Readonly<Record<string, Value>>): Step =>
  g.step({ do: 'hypercall', call: 'grant_table_op', args: [command, { struct: `gnttab.${struct}`, fields }, 1] } as never);
const version = (g: Generation, number: 1 | 2): Step => grants(g, 8, 'set_version', { version: number });
const write = (g: Generation, to: Value, value: Value): Step => g.step({ do: 'access', how: 'write', at: to, size: 8, value } as never);

/** Have the first of them told, and map it in the window. */
const map = (g: Generation, window: number): readonly Step[] => [
  write(g, LIST, NONE),
  grants(g, 9, 'get_status_frames', { nr_frames: 1, dom: SELF, frame_list: LIST }),
  g.step({ do: 'code', code: asCode(FRAME_TO_ENTRY), regs: { rdi: LIST, rsi: VALUE }, show: [] } as never),
  write(g, ENTRY, { page: window, as: 'entry_maddr' }),
  g.step({ do: 'hypercall', call: 'mmu_update', args: [ENTRY, 1, 0, SELF] } as never),
];
const unmap = (g: Generation, window: number): Step =>
  g.step({ do: 'hypercall', call: 'update_va_mapping', args: [{ page: window, as: 'va' }, 0, 2] } as never);

/** The page as the guest sees it: what stands there, and whether it may still write. */
const touch = (g: Generation, inside: Value): readonly Step[] => [
  g.step({ do: 'access', how: 'read', at: inside, size: 8 } as never),
  write(g, inside, g.r.dword()),
];

/** Ways from a page that is mapped to one that may have been given up, in any order that a guest can choose. */
const usesOf = (g: Generation, window: number): readonly Step[] => {
  const { r } = g;
  const inside: Value = { page: window, as: 'va', plus: 8 * r.int(0, 511) };
  switch (r.int(0, 3)) {
    case 0:
      return [version(g, 1), ...touch(g, inside), unmap(g, window)];
    case 1:
      return [version(g, 1), version(g, 2), ...touch(g, inside), unmap(g, window), version(g, 1)];
    case 2:
      return [unmap(g, window), version(g, 1), version(g, 2), ...map(g, window), ...touch(g, inside), unmap(g, window)];
    default:
      return [unmap(g, window), version(g, 1), ...touch(g, inside)];
  }
};

/** Domain 1 of two hands over by a grant of its own, so that its table stays as it is. */
export const statusPage: Family = {
  weight: 5,
  make: (g) => {
    const { r, state } = g;
    if (state.two) return [];
    const window = r.pick(PAGES.windows);
    const setup = state.grantTable ? [] : [g.step({ do: 'grant_setup', frames: 1 } as never)];
    state.grantTable = true;
    // Whether the version changes depends on what is mapped; entries are gone or mean something else.
    state.grantVersion = null;
    state.entries.length = 0;
    const first = write(g, { page: window, as: 'va', plus: 2048 }, r.dword());
    return [...setup, version(g, 2), ...map(g, window), first, ...usesOf(g, window)];
  },
};
