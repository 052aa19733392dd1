/** A domain as Xen keeps it. */

import { CREDIT2_WEIGHT } from '#spec/abi/domctl.ts';
import { EVTCHNS_PER_BUCKET } from '#spec/abi/event_channel.ts';
import { NR_DOMAIN_WATCHDOG_TIMERS } from '#spec/abi/sched.ts';
import type { GuestCpu } from '../cpu/interface.ts';
import type { VirtualNodes } from './control/domctls/virtual_nodes.ts';
import type { FifoState } from './event_channel/fifo.ts';
import { UsedPorts } from './event_channel/used_ports.ts';
import { GrantState } from './grant_state.ts';
import { INFO_64, type InfoLayout } from './info_layout.ts';
import { ECS, Port } from './port.ts';
import { RangeSet } from './range_set.ts';
import { Vcpu } from './vcpu.ts';

/** `maxPages` of a domain that may have any number of pages, as domain 0 may. */
const NO_LIMIT = 0xffffffff;

export class Domain {
  readonly domid: number;
  readonly privileged: boolean;
  /** Its kernel is a 32-bit one (PAE). Chosen with `info` before it is built. */
  compat = false;
  info: InfoLayout = INFO_64;
  /** Where Xen begins for such a kernel. */
  hypervisorStart = 0;
  /** Pages of its allocation, the most it may have, and those claimed for it that it has not got. */
  pages: number;
  maxPages: number;
  claimed = 0;
  /** Rows of XENMEM_set_memory_map: address, size, type; null before. */
  memoryMap: readonly (readonly [address: bigint, size: bigint, type: number])[] | null = null;
  readonly vcpus: Vcpu[] = [];
  sharedInfoMfn = 0;
  /** SHUTDOWN reason once it is shut down. */
  shutdown: number | null = null;
  shutdownCode: number | null = null;
  /** Reasons for which none of its vCPUs may run, beside its shutdown: pauses by domain 0 and its own end. Zero: it may. */
  holds = 0;
  /** Pauses by domain 0. */
  pauses = 0;
  /** It is being destroyed, or dead and not gone yet; how far that is, and the frame from which the stage goes on. */
  dying: 'dying' | 'dead' | null = null;
  teardownStage = 0;
  teardownFrom = 0;
  /** What domain 0 has stored: its handle, weight and cap for the scheduler, the port that tells of its suspension (0: none). */
  readonly handle = new Uint8Array(16);
  weight = CREDIT2_WEIGHT;
  cap = 0;
  suspendPort = 0;
  /** Domain 0 marked it as debugged. Nodes that its memory shall be of, as a mask; null where nobody minds. */
  debugged = false;
  nodes: bigint | null = null;
  /** VMASST bits 0..31, and those from 32 up. */
  vmAssist = 0;
  vmAssistHigh = 0;
  /** Ports that were ever used, by number; see `portAt`. */
  readonly ports: (Port | null)[] = [null];
  /** Ports below this number have come to life; they may be free. */
  validPorts = EVTCHNS_PER_BUCKET;
  readonly usedPorts = new UsedPorts();
  /** Ports in use. */
  activePorts = 0;
  /** What it has for the FIFO ABI; null while it has the two-level one. */
  fifo: FifoState | null = null;
  /** Where an interrupted EVTCHNOP_reset goes on; 0 when none is under way. */
  nextPortToReset = 0;
  readonly grants = new GrantState();
  /** Deadlines of the watchdog slots in ns; null when not armed. */
  readonly watchdogs: (number | null)[] = new Array(NR_DOMAIN_WATCHDOG_TIMERS).fill(null);
  /** Slots that are taken; one that has fired stays so. */
  readonly watchdogInUse: boolean[] = new Array(NR_DOMAIN_WATCHDOG_TIMERS).fill(false);
  consoleBytes = 0;
  /** PCI's address register and the clock's index, which Xen keeps for the domain. */
  pciAddress = 0;
  cmosIndex = 0;
  /** The page that tells which interrupts want their end told; -1 when there is none. */
  eoiMapMfn = -1;
  /** Xen carries out RDTSC for it, by system time; the last time, ns, that was told. */
  emulatesTsc = false;
  lastTscTime = 0;
  /** What XEN_DOMCTL_settscinfo has set: mode, counter's rate (0: the processor's), system time at which it stood at 0, and how often it was set. */
  tscMode = 0;
  tscKhz = 0;
  tscOffset = 0n;
  tscIncarnation = 1;
  /** Nodes that domain 0 lets it believe in; null for none. */
  virtualNodes: VirtualNodes | null = null;
  /** Seconds that its time of day differs from the machine's. */
  timeOffset = 0n;
  /** Ports, and frames of device memory, that it may use; the machine that it is added to says what it has at first. */
  ioPorts = new RangeSet();
  ioFrames = new RangeSet();
  /** Numbers of interrupts that were handed out to it. */
  readonly pirqs = new Set<number>();
  /** Numbers of the vCPUs that wait in SCHEDOP_poll. */
  readonly polling = new Set<number>();

  constructor(domid: number, pages: number, cpus: readonly GuestCpu[], maxPages: number = domid === 0 ? NO_LIMIT : pages) {
    this.domid = domid;
    this.privileged = domid === 0;
    this.pages = pages;
    this.maxPages = maxPages;
    for (const cpu of cpus) this.vcpus.push(new Vcpu(this, this.vcpus.length, cpu));
  }

  /** The port if it is in use (any state but free), else null. Port 0 is never in use. */
  portAt(port: number): Port | null {
    const found = port < this.ports.length ? this.ports[port] : null;
    return found && found.state !== ECS.free ? found : null;
  }

  /** The record of a valid port, made on first use. */
  portRecord(port: number): Port {
    while (this.ports.length <= port) this.ports.push(new Port(this.ports.length));
    return this.ports[port]!;
  }
}
