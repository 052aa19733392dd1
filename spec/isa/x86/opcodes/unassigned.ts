/** What no processor has, had until some extension, or has in other modes: #UD, behind all operands. */
import type { OpcodeMap, Row } from '../row.ts';
import { type Extra, LONG, row } from './make.ts';

/**
 * Opcodes that 64-bit mode does not have. Some have operands all the same, which are fetched before: those of group 1, far pointers,
 * the immediates of AAM and AAD.
 */
const givenUp: readonly Row[] = [
  ...[0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0xce, 0xd6].map((opcode) =>
    row('1', opcode, 'invalid', LONG),
  ),
  row('1', 0x82, 'invalid Eb,Ib', LONG),
  row('1', 0x9a, 'invalid Iz,Iw', LONG),
  row('1', 0xea, 'invalid Iz,Iw', LONG),
  row('1', 0xd4, 'invalid Ib', LONG),
  row('1', 0xd5, 'invalid Ib', LONG),
];

/** Members of groups, and whole opcodes. */
const groups: readonly Row[] = [
  ...[2, 3, 4, 5, 6, 7].map((ext) => row('1', 0xfe, 'invalid Eb', { ext })),
  row('1', 0xff, 'invalid', { ext: 3, mod: 'reg' }),
  row('1', 0xff, 'invalid', { ext: 5, mod: 'reg' }),
  row('1', 0xff, 'invalid Ev', { ext: 7 }),
  ...[1, 2, 3, 4, 5, 6, 7].flatMap((ext) => [row('1', 0xc6, 'invalid Eb,Ib', { ext }), row('1', 0xc7, 'invalid Ev,Iz', { ext })]),
  ...[0, 1, 2, 3].map((ext) => row('0f', 0xba, 'invalid Ev,Ib', { ext })),
  ...[6, 7].map((ext) => row('0f', 0x00, 'invalid Ev', { ext })),
  ...[0x0d, 0xb2, 0xb4, 0xb5].map((opcode) => row('0f', opcode, 'invalid Gv,Ev', { mod: 'reg' })),
  // SYSENTER on Intel's processors.
  row('0f', 0x34, 'invalid', LONG),
];

/** Opcodes that are VEX and EVEX prefixes in 64-bit mode, and elsewhere where modrm would name a register (not in real mode). */
const VECTOR_PREFIXES: readonly number[] = [0x62, 0xc4, 0xc5];

/** Opcodes of one byte whose modrm selects, with rows only for some. */
const SELECTING: readonly number[] = [0x62, 0x8d, 0xc4, 0xc5, 0xd9, 0xda, 0xdb, 0xdd, 0xde, 0xdf];

const PREFIXES = ['np', '66', 'f3', 'f2'] as const;
type Prefix = (typeof PREFIXES)[number];

const fitsPrefix = (r: Row, prefix: Prefix): boolean => {
  if (r.prefix === undefined) return true;
  return r.prefix === 'none' ? prefix === 'np' || prefix === '66' : r.prefix === prefix;
};
const fitsModrm = (r: Row, modrm: number): boolean =>
  (r.modrm === undefined || r.modrm === modrm) &&
  (r.ext === undefined || r.ext === ((modrm >> 3) & 7)) &&
  (r.mod === undefined || (r.mod === 'reg') === modrm >= 0xc0);

const bytes = (first: number, last: number): readonly number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);
const MEMORY = bytes(0, 0xbf);
const REGISTER = bytes(0xc0, 0xff);
const ofExt = (modrms: readonly number[], ext: number): readonly number[] => modrms.filter((m) => ((m >> 3) & 7) === ext);

