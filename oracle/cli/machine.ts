/** The machine that `run` boots, and how it stands in a trace. */
import { MachineConfig } from '#spec/config.ts';
import { BadInput } from '#spec/failure.ts';
import { debian } from '#spec/machines/debian.ts';
import { dom0, domU } from '#spec/machines/debian_4_17.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { sha256 } from '#traces/file.ts';
import { firstProblem, TRACE_FORMAT, TRACE_VERSION, type TraceHeader } from '#traces/format.ts';
import type { EngineName } from '../campaign/engines.ts';
import { DEFAULT_POLICY } from '../campaign/environment.ts';
import { readBytes } from './files.ts';
import { version } from './version.ts';

const MAX_MACHINE_BYTES = 1 << 20;

/** A machine from a file, such as the machine.json of a counterexample. Throws BadInput. */
export const machineFromFile = (path: string, images: number): MachineConfig => {
  const text = new TextDecoder().decode(readBytes(path, MAX_MACHINE_BYTES));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadInput(`${path}: not JSON`);
  }
  const parsed = MachineConfig.safeParse(value);
  if (!parsed.success) throw new BadInput(`${path}: ${firstProblem(parsed.error)}`);
  const { domains } = parsed.data;
  if (domains.length !== images) throw new BadInput(`${path}: a machine of ${domains.length} domains, and ${images} images`);
  return parsed.data;
};

/** Memory in MiB. */
export type MachineWish = {
  readonly domains: number;
  readonly cmdline: string;
  readonly memory: number;
  readonly domUMemory: number;
  readonly lenient: boolean;
  /** Of Xen; the reference when not given. */
  readonly xen?: XenRelease | undefined;
};

const MOST_DOMAINS = 16;
/** Frames of the M2P begin at a multiple of this, and so does what follows them. */
const M2P_UNIT = 512;

/** The reference machine; larger than that, with the same arrangement, when its domains need more memory. Throws BadInput. */
export const machineFor = (wish: MachineWish): MachineConfig => {
  if (wish.domains > MOST_DOMAINS) throw new BadInput(`${wish.domains} domains; there can be ${MOST_DOMAINS}`);
  const others = Array.from({ length: wish.domains - 1 }, (_, i) => domU(i + 1, '', wish.domUMemory));
  const domains = [dom0(wish.cmdline, wish.memory), ...others];
  const config = debian(wish.xen ?? REFERENCE_RELEASE, domains, wish.lenient);
  const { layout } = config;
  const pages = domains.reduce((sum, d) => sum + d.pages, 0);
  if (layout.domheap_first + pages <= config.frames) return config;
  // The M2P grows with the memory, and moves what lies behind it.
  const upTo = (frames: number, unit: number): number => Math.ceil(frames / unit) * unit;
  const m2p = (frames: number): number => upTo(Math.ceil(frames / M2P_UNIT), M2P_UNIT);
  const room = layout.xenheap_first - layout.m2p_first;
  const estimate = layout.domheap_first + pages;
  const shift = Math.max(0, m2p(estimate + m2p(estimate) + M2P_UNIT) - room);
  return {
    ...config,
    frames: upTo(estimate + shift, M2P_UNIT),
    layout: {
      m2p_first: layout.m2p_first,
      xenheap_first: layout.xenheap_first + shift,
      xenheap_end: layout.xenheap_end + shift,
      domheap_first: layout.domheap_first + shift,
    },
  };
};

/** Header of the trace that an engine's run makes of itself. */
export const headerOfRun = (engine: EngineName, title: string, machine: MachineConfig, images: readonly Uint8Array[]): TraceHeader => ({
  record: 'header',
  format: TRACE_FORMAT,
  version: TRACE_VERSION,
  producer: { name: engine, version: version(), details: {} },
  title,
  visible: ['console', 'end', 'events'],
  machine,
  images: images.map((elf, i) => ({ domid: machine.domains[i]!.domid, sha256: sha256(elf), elf: Buffer.from(elf).toString('base64') })),
  policy: DEFAULT_POLICY,
  program: null,
  seed: null,
  clauses: [],
});
