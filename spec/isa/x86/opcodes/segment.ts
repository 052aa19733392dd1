/** Segment registers: SDM volume 1, 5.1.12, with the pushes and pops of them, and FSGSBASE. */
import { LEGACY, LONG, row } from './make.ts';

const pushes = (['ES', 'CS', 'SS', 'DS'] as const).flatMap((name, i) => [
  row('1', 0x06 + 8 * i, `push_seg ${name}`, LEGACY),
  ...(name === 'CS' ? [] : [row('1', 0x07 + 8 * i, `pop_seg ${name}`, LEGACY)]),
]);

const bases = (['rdfsbase', 'rdgsbase', 'wrfsbase', 'wrgsbase'] as const).map((name, ext) =>
  row('0f', 0xae, `${name} Ey`, { ext, mod: 'reg', prefix: 'f3', feature: 'fsgsbase', ...LONG }),
);

export const SEGMENT = [
  ...pushes,
  row('0f', 0xa0, 'push_seg FS', { size: 64 }),
  row('0f', 0xa1, 'pop_seg FS', { size: 64 }),
  row('0f', 0xa8, 'push_seg GS', { size: 64 }),
  row('0f', 0xa9, 'pop_seg GS', { size: 64 }),
  // With modrm of a register they are VEX prefixes, but in real and virtual-8086 mode nothing.
  row('1', 0xc4, 'les Gv,Mp', { mod: 'mem', ...LEGACY }),
  row('1', 0xc5, 'lds Gv,Mp', { mod: 'mem', ...LEGACY }),
  row('0f', 0xb2, 'lss Gv,Mp', { mod: 'mem' }),
  row('0f', 0xb4, 'lfs Gv,Mp', { mod: 'mem' }),
  row('0f', 0xb5, 'lgs Gv,Mp', { mod: 'mem' }),
  ...bases,
];
