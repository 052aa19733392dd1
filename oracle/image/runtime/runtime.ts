/** The guest runtime: the same bytes in every image, assembled once. */
import { HYPERCALL, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { Assembler } from '../asm/assembler.ts';
import { assembleText, type Constants } from '../asm/text.ts';
import * as layout from '../layout.ts';
import { patchDomctls } from '../toolstack/domctl.ts';
import { CALLS } from './calls.ts';
import { FIELDS } from './fields.ts';
import { PRINT } from './print.ts';
import { REPORT, REPORT_TEXTS } from './report.ts';
import { REST } from './rest.ts';
import { START } from './start.ts';
import { SYMBOL_TEXTS, SYMBOLS } from './symbols.ts';
import { TOOLSTACK } from './toolstack.ts';
import { STUBS, TRAP_TEXTS, TRAPS } from './traps.ts';
import { USER } from './user.ts';
import { WAIT } from './wait.ts';

const numbers = (prefix: string, table: Readonly<Record<string, unknown>>): [string, number][] =>
  Object.entries(table).flatMap(([name, value]) => (typeof value === 'number' ? [[prefix + name, value]] : []));

const CONSTANTS: Constants = Object.fromEntries([
  ...numbers('', layout),
  ...numbers('VAR.', layout.VAR),
  ...numbers('HYPERCALL_', HYPERCALL),
  ...numbers('VCPUOP_', SUBOPERATIONS.vcpu_op),
  ...numbers('DOMID_', DOMID),
]);

export type Runtime = {
  readonly bytes: Uint8Array;
  readonly labels: ReadonlyMap<string, number>;
};

/** A text with its length before it, as `put_text` takes it. */
export const countedText = (text: string): Uint8Array => {
  const bytes = new Uint8Array(text.length + 2);
  bytes[0] = text.length & 0xff;
  bytes[1] = text.length >> 8;
  for (let i = 0; i < text.length; i++) bytes[i + 2] = text.charCodeAt(i);
  return bytes;
};

/** Trap table that catches every vector; kernel and user mode may raise breakpoint, overflow and 0x80 by software. */
const trapTable = (a: Assembler): void => {
  a.align(16);
  a.label('trap_table');
  const view = new DataView(new ArrayBuffer(16));
  for (let vector = 0; vector < 256; vector++) {
    const user = vector === 3 || vector === 4 || vector === 0x80;
    view.setUint8(0, vector);
    view.setUint8(1, user ? 3 : 0);
    view.setUint16(2, 0xe033, true);
    view.setBigUint64(8, BigInt(a.addressOf('catch_stubs') + 16 * vector), true);
    a.data(new Uint8Array(view.buffer));
  }
  a.data(new Uint8Array(16));
};

const PROGRAMS_CELL = 'programs_cell';

const build = (): Runtime => {
  const a = new Assembler(layout.RUNTIME);
  const constants: Constants = { ...CONSTANTS };
  const run = (source: string) => assembleText(a, source.replace(/mov (\w+), M2P/g, `movabs $1, ${layout.M2P}`), constants);
  run(START);
  run(`programs:\n jmp [${PROGRAMS_CELL}]`);
  run(PRINT);
  run(SYMBOLS);
  run(TRAPS);
  run(REPORT);
  run(FIELDS);
  run(CALLS);
  run(WAIT);
  run(USER);
  run(TOOLSTACK);
  run(STUBS);
  for (const [label, text] of Object.entries({ ...SYMBOL_TEXTS, ...TRAP_TEXTS, ...REPORT_TEXTS })) {
    a.label(label);
    a.data(countedText(text));
  }
  trapTable(a);
  a.label(PROGRAMS_CELL);
  a.quad(0);
  run(REST);
  const { bytes, labels } = a.finish();
  if (layout.RUNTIME + bytes.length > layout.BSS) throw new RangeError('the runtime does not fit its pages');
  return { bytes, labels };
};

let built: Runtime | undefined;
/** The runtime without programs. */
export const runtime = (): Runtime => {
  built ??= build();
  return built;
};

const DOMCTLS = [
  'peer_max_mem',
  'peer_max_vcpus',
  'peer_info',
  'peer_hypercalls',
  'peer_context',
  'peer_unpause',
  'rest_info',
  'rest_pause',
] as const;

/** The runtime's bytes with the address where the first program starts, for a release of Xen. */
export const runtimeFor = (programs: number, release: XenRelease = REFERENCE_RELEASE): Uint8Array => {
  const { bytes, labels } = runtime();
  const copy = bytes.slice();
  const at = (label: string): number => (labels.get(label) as number) - layout.RUNTIME;
  patchDomctls(copy, release, [at('peer_create'), ...DOMCTLS.map(at)]);
  new DataView(copy.buffer).setBigUint64((labels.get(PROGRAMS_CELL) as number) - layout.RUNTIME, BigInt(programs), true);
  return copy;
};
