/** hypfs_op: paths that lead somewhere and nowhere, and what settings take. Others than domain 0 are refused before any of it is looked at. */
import { HYPFS_MOST_PATH, HYPFS_MOST_SETTING, XEN_HYPFS_OP } from '#spec/abi/hypfs.ts';
import type { Argument } from '#spec/program.ts';
import { type Args, type Operation, operation, POINTERS, wrong } from './operation.ts';

const FAR = '0xffffffffffffffff';
/** Paths that can be read whole: how Xen was configured is not modelled. */
const PATHS = [
  '/',
  '/buildinfo',
  '/buildinfo/version/major',
  '/buildinfo/version/extra',
  '/buildinfo/compileinfo/',
  '/buildinfo/changeset',
  '/cpupool',
  '/cpupool//',
  '/cpupool/0/sched-gran',
  '/params',
  '/params/conswitch',
  '/params/global-pages',
  '/params/gnttab_max_frames',
  '/params/loglvl',
  '/params/pcid',
];
const WRONG_PATHS = {
  absent: '/params/none',
  'no slash': 'params',
  'two slashes': '//params',
  'behind a leaf': '/params/pcid/x',
  'no pool': '/cpupool/1',
  'no number': '/cpupool/x',
  'no directory': '/params/pcid/',
};
/**
 * What may be written where, and what may not. Nothing of it reaches a guest; the keys of Xen's console stay as they are, and Xen goes on to say there how
 * machines end.
 */
const SETTINGS: readonly (readonly [path: string, texts: readonly string[]])[] = [
  ['/params/pcid', ['off', 'on', 'yes', 'xpti', 'no-xpti', 'xpti=no', 'noxpti', 'no-xpti=1', '']],
  ['/params/loglvl', ['warning/warning', 'warning', 'warning/none', 'warning/bogus', '']],
  ['/params/guest_loglvl', ['none/warning', 'none', 'none/x', 'none/warning/x']],
  ['/params/gnttab_max_frames', ['64', '0x40', '0100', '', '12x', '2147483648', '18446744073709551617']],
  ['/params/gnttab_max_maptrack_frames', ['1024', '08']],
  ['/params/console_timestamps', ['none', 'off', 'stamps']],
  ['/params/ept', ['exec-sp', 'x']],
  ['/params/crash-debug-panic', ['', 'r', 'a text that is longer than 32 bytes']],
  ['/cpupool/0/sched-gran', ['cpu', 'core', 'thread', 'a text that is longer than 8 bytes']],
  ['/params', ['x']],
  ['/buildinfo/version/major', ['4']],
];

const pathOf = (path: string): Args => [{ text: path }, path.length + 1];
const read = (path: string, room = 512): Args => [XEN_HYPFS_OP.read, ...pathOf(path), { buffer: room, show: 'bytes' }, room];
const write = (path: string, text: string, bytes = text.length + 1): Args => [
  XEN_HYPFS_OP.write_contents,
  ...pathOf(path),
  { text },
  bytes,
];

/** Both the path and its length. */
const wrongPaths = Object.entries(WRONG_PATHS).map(([manner, path]) => ({
  argument: 'path',
  manner,
  apply: ([cmd, , , ...rest]: Args): Args => [cmd, ...pathOf(path), ...rest],
}));
const PATH_FAULTS = [
  wrong(0, 'command', { unknown: 99 }),
  wrongPaths,
  wrong(2, 'length of the path', { none: 0, short: 1, long: 200, many: HYPFS_MOST_PATH + 1, far: FAR }),
];
const NOTHING: Readonly<Record<string, Argument>> = { some: 1 };

export const HYPFS: readonly Operation[] = [
  operation('hypfs_op/get_version', [XEN_HYPFS_OP.get_version, 0, 0, 0, 0], {
    faults: [wrong(1, 'path', NOTHING), wrong(2, 'length of the path', NOTHING), wrong(3, 'buffer', NOTHING), wrong(4, 'length', NOTHING)],
  }),
  operation('hypfs_op/read', read('/params'), {
    variants: PATHS.map((path) => read(path)),
    faults: [...PATH_FAULTS, wrong(4, 'length', { none: 0, few: 11, head: 12, short: 100 })],
  }),
  operation('hypfs_op/write_contents', write('/params/pcid', 'xpti'), {
    variants: [
      ...SETTINGS.flatMap(([path, texts]) => texts.map((text) => write(path, text))),
      write('/params/global-pages', '', 1),
      write('/params/global-pages', 'ab', 2),
    ],
    faults: [
      ...PATH_FAULTS,
      wrong(3, 'contents', { ...POINTERS }),
      wrong(4, 'length', { none: 0, 'without its end': 4, most: HYPFS_MOST_SETTING + 1, far: FAR, 'the same': '0x100000005' }),
    ],
  }),
];
