/**
 * Programs whose answers do not depend on what Xen keeps in its own slots of a top-level table (looseness `open/xen-l4-slots`): it stays in the page when
 * that is no such table any more, and decides whether the page can become another. So only the copy of the top-level table is ever made one.
 */
import type { Step } from '#spec/program.ts';
import { PAGES } from '../state.ts';

const PIN_L3 = 2;
const PIN_L4 = 3;
const NEW_USER_BASEPTR = 15;

type Element = { readonly struct: 'xen.mmuext_op'; readonly fields: { readonly cmd?: unknown; readonly arg1?: unknown } };

const isElement = (value: object): value is Element => 'struct' in value && value.struct === 'xen.mmuext_op';

const namesPlainPage = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'page' in value && typeof value.page === 'number' && value.page !== PAGES.copy;

const mended = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(mended);
  if (typeof value !== 'object' || value === null) return value;
  if (isElement(value) && namesPlainPage(value.fields.arg1)) {
    if (value.fields.cmd === PIN_L4) return { ...value, fields: { ...value.fields, cmd: PIN_L3 } };
    if (value.fields.cmd === NEW_USER_BASEPTR) return { ...value, fields: { ...value.fields, arg1: { page: PAGES.copy, as: 'mfn' } } };
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mended(inner)]));
};

export const withoutTopLevelTables = (steps: readonly Step[]): Step[] => mended(steps) as Step[];