/** Selections that hold for all modrm bytes of a list, the widest first. */
const gaps = (free: ReadonlySet<number>): readonly Extra[] => {
  const all = (modrms: readonly number[]): boolean => modrms.every((m) => free.has(m));
  if (all(MEMORY) && all(REGISTER)) return [{}];
  const half = (mod: 'mem' | 'reg', modrms: readonly number[]): readonly Extra[] => {
    if (all(modrms)) return [{ mod }];
    return bytes(0, 7).flatMap((ext): readonly Extra[] => {
      const mine = ofExt(modrms, ext);
      if (all(mine)) return [{ ext, mod }];
      return mine.filter((m) => free.has(m)).map((modrm) => ({ modrm }));
    });
  };
  return [...half('mem', MEMORY), ...half('reg', REGISTER)];
};

const isImmediate = (code: string): boolean => code.startsWith('I');

/** Operands in the modrm byte, if the opcode has one (EMMS has not). */
const modrmOf = (gap: Extra, bare: boolean): readonly string[] => {
  if (bare || gap.modrm !== undefined) return [];
  return gap.mod === 'mem' ? ['M'] : ['Gv', 'Ev'];
};

/** Rows for the modrm bytes that none of an opcode's rows takes. */
const uncovered = (rows: readonly Row[], map: OpcodeMap, opcode: number, prefix: Prefix | null): readonly Row[] => {
  const free = (mode: 'long' | 'legacy'): ReadonlySet<number> =>
    new Set(
      [...MEMORY, ...REGISTER].filter(
        (m) => !rows.some((r) => (r.modes ?? mode) === mode && (prefix === null || fitsPrefix(r, prefix)) && fitsModrm(r, m)),
      ),
    );
  const [long, legacy] = [free('long'), free('legacy')];
  const common = new Set([...long].filter((m) => legacy.has(m)));
  const beyond = (of: ReadonlySet<number>) => new Set([...of].filter((m) => !common.has(m)));
  const bare = rows.every((r) => r.modrm === undefined && r.ext === undefined && r.mod === undefined && r.operands.length === 0);
  // Whatever the selection, the bytes of an immediate are fetched.
  const immediates = (rows.find((r) => r.operands.some(isImmediate)) ?? rows[0]).operands.filter(isImmediate);
  const make =
    (extra: Extra) =>
    (gap: Extra): Row => {
      const operands = [...modrmOf(gap, bare), ...immediates].join(',');
      return row(map, opcode, operands === '' ? 'invalid' : `invalid ${operands}`, {
        ...gap,
        ...extra,
        ...(prefix === null ? {} : { prefix }),
      });
    };
  return [
    ...(VECTOR_PREFIXES.includes(opcode) && map === '1'
      ? []
      : [...gaps(common).map(make({})), ...gaps(beyond(long)).map(make({ modes: 'long' }))]),
    ...gaps(VECTOR_PREFIXES.includes(opcode) && map === '1' ? legacy : beyond(legacy)).map(make({ modes: 'legacy' })),
  ];
};

/** Opcodes of the two-byte map that have no row at all, 3DNow!'s and the debug registers' neighbours among them. */
const ABSENT: readonly number[] = [
  0x04, 0x0a, 0x0c, 0x0e, 0x24, 0x25, 0x26, 0x27, 0x36, 0x37, 0x39, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x7a, 0x7b, 0xa6, 0xa7, 0xaa,
];

/** Everything that the given rows leave free and that is #UD. */
export const unassigned = (assigned: readonly Row[]): readonly Row[] => {
  const byOpcode = new Map<string, Row[]>();
  for (const r of assigned) {
    const key = `${r.map} ${r.opcode}`;
    if (r.vex === undefined) byOpcode.set(key, [...(byOpcode.get(key) ?? []), r]);
  }
  const selected = [...byOpcode.values()].flatMap((rows): readonly Row[] => {
    const { map, opcode } = rows[0];
    if (map === '1') return SELECTING.includes(opcode) ? uncovered(rows, map, opcode, null) : [];
    if (!rows.some((r) => r.prefix !== undefined)) return [];
    return PREFIXES.flatMap((prefix) => uncovered(rows, map, opcode, prefix));
  });
  return [...givenUp, ...groups, ...selected, ...ABSENT.map((opcode) => row('0f', opcode, 'invalid')), row('0f', 0x0f, 'invalid Pq,Qq,Ib')];
};
