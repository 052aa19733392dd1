/** Arguments of hypercalls: structures in the image's data, and code that fills in what is known only when it runs. */
import { HYPERCALL, type HypercallName } from '#spec/abi/hypercall.ts';
import type { Field, FieldKind } from '#spec/abi/layout.ts';
import { LAYOUTS, type LayoutName } from '#spec/abi/layouts.ts';
import { multicall_entry } from '#spec/abi/xen.ts';
import type { Argument, Call, Step, Value } from '#spec/program.ts';
import { FIELD_KIND, FIELD_ROW, type FieldKindName } from '../runtime/fields.ts';
import type { Context } from './context.ts';
import { constantOf, loadValue } from './values.ts';

/** A place in data whose content is reported, and kept for later steps. */
export type Report = {
  readonly name: string;
  readonly address: number;
  readonly size: number;
  readonly kind: FieldKindName;
  readonly filled: boolean;
  readonly print: boolean;
};

/** A constant for a register, or the address of a variable that holds what code computed. */
export type Placed = { readonly constant: bigint } | { readonly value: Value };

/** Fields that Xen writes are full of this before. */
const FILL = 0xaa;

const PRINTED_AS: Readonly<Record<FieldKind, FieldKindName>> = {
  number: 'number',
  domid: 'number',
  port: 'number',
  vcpu: 'number',
  virq: 'number',
  gref: 'number',
  handle: 'number',
  status: 'signed',
  mfn: 'mfn',
  maddr: 'maddr',
  vaddr: 'vaddr',
  pointer: 'vaddr',
  time: 'nothing',
  flags: 'hex',
  pte: 'pte',
  string: 'string',
  padding: 'nothing',
};

/** Number of a hypercall. */
export const callNumber = (call: HypercallName | number): number => (typeof call === 'number' ? call : HYPERCALL[call]);

export class Arguments {
  readonly reports: Report[] = [];
  private readonly c: Context;

  constructor(c: Context) {
    this.c = c;
  }

  /** Lay out what an argument points to. `name` prefixes its reports. */
  place(argument: Argument, name: string): Placed {
    if (typeof argument !== 'object' || 'step' in argument || 'page' in argument || 'now' in argument || 'handler' in argument) {
      const constant = constantOf(this.c, argument);
      return constant === null ? { value: argument } : { constant };
    }
    if ('struct' in argument) {
      const address = this.c.data.reserve(LAYOUTS[argument.struct].size);
      this.fill(address, argument.struct, argument.fields, name);
      return { constant: BigInt(address) };
    }
    if ('structs' in argument) return { constant: BigInt(this.structs(argument, name)) };
    if ('array' in argument) return { constant: BigInt(this.array(argument, name)) };
    if ('calls' in argument) return { constant: BigInt(this.calls(argument.calls, name)) };
    if ('text' in argument) {
      const address = this.c.data.reserve(argument.text.length + 1, 1);
      this.c.data.set(
        address,
        Uint8Array.from(argument.text, (ch) => ch.charCodeAt(0)),
      );
      return { constant: BigInt(address) };
    }
    const address = this.c.data.reserve(argument.buffer, 8, FILL);
    if (argument.show !== 'nothing') {
      const kind = argument.show === 'string' ? 'string' : 'bytes';
      this.reports.push({ name: `${name}data`, address, size: Math.min(argument.buffer, 512), kind, filled: false, print: true });
    }
    return { constant: BigInt(address) };
  }

  /** Put a value at an address of the data: now, or by code. */
  store(address: number, size: number, argument: Argument, name: string) {
    const placed = this.place(argument, name);
    if ('constant' in placed) return this.c.data.put(address, size, placed.constant);
    loadValue(this.c, placed.value);
    this.c.storeRax(address, size);
  }

  private structs(argument: Extract<Argument, { structs: unknown }>, name: string): number {
    const { structs } = argument;
    const sizes = structs.map((s) => LAYOUTS[s.struct].size);
    let address = this.c.data.reserve(sizes.reduce((sum, n) => sum + n, 0) + (argument.end ? 64 : 0));
    const start = address;
    structs.forEach((s, i) => {
      this.fill(address, s.struct, s.fields, structs.length === 1 ? name : `${name}${i}.`);
      address += sizes[i];
    });
    return start;
  }

  private array(argument: Extract<Argument, { array: unknown }>, name: string): number {
    const start = this.c.data.reserve(Math.max(1, argument.array.length) * argument.size);
    argument.array.forEach((value, i) => {
      const address = start + i * argument.size;
      this.store(address, argument.size, value, name);
      if (argument.show)
        this.reports.push({ name: `${name}[${i}]`, address, size: argument.size, kind: argument.show, filled: false, print: true });
    });
    return start;
  }

  private calls(calls: readonly Call[], name: string): number {
    const { fields, size } = multicall_entry;
    const start = this.c.data.reserve(Math.max(1, calls.length) * size);
    calls.forEach((call, i) => {
      const entry = start + i * size;
      this.c.data.put(entry + fields.op.at, 8, callNumber(call.call));
      this.c.data.put(entry + fields.result.at, 8, FILL_QUAD);
      this.reports.push({ name: `${name}${i}.rc`, address: entry + fields.result.at, size: 8, kind: 'signed', filled: true, print: true });
      call.args.forEach((argument, n) => {
        if (n < 6) this.store(entry + fields.args.at + 8 * n, 8, argument, `${name}${i}.`);
      });
    });
    return start;
  }

  private fill(address: number, struct: LayoutName, values: Readonly<Record<string, Argument>>, name: string): void {
    const fields: Readonly<Record<string, Field>> = LAYOUTS[struct].fields;
    for (const [field, { at, size, kind, dir }] of Object.entries(fields)) {
      const given = values[field];
      const out = dir !== 'in';
      if (given !== undefined && size <= 8) this.store(address + at, size, given, `${name}${field}.`);
      else if (out) this.c.data.set(address + at, new Uint8Array(size).fill(FILL));
      if (out) {
        const wide = size > 8;
        const printed = PRINTED_AS[kind];
        const shown: FieldKindName = kind === 'string' ? 'string' : wide ? (printed === 'nothing' ? 'nothing' : 'bytes') : printed;
        this.reports.push({
          name: name + field,
          address: address + at,
          size,
          kind: shown,
          filled: given === undefined && !wide,
          print: shown !== 'nothing',
        });
      }
    }
  }

  /** The table for `put_fields`; 0 when there is nothing to report. */
  table(step: Step): number {
    const { data } = this.c;
    const rows = this.reports.flatMap((r) => {
      const slot = this.c.slotFor(step, r.name);
      return r.print || slot !== 0 ? [{ ...r, slot }] : [];
    });
    if (rows.length === 0) return 0;
    const start = data.reserve(FIELD_ROW * (rows.length + 1));
    rows.forEach((row, i) => {
      const at = start + FIELD_ROW * i;
      data.put(at, 4, data.text(` ${row.name}=`));
      data.put(at + 4, 4, row.address);
      data.put(at + 8, 2, row.size);
      data.put(at + 10, 1, FIELD_KIND[row.kind]);
      data.put(at + 11, 1, row.filled ? 1 : 0);
      data.put(at + 12, 4, row.slot);
    });
    return start;
  }
}

const FILL_QUAD = 0xaaaaaaaaaaaaaaaan;
