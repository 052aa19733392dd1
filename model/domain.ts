/** A domain: memory, vCPUs, event channels, grants. */
import { NONE_NUMBERED, type Numbered } from './numbered.ts';
import type { Rangeset } from './rangeset.ts';
import type { Vcpu } from './vcpu.ts';
import type { Word } from './word/word.ts';

/** An event channel that is not free. `vcpu` is the one it notifies. */
export type Channel =
  | { readonly state: 'unbound'; readonly vcpu: number; readonly remoteDom: number }
  | { readonly state: 'interdomain'; readonly vcpu: number; readonly remoteDom: number; readonly remotePort: number }
  | { readonly state: 'pirq'; readonly vcpu: number; readonly pirq: number }
  | { readonly state: 'virq'; readonly vcpu: number; readonly virq: number }
  | { readonly state: 'ipi'; readonly vcpu: number };

/** What Xen keeps of a domain with the FIFO ABI: frames of its event array, and by vCPU where the control block is and how queues end. */
export type EvtchnFifo = { readonly eventArray: readonly number[]; readonly vcpus: readonly FifoVcpu[] };
/** `tails`: by priority, the last port of the queue; 0 = none. */
export type FifoVcpu = {
  readonly controlBlock: { readonly mfn: number; readonly offset: number } | null;
  readonly tails: readonly number[];
};
/** What Xen remembers of a port under the FIFO ABI. `kept`: it is raised when the page of its event word comes. */
export type FifoPort = { readonly priority: number; readonly kept: boolean };

/** Use of one grant reference by mappers, as Xen counts it. */
export type ActiveGrant = {
  readonly mfn: number;
  readonly domid: number;
  readonly hostRead: number;
  readonly hostWrite: number;
  readonly deviceRead: number;
  readonly deviceWrite: number;
  /** The part of the frame that a copy may touch; absent = the whole. Set while a copy goes on, and never for a mapping. */
  readonly part?: { readonly offset: number; readonly length: number };
  /** The grant of another domain that it passes on, while a copy goes on. */
  readonly passedOn?: { readonly domid: number; readonly ref: number };
};
/** A mapping that this domain made: whose grant, and the GNTMAP flags. */
export type Maptrack = { readonly domid: number; readonly ref: number; readonly flags: number };

export type GrantTable = {
  readonly frames: readonly number[];
  /** Version of its entries; absent = 1. */
  readonly version?: 1 | 2;
  /** Frames with the marks of use of version 2; absent = none. */
  readonly statusFrames?: readonly number[];
  /** By reference; nothing = nobody uses it. */
  readonly active: Numbered<ActiveGrant>;
  /** By handle; null = free. */
  readonly maptrack: readonly (Maptrack | null)[];
  /** For each 256 handles, the vCPU that they belong to. */
  readonly handleOwners: readonly number[];
  /** By vCPU: its free handles, next to use first. */
  readonly freeHandles: readonly (readonly number[])[];
};

/** A row of a memory map as it is kept: 20 bytes. */
export type MemoryMapRow = { readonly addr: Word; readonly size: Word; readonly type: number };

/**
 * How far the end of a domain has come: handles of grants, ports, vCPUs' page tables, then its frames: Xen's own (level 0) and three
 * rounds over the others, from frame `next` on; `dead`: nothing is left to do but what others still hold.
 */
export type Dying =
  | { readonly stage: 'mappings' }
  | { readonly stage: 'channels' }
  | { readonly stage: 'vcpus' }
  | { readonly stage: 'frames'; readonly level: 0 | 4 | 3 | 2; readonly next: number }
  | { readonly stage: 'dead' };

export type VirtualNodes = {
  readonly physical: readonly number[];
  readonly ranges: Uint8Array;
  readonly distances: Uint8Array;
  readonly ofVcpus: Uint8Array;
};

/** Mode and rate of a time-stamp counter, how often they were set, and the system time at which the counter said 0. */
export type TscInfo = { readonly mode: number; readonly khz: number; readonly incarnation: number; readonly offset: bigint };

