/**
 * Xen's settings as a file system: operations, entries, and the tree as data. Source: Xen public header `hypfs.h`; which entries there are, and how much
 * may be written to them, as Debian's Xen 4.17 tells it.
 */
import type { MachineConfig } from '../config.ts';
import type { XenRelease } from '../releases/release.ts';

export const XEN_HYPFS_OP = { get_version: 0, read: 1, write_contents: 2 } as const;
export const XEN_HYPFS_VERSION = 1;
/** Bytes of a path at most, its NUL included. */
export const HYPFS_MOST_PATH = 1024;

export const XEN_HYPFS_TYPE = { DIR: 0, BLOB: 1, STRING: 2, UINT: 3, INT: 4, BOOL: 5 } as const;
export const XEN_HYPFS_ENC = { PLAIN: 0, GZIP: 1 } as const;

/** What stands before any contents: type (1 byte), encoding (1), zero (2), bytes of contents (4), most bytes that may be written (4; 0: none). */
export const HYPFS_ENTRY_BYTES = 12;
/** In a directory's contents the distance to the next entry (2 bytes; 0: last) follows, then the name, its NUL and room up to a multiple of 4. */
export const HYPFS_NAME_AT = 14;
/** Bytes of one entry of a directory. */
export const hypfsListed = (nameBytes: number): number => HYPFS_NAME_AT + 4 * Math.ceil((nameBytes + 1) / 4);

/** What a `custom` setting takes at most, whatever its entry says. */
export const HYPFS_MOST_SETTING = 128;

/** Texts of the build. They cannot be written. */
type Fact = Exclude<
  {
    [K in keyof MachineConfig['xen']]: MachineConfig['xen'][K] extends string | number ? K : never;
  }[keyof MachineConfig['xen']],
  undefined
>;

/**
 * How a setting is written. `bytes`: as it is, a string with its NUL; `truth`: one byte; the others are texts that Xen understands or refuses:
 * `levels` two thresholds of the log, `pcid` one of four ways, `timestamps` one of five, `limit` a number, `ept` nothing, since the processor is no Intel.
 */
export type HypfsSetting = 'bytes' | 'truth' | 'levels' | 'pcid' | 'timestamps' | 'limit' | 'ept';

export type HypfsNode =
  | { readonly kind: 'dir'; readonly entries: Readonly<Record<string, HypfsNode>> }
  | { readonly kind: 'fact'; readonly of: Fact }
  /** How Xen was configured, compressed; `bytes` long. */
  | { readonly kind: 'config'; readonly bytes: number }
  /** `most`: bytes that may be written, as the entry says. */
  | { readonly kind: 'setting'; readonly setting: HypfsSetting; readonly most: number }
  /** A directory for each pool of processors, named by its number: there is pool 0. */
  | { readonly kind: 'pools' };

const fact = (of: Fact): HypfsNode => ({ kind: 'fact', of });
const setting = (kind: HypfsSetting, most: number): HypfsNode => ({ kind: 'setting', setting: kind, most });

const CRASH_ACTION = setting('bytes', 32);
const CRASH_ACTIONS: Readonly<Record<string, HypfsNode>> = {
  'crash-debug-debugkey': CRASH_ACTION,
  'crash-debug-hwdom': CRASH_ACTION,
  'crash-debug-kexeccmd': CRASH_ACTION,
  'crash-debug-panic': CRASH_ACTION,
  'crash-debug-watchdog': CRASH_ACTION,
};

/** `configBytes`: of the compressed configuration. 4.14 has no directory of pools, and nothing says what to do at a crash. */
const rootWith = (configBytes: number, isOld: boolean): Readonly<Record<string, HypfsNode>> => ({
  buildinfo: {
    kind: 'dir',
    entries: {
      changeset: fact('changeset'),
      compileinfo: {
        kind: 'dir',
        entries: {
          compile_by: fact('compile_by'),
          compile_date: fact('compile_date'),
          compile_domain: fact('compile_domain'),
          compiler: fact('compiler'),
        },
      },
      config: { kind: 'config', bytes: configBytes },
      version: { kind: 'dir', entries: { extra: fact('extraversion'), major: fact('major'), minor: fact('minor') } },
    },
  },
  ...(isOld ? {} : { cpupool: { kind: 'pools' } }),
  params: {
    kind: 'dir',
    entries: {
      console_timestamps: setting('timestamps', 7),
      conswitch: setting('bytes', 3),
      ...(isOld ? {} : CRASH_ACTIONS),
      ept: setting('ept', 10),
      'global-pages': setting('truth', 1),
      gnttab_max_frames: setting('limit', 12),
      gnttab_max_maptrack_frames: setting('limit', 12),
      guest_loglvl: setting('levels', 16),
      loglvl: setting('levels', 16),
      pcid: setting('pcid', 7),
    },
  },
});

const ROOTS: Readonly<Record<XenRelease, Readonly<Record<string, HypfsNode>>>> = {
  '4.14': rootWith(806, true),
  '4.17': rootWith(977, false),
  '4.20': rootWith(1091, false),
};
/** By the names' bytes in ascending order, as directories are told. The same object for the same release. */
export const hypfsRoot = (release: XenRelease): Readonly<Record<string, HypfsNode>> => ROOTS[release];

/** What pool 0's directory has, and what it says: threads of processors are scheduled one by one. */
export const HYPFS_POOL = { entry: 'sched-gran', value: 'cpu', most: 8, values: ['cpu', 'core', 'socket'] } as const;

const AT_FIRST: Readonly<Record<string, string>> = {
  console_timestamps: 'none',
  conswitch: 'a',
  guest_loglvl: 'none/warning',
  loglvl: 'warning/warning',
  pcid: 'xpti',
};
const AT_FIRST_LATER: Readonly<Record<string, string>> = { ...AT_FIRST, loglvl: 'info/info' };
/** Settings at first; gnttab_max_frames and gnttab_max_maptrack_frames are the machine's limits. 'global-pages' is the one byte 0. */
export const hypfsAtFirst = (release: XenRelease): Readonly<Record<string, string>> => (release === '4.20' ? AT_FIRST_LATER : AT_FIRST);
/** Thresholds of the log by name; `debug` is another name of the last. A setting tells them as two with a slash between. */
export const HYPFS_LEVELS = ['none', 'error', 'warning', 'info', 'all'] as const;
