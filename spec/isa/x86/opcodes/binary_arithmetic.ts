/** Binary arithmetic: SDM volume 1, 5.1.2. */
import { type Extra, LEGACY, range, row } from './make.ts';

const ARITH = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'] as const;
const lockable = (m: string): Extra => (m === 'cmp' ? {} : { lock: true });

/** The eight operations of the first 64 opcodes; three of them belong to logical.ts. */
export const operations = (names: readonly string[]) =>
  ARITH.flatMap((m, i) =>
    names.includes(m)
      ? [
          row('1', i * 8 + 0, `${m} Eb,Gb`, lockable(m)),
          row('1', i * 8 + 1, `${m} Ev,Gv`, lockable(m)),
          row('1', i * 8 + 2, `${m} Gb,Eb`),
          row('1', i * 8 + 3, `${m} Gv,Ev`),
          row('1', i * 8 + 4, `${m} AL,Ib`),
          row('1', i * 8 + 5, `${m} rAX,Iz`),
          row('1', 0x80, `${m} Eb,Ib`, { ext: i, ...lockable(m) }),
          row('1', 0x81, `${m} Ev,Iz`, { ext: i, ...lockable(m) }),
          // The same as 80; 64-bit mode gave it up.
          row('1', 0x82, `${m} Eb,Ib`, { ext: i, ...lockable(m), ...LEGACY }),
          row('1', 0x83, `${m} Ev,sb`, { ext: i, ...lockable(m) }),
        ]
      : [],
  );

/** One byte each outside 64-bit mode, where they are the REX prefixes. */
const short = range(8).flatMap((i) => [row('1', 0x40 + i, 'inc Zv', LEGACY), row('1', 0x48 + i, 'dec Zv', LEGACY)]);

export const BINARY_ARITHMETIC = [
  ...operations(['add', 'adc', 'sbb', 'sub', 'cmp']),
  ...short,
  row('1', 0xf6, 'neg Eb', { ext: 3, lock: true }),
  row('1', 0xf7, 'neg Ev', { ext: 3, lock: true }),
  row('1', 0xf6, 'mul Eb', { ext: 4 }),
  row('1', 0xf7, 'mul Ev', { ext: 4 }),
  row('1', 0xf6, 'imul Eb', { ext: 5 }),
  row('1', 0xf7, 'imul Ev', { ext: 5 }),
  row('1', 0xf6, 'div Eb', { ext: 6 }),
  row('1', 0xf7, 'div Ev', { ext: 6 }),
  row('1', 0xf6, 'idiv Eb', { ext: 7 }),
  row('1', 0xf7, 'idiv Ev', { ext: 7 }),
  row('1', 0xfe, 'inc Eb', { ext: 0, lock: true }),
  row('1', 0xff, 'inc Ev', { ext: 0, lock: true }),
  row('1', 0xfe, 'dec Eb', { ext: 1, lock: true }),
  row('1', 0xff, 'dec Ev', { ext: 1, lock: true }),
  row('0f', 0xaf, 'imul Gv,Ev'),
  row('1', 0x69, 'imul Gv,Ev,Iz'),
  row('1', 0x6b, 'imul Gv,Ev,sb'),
  row('0f38', 0xf6, 'adcx Gy,Ey', { prefix: '66', feature: 'adx' }),
  row('0f38', 0xf6, 'adox Gy,Ey', { prefix: 'f3', feature: 'adx' }),
];
