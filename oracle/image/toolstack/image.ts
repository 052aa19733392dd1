/** The toolstack: a kernel for domain 0 that runs generated programs as domain 1, many in one boot of real Xen. */
import { HYPERCALL, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { XenRelease } from '#spec/releases/release.ts';
import { Assembler } from '../asm/assembler.ts';
import { assembleText, type Constants } from '../asm/text.ts';
import { writeElf } from '../elf.ts';
import { LOG_BYTES, VIRT_BASE } from '../layout.ts';
import { BUILD } from './build.ts';
import { patchDomctls } from './domctl.ts';
import * as format from './format.ts';
import * as layout from './layout.ts';
import { SERVE } from './serve.ts';

const SECOND_NS = 1_000_000_000;
/** Wide constants, put in where the text loads them. */
const WIDE: Readonly<Record<string, bigint | number>> = {
  JOURNAL_MAGIC: format.JOURNAL_MAGIC,
  /** "journal " */
  JOURNAL_WORD: 0x206c616e72756f6an,
  /** A domain that still sleeps after so long will not wake; sleep costs nothing. */
  PATIENCE_NS: 200 * SECOND_NS,
  /** A domain that has computed for so long is in a loop. */
  CPU_NS: 80 * SECOND_NS,
  POLL_NS: SECOND_NS,
};

const numbers = (prefix: string, table: Readonly<Record<string, unknown>>): [string, number][] =>
  Object.entries(table).flatMap(([name, value]) => {
    if (typeof value === 'number') return [[prefix + name, value] as [string, number]];
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? numbers(`${prefix + name}.`, value as Record<string, unknown>)
      : [];
  });

const CONSTANTS: Constants = Object.fromEntries([
  ...numbers('', format),
  ...numbers('', layout),
  ...numbers('HYPERCALL_', HYPERCALL),
  ...numbers('VCPUOP_', SUBOPERATIONS.vcpu_op),
  ['LOG_BYTES', LOG_BYTES],
  ['JOURNAL_INDEX', 8 * ((layout.JOURNAL_AT - VIRT_BASE) / 4096)],
  ['TWO_RECORDS', 2 * format.LONGEST_RECORD],
  ['JOURNAL_END', layout.JOURNAL_AT + 4096 * format.JOURNAL_PAGES],
]);

const wide = (source: string): string =>
  source.replace(/mov (\w+), ([A-Z_]+)$/gm, (line, register, name) => (name in WIDE ? `movabs ${register}, ${WIDE[name]}` : line));

const DOMCTLS = ['do_create', 'do_max_mem', 'do_max_vcpus', 'do_info', 'do_hypercalls', 'do_context', 'do_unpause', 'do_destroy'] as const;

/** Its ELF file, for a release of Xen; domain 0's module says what to run. */
export const toolstackImage = (release: XenRelease): Uint8Array => {
  const a = new Assembler(layout.CODE);
  for (const source of [SERVE, BUILD]) assembleText(a, wide(source), CONSTANTS);
  const { bytes, labels } = a.finish();
  if (layout.CODE + bytes.length > layout.BSS) throw new RangeError('the toolstack does not fit its pages');
  const at = (label: string): number => (labels.get(label) as number) - layout.CODE;
  patchDomctls(bytes, release, [at(DOMCTLS[0]), ...DOMCTLS.slice(1).map(at)]);
  return writeElf({
    segments: [{ address: layout.CODE, bytes, size: layout.BSS_END - layout.CODE }],
    entry: labels.get('start') as number,
    virtBase: VIRT_BASE,
    hypercallPage: layout.OWN_HYPERCALL_PAGE,
  });
};