export type Domain = {
  readonly domid: number;
  /** A 32-bit domain, and the address from which on its addresses are Xen's; absent = a 64-bit one. */
  readonly pv32?: { readonly virtStart: number };
  /** Absent = it lives. */
  readonly dying?: Dying;
  /** pfn i was built on frame firstMfn + i. */
  readonly firstMfn: number;
  /** Pages that the domain owns. */
  readonly pages: number;
  /** Most pages that it may have, and pages that are claimed for it beside those. */
  readonly maxPages: number;
  readonly claimed: number;
  /** Rows that XENMEM_set_memory_map stored; null before. */
  readonly memoryMap: readonly MemoryMapRow[] | null;
  readonly sharedInfo: number;
  /** Reason of SHUTDOWN when the domain is shut down. */
  readonly shutdown: number | null;
  readonly shutdownCode: number | null;
  /** VM_ASSIST bits (bit 32 is in use). */
  readonly vmAssist: bigint;
  readonly vcpus: readonly Vcpu[];
  /** By port; nothing = free. Port 0 is never used. */
  readonly channels: Numbered<Channel>;
  /** Ports of devices, and frames of their memory, that it may use; absent = as at first, all but what Xen keeps for domain 0 and none for others. */
  readonly ioports?: Rangeset;
  readonly iomem?: Rangeset;
  /** Ports that came to life so far; 0 = as at first, which is one block (`evtchn/port-block`). */
  readonly validPorts: number;
  /** Port at which a reset of the channels was interrupted; 0 or absent = none was. */
  readonly resettingPort?: number;
  /** How often domain 0 paused it and did not unpause it; absent = never. */
  readonly pauses?: number;
  /** Breakpoints and debug exceptions of its kernel are kept for a debugger. */
  readonly debugged?: boolean;
  /** Seconds by which its wall clock differs from Xen's, signed; absent = 0. */
  readonly timeOffset?: bigint;
  /** What settscinfo stored: `offset` in ns of system time; absent = as at first. */
  readonly tsc?: TscInfo;
  /** Virtual nodes; absent = none. `ranges`: 24 bytes each; `distances` and `ofVcpus`: 4 bytes each, as they were given. */
  readonly virtualNodes?: VirtualNodes | undefined;
  /** Nodes that its memory shall be of; absent = no wish. */
  readonly nodes?: bigint | undefined;
  /** What XEN_DOMCTL_setdomainhandle stored, 16 bytes; absent = zeros. */
  readonly handle?: Uint8Array;
  /** Weight and cap for the scheduler; absent = as at first. */
  readonly credit?: { readonly weight: number; readonly cap: number };
  /** Port that is notified when the domain suspends; 0 or absent = none. */
  readonly suspendPort?: number;
  /** Absent or null = the two-level ABI. */
  readonly fifo?: EvtchnFifo | null;
  /** By port, for as long as the domain lives: neither closing a port nor leaving the FIFO ABI forgets it. */
  readonly fifoPorts?: Numbered<FifoPort>;
  readonly grants: GrantTable;
  /** The two slots of SCHEDOP_watchdog. A slot that fired stays in use. */
  readonly watchdogs: readonly { readonly inUse: boolean; readonly deadline: number | null }[];
  /** Bytes written to the console so far. */
  readonly consoleBytes: number;
  /** What the domain wrote to the address of PCI's configuration and to the clock's index; absent = 0. */
  readonly pciAddress?: number;
  readonly cmosIndex?: number;
  /** Frame of the page that tells which interrupts want their end told; absent = none. */
  readonly eoiMap?: number;
  /** Numbers of interrupts that the domain took by get_free_pirq; absent = none. */
  readonly pirqs?: readonly number[];
  /** System time (ns) that the counter of Xen's making was last read as; absent = never. */
  readonly tscLast?: number;
};

export const EMPTY_GRANTS: GrantTable = { frames: [], active: NONE_NUMBERED, maptrack: [], handleOwners: [], freeHandles: [] };
