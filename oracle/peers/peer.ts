/** Peers: machines that nobody here wrote. They run an image and tell what could be seen from outside. */
import type { MachineConfig } from '#spec/config.ts';
import type { XenRelease } from '#spec/releases/release.ts';
import type { TraceRecord } from '#traces/format.ts';
import type { Outcome } from '../image/toolstack/journal.ts';
import type { Guest } from '../image/toolstack/module.ts';

/** How a run on a peer came to its end. */
export type Ended =
  /** Domain 0 shut down, or was crashed by Xen (reason 3): SHUTDOWN reason. */
  | { readonly kind: 'shutdown'; readonly reason: number }
  /** The peer would not start the image. */
  | { readonly kind: 'refused'; readonly why: string }
  /** The machine went away without saying how domain 0 ended. */
  | { readonly kind: 'stopped'; readonly why: string }
  /** The recorder gave up after so many seconds of wall time. */
  | { readonly kind: 'timeout'; readonly seconds: number };

/** What was seen of one run. */
export type Recording = {
  /** The machine as the peer really is: the configuration asked for, with what the peer says about itself. */
  readonly machine: MachineConfig;
  readonly ended: Ended;
  /** Each domain's console, in the order of the configuration, one character (U+0000..U+00FF) a byte; null when it was not shown. */
  readonly consoles: readonly (string | null)[];
  /** What the peer itself said while the guest ran, line by line: dumps of crashes, warnings. */
  readonly remarks: readonly string[];
  /** Wall time. */
  readonly seconds: number;
  readonly records: readonly TraceRecord[];
};

export type RecordOptions = {
  /** Wall time after which the run is given up. */
  readonly timeoutSeconds?: number;
};

/** What was seen of one program inside a fresh domain. `lost`: it took the machine with it. */
export type Farmed = { readonly outcome: Outcome | { readonly kind: 'lost'; readonly why: string }; readonly log: string };

/** How far a boot came: what was seen of the first guests, in their order; `why` says how the boot ended. `machine` is what it really was. */
export type FarmBoot = { readonly seen: readonly Farmed[]; readonly why: string; readonly machine: MachineConfig };

/** Many runs on machines that are kept in between. */
export type Session = {
  /** As the peer's own; an image that ends at CRADLE_END is laid into a machine that has booted already. */
  record(images: readonly Uint8Array[], machine: MachineConfig, options?: RecordOptions): Promise<Recording>;
  /** Each guest alone as domain 1, a fresh domain each, many in one boot. */
  farm(guests: readonly Guest[], machine: MachineConfig, options?: RecordOptions): Promise<FarmBoot>;
  close(): Promise<void>;
};

export type Peer = {
  readonly available: true;
  readonly name: string;
  readonly version: string;
  /** The release of Xen that its machines must have. */
  readonly release: XenRelease;
  /** What else a reader must know to repeat a recording; no paths. */
  readonly details: Readonly<Record<string, string>>;
  /** Runs that make sense at once. */
  readonly width: number;
  /** Most domains that a machine may have. */
  readonly domains: number;
  /** One image for each domain. Throws BadInput for a machine that the peer cannot be, e.g. one with too many domains. */
  record(images: readonly Uint8Array[], machine: MachineConfig, options?: RecordOptions): Promise<Recording>;
  /** Absent where nothing is faster than single runs. */
  session?(): Session;
};

/** The peer is not on this machine. `why` names what is missing and how to get it. */
export type Unavailable = { readonly available: false; readonly name: string; readonly why: string };
