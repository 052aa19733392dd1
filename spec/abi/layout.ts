/** What a field holds, so that reports can print it as a symbol instead of a raw address. */
export type FieldKind =
  | 'number'
  | 'domid'
  | 'port'
  | 'vcpu'
  | 'virq'
  | 'gref'
  | 'handle'
  | 'status'
  | 'mfn'
  | 'maddr'
  | 'vaddr'
  | 'pointer'
  | 'time'
  | 'flags'
  | 'pte'
  | 'string'
  | 'padding';

/** Who writes a field: the caller (`in`), Xen (`out`), or both. */
export type Direction = 'in' | 'out' | 'inout';

/** One field of a structure in guest memory: offset and size in bytes, little-endian. */
export type Field = {
  readonly at: number;
  readonly size: number;
  readonly kind: FieldKind;
  readonly dir: Direction;
  readonly signed?: true;
};

/** A structure in guest memory. `size` is what Xen copies, tail padding included. */
export type Layout = { readonly size: number; readonly fields: Readonly<Record<string, Field>> };

type Short = readonly [at: number, size: number, kind?: FieldKind, dir?: Direction];

/** Build a layout from `name: [offset, size, kind, direction]` rows. Status fields are signed. */
export const layout = <const F extends Record<string, Short>>(
  size: number,
  rows: F,
): { readonly size: number; readonly fields: { readonly [K in keyof F]: Field } } => ({
  size,
  fields: Object.fromEntries(
    Object.entries(rows).map(([name, [at, bytes, kind = 'number', dir = 'in']]) => [
      name,
      kind === 'status' ? { at, size: bytes, kind, dir, signed: true as const } : { at, size: bytes, kind, dir },
    ]),
  ) as { readonly [K in keyof F]: Field },
});
