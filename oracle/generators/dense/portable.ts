/**
 * Programs whose answers depend on nothing that Xen leaves open.
 *
 * Xen's own slots of a top-level table (looseness `open/xen-l4-slots`) stay in the page when that is no such table any more, and decide whether it can
 * become another: so only the copy of the top-level table is ever made one. And a call inside a multicall that is preempted leaves its continuation in the
 * guest's entry (when that happens is Xen's choice), so that an entry which is used again means something else: so no long operation stands there. How much
 * memory is free is the machine's affair (`open/frame-choice`): a domain 0, which has no limit, asks for small extents.
 */
import type { Call, Step } from '#spec/program.ts';
import { PAGES } from '../state.ts';

const PIN_L3 = 2;
const PIN_L4 = 3;
const NEW_USER_BASEPTR = 15;

type Element = { readonly struct: 'xen.mmuext_op'; readonly fields: { readonly cmd?: unknown; readonly arg1?: unknown } };

const isElement = (value: object): value is Element => 'struct' in value && value.struct === 'xen.mmuext_op';

const namesPlainPage = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'page' in value && typeof value.page === 'number' && value.page !== PAGES.copy;

type Reservation = { readonly struct: 'memory.reservation'; readonly fields: { readonly extent_order?: unknown } };

const isReservation = (value: object): value is Reservation => 'struct' in value && value.struct === 'memory.reservation';

/** Orders that Xen would grant domain 0 but that use memory up, and what is asked for instead. */
const usesMemoryUp = (order: unknown): boolean => typeof order === 'number' && order > SMALL && order <= 18;
const SMALL = 2;

const LONG: readonly unknown[] = ['mmuext_op', 'mmu_update', 'memory_op', 'grant_table_op', 'multicall'];
/** Stands where no other call is left. */
const SHORT: Call = { call: 'xen_version', args: [0] };

const short = (calls: readonly Call[]): readonly Call[] => calls.map((call) => (LONG.includes(call.call) ? SHORT : call));

const isMulticall = (value: object): value is { readonly calls: readonly Call[] } =>
  'calls' in value && Array.isArray(value.calls) && !('do' in value);

const mended = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(mended);
  if (typeof value !== 'object' || value === null) return value;
  if (isElement(value) && namesPlainPage(value.fields.arg1)) {
    if (value.fields.cmd === PIN_L4) return { ...value, fields: { ...value.fields, cmd: PIN_L3 } };
    if (value.fields.cmd === NEW_USER_BASEPTR) return { ...value, fields: { ...value.fields, arg1: { page: PAGES.copy, as: 'mfn' } } };
  }
  if (isReservation(value) && usesMemoryUp(value.fields.extent_order))
    return mended({ ...value, fields: { ...value.fields, extent_order: SMALL } });
  const plain = isMulticall(value) ? { ...value, calls: short(value.calls) } : value;
  return Object.fromEntries(Object.entries(plain).map(([key, inner]) => [key, mended(inner)]));
};

export const madePortable = (steps: readonly Step[]): Step[] => mended(steps) as Step[];
