/** Cases of bare images as scripts hold them, and their outcomes. */
import { BadInput } from '#spec/failure.ts';
import { REGISTER_NAMES, type SystemAnswer, type SystemScriptCase } from '#traces/conformance_x86.ts';
import type { Action, SystemCase } from '../../image/bare/case.ts';
import { RECORD_FIELDS, type RecordField } from '../../image/bare/layout.ts';
import { rowLabel, rowsMatching } from '../isa/row_label.ts';
import { fieldOf } from '../system/compare.ts';
import type { Outcome } from '../system/runner.ts';
import { bytesOf, hex, hexOf, hexOr, registersText, small, wide, without } from './numbers.ts';

const ROWS: ReadonlyMap<string, number> = new Map(rowsMatching().map((index) => [rowLabel(index), index]));

/** Throws BadInput for a label that no row has. */
export const rowNamed = (label: string): number => {
  const row = ROWS.get(label);
  if (row === undefined) throw new BadInput(`no row of the opcode table is called ${label}`);
  return row;
};

type ActionText = NonNullable<SystemScriptCase['before']>[number];
const actionText = (action: Action): ActionText => {
  switch (action.do) {
    case 'store':
      return { do: 'store', at: hex(action.at), value: hex(action.value >>> 0) };
    case 'out':
      return { do: 'out', port: hex(action.port), value: hex(action.value >>> 0) };
    case 'msr':
      return { do: 'msr', msr: hex(action.msr), value: hex(action.value) };
  }
};
const actionOf = (text: ActionText): Action => {
  switch (text.do) {
    case 'store':
      return { do: 'store', at: small(text.at), value: small(text.value) };
    case 'out':
      return { do: 'out', port: small(text.port), value: small(text.value) };
    case 'msr':
      return { do: 'msr', msr: small(text.msr), value: wide(text.value) };
  }
};

const SMALL = ['flags', 'cr0', 'cr3', 'cr4', 'cr8', 'efer', 'ldt', 'tr'] as const;
const WIDE = ['ip', 'sp'] as const;

export const systemText = (c: SystemCase): SystemScriptCase => {
  const text = (name: (typeof SMALL)[number] | (typeof WIDE)[number]): string | undefined => {
    const value = c[name];
    return value === undefined ? undefined : hex(typeof value === 'number' ? value >>> 0 : BigInt.asUintN(64, value));
  };
  const segments = Object.fromEntries(
    Object.entries(c.segments ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, hex(value)]])),
  );
  return without({
    instruction: rowLabel(c.row),
    mode: c.mode,
    ring: c.ring,
    paging: c.paging,
    feature: c.feature,
    code: hexOf(c.code),
    registers: registersText(REGISTER_NAMES.map((_, n) => BigInt.asUintN(64, c.gpr?.[n] ?? 0n))),
    segments: c.segments === undefined ? undefined : segments,
    ...Object.fromEntries([...SMALL, ...WIDE].map((name) => [name, text(name)])),
    dr: c.dr?.map((value) => hex(BigInt.asUintN(64, value))),
    before: c.before?.map(actionText),
    after: c.after?.map(actionText),
  })! as SystemScriptCase;
};

/** Throws BadInput when it names no row of the opcode table. */
export const systemCaseOf = (text: SystemScriptCase, note: string): SystemCase => ({
  row: rowNamed(text.instruction),
  note,
  mode: text.mode,
  ring: text.ring,
  paging: text.paging,
  code: [...bytesOf(text.code)],
  ...(without({
    feature: text.feature,
    gpr:
      text.registers &&
      Object.fromEntries(
        REGISTER_NAMES.flatMap((name, n) => {
          const value = text.registers?.[name as 'rax'];
          return value === undefined ? [] : [[n, wide(value)]];
        }),
      ),
    segments: text.segments && Object.fromEntries(Object.entries(text.segments).map(([name, value]) => [name, small(value)])),
    ...Object.fromEntries(SMALL.map((name) => [name, text[name] === undefined ? undefined : small(text[name])])),
    ...Object.fromEntries(WIDE.map((name) => [name, text[name] === undefined ? undefined : wide(text[name])])),
    dr: text.dr?.map(wide),
    before: text.before?.map(actionOf),
    after: text.after?.map(actionOf),
  }) as Partial<SystemCase> | undefined),
});

/** An answer as it stands in a script; null for one that no script can hold, of a machine that did not get to an end. */
export const systemAnswer = (outcome: Outcome): SystemAnswer | null => {
  if (outcome.kind === 'reset') return { end: 'reset', fields: {}, changes: [] };
  if (outcome.kind !== 'record') return null;
  const { record } = outcome;
  const fields = Object.fromEntries(
    RECORD_FIELDS.flatMap((name) => {
      const value = hexOr(fieldOf(record, name));
      return name === 'id' || name === 'changes' || value === undefined ? [] : [[name, value]];
    }),
  );
  return { end: 'record', fields, changes: record.changes.map(([at, value]) => [hex(at), hex(value >>> 0)]) };
};

/** Throws BadInput for a field that records do not have. */
export const systemOutcome = ({ end, fields, changes }: SystemAnswer): Outcome => {
  if (end === 'reset') return { kind: 'reset', why: 'as recorded' };
  const stranger = Object.keys(fields).find((name) => !(RECORD_FIELDS as readonly string[]).includes(name));
  if (stranger !== undefined) throw new BadInput(`expected: records have no field ${stranger}`);
  const values = Object.fromEntries(RECORD_FIELDS.map((name) => [name, wide(fields[name])])) as Record<RecordField, bigint>;
  return { kind: 'record', record: { id: 1, fields: values, changes: changes.map(([at, value]) => [small(at), small(value)] as const) } };
};
