/** The whole machine of the executor: memory, frame table, domains, pCPUs, time, and the events of the input at work. */
import { LINES_OF_XEN } from '#spec/abi/physdev.ts';
import { CREDIT2_RATELIMIT, CSTATES_AT_FIRST, TRC_ALL } from '#spec/abi/sysctl.ts';
import type { MachineConfig } from '#spec/config.ts';
import type { Event } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { type Ways, waysOf } from '#spec/releases/changes.ts';
import { reservedHigh, walk, XEN_READ, XEN_WRITE } from '../cpu/walk.ts';
import type { Memory } from '../memory.ts';
import type { Domain } from './domain.ts';
import { FrameTable } from './frame_table.ts';
import { ioFramesAtFirst, ioPortsAtFirst } from './io_capabilities.ts';
import { freeFrame } from './memory/allocate.ts';
import type { Heap } from './memory/heap.ts';
import { assignIoFrames } from './mm/io_memory.ts';
import type { Pcpu } from './pcpu.ts';
import { TlbClock } from './tlbflush.ts';
import { isCanonical } from './u64.ts';
import type { Vcpu } from './vcpu.ts';
import { WorkMeter } from './work_meter.ts';
import { XenTranslations } from './xen_translations.ts';

/** Upper half of the addresses at which Xen finds arguments that it has translated, and how many bytes there are: no guest has anything there. */
export const XLAT_HI: number = 0xffffe000 | 0;
export const XLAT_BYTES = 8192;

/** Width of physical addresses by CPUID leaf 0x80000008; 36 bits when the configuration does not say. */
const physicalBits = (config: MachineConfig): number => {
  const row = config.cpu.cpuid.find(({ leaf }) => leaf >>> 0 === 0x80000008);
  return (row?.eax ?? 36) & 0xff;
};

export class Machine {
  readonly config: MachineConfig;
  /** What its release does where releases differ. */
  readonly ways: Ways;
  readonly memory: Memory;
  readonly frames: FrameTable;
  /** In the order of the configuration. */
  readonly domains: Domain[] = [];
  private readonly byDomid = new Map<number, Domain>();
  private ordered: readonly Domain[] = [];
  readonly pcpus: Pcpu[] = [];
  readonly tlb: TlbClock;
  /** System time in ns. */
  now = 0;
  /** Steps on all CPUs, and those taken since the last time input (they make the TSC move). */
  retired = 0;
  retiredSinceTime = 0;
  /** The time-stamp counter at `now`. */
  tscAtNow = 0n;
  /** SHUTDOWN reason with which dom0's end stopped the machine. */
  halted: number | null = null;
  /** Machine address of what a 32-bit guest's call at work was translated into; -1 at all other times. */
  xlat = -1;
  /** First frame of the machine-to-physical table of 32-bit domains; -1 when there is none of these. */
  compatM2p = -1;
  /** Next frame of Xen's heap. */
  xenheapNext: number;
  /** Frames of Xen's heap that were given back: the last one is handed out first, before fresh ones. */
  readonly xenheapFree: number[] = [];
  /** Domains' memory that no domain has: all frames from `firstFree` on at first; null until somebody asks. */
  firstFree: number;
  heap: Heap | null = null;
  /** Pages that domains have claimed and not been given. */
  claims = 0;
  /** A timer was set to a time that has come. */
  timerDue = false;
  /** ns since 1970 at Xen's time 0, modulo 2^64. */
  wallclock: bigint;
  /** Who is told of a global VIRQ in place of domain 0. */
  readonly virqHandlers = new Map<number, Domain>();
  /** What domain 0 sets by sysctl: the scheduler's least time, events to be traced, the deepest idle states, whether threads of a core are preferred. */
  rateLimit: number = CREDIT2_RATELIMIT.atFirst;
  traceEvents: number = TRC_ALL;
  readonly cstates: number[];
  prefersThreads = false;
  /** Lines of the I/O APIC that were set up. */
  readonly linesSetUp: Set<number> = new Set(LINES_OF_XEN);
  /** Of each kind of image for kexec (a bit), which of two places counts. */
  kexecPlaces = 0;
  /** Domain 0 has made itself the primary profiler. */
  hasProfiler = false;
  /** Settings of Xen that domain 0 wrote, by name: their bytes, a NUL behind a text. */
  readonly settings = new Map<string, Uint8Array>();
  /** Bytes typed at Xen's console that dom0 has not read. */
  consoleInput: number[] = [];
  /** When vcpu_time_info was refreshed last, ns. */
  timeRefreshed = 0;
  /** Calls that `lenient` answered with -ENOSYS are told by an event; all events of the input at work. */
  events: Event[] = [];
  /** How often long operations asked, in the input at work, whether they should stop; and the questions to be answered yes. */
  questions = 0;
  preempt: readonly number[] | null = null;
  readonly work = new WorkMeter();
  private readonly translations: XenTranslations;
  /** Width of physical addresses, and the bits of page-table entries' upper halves that it leaves reserved. */
  readonly physicalBits: number;
  readonly reserved: number;

  constructor(config: MachineConfig, memory: Memory) {
    this.config = config;
    this.ways = waysOf(config.release);
    this.cstates = [...CSTATES_AT_FIRST[this.ways['pm_op-states']]];
    this.wallclock = BigInt(config.wallclock_sec) * 1_000_000_000n;
    this.memory = memory;
    this.translations = new XenTranslations(memory);
    this.frames = new FrameTable(config.frames);
    this.tlb = new TlbClock(config.pcpus);
    assignIoFrames(this.frames);
    this.xenheapNext = config.layout.xenheap_first;
    this.firstFree = config.frames;
    this.frames.onLastReference = (mfn) => freeFrame(this, mfn);
    this.physicalBits = physicalBits(config);
    this.reserved = reservedHigh(this.physicalBits);
  }

  addDomain(domain: Domain): void {
    const ways = domain.privileged ? this.ways : null;
    domain.ioPorts = ioPortsAtFirst(ways);
    domain.ioFrames = ioFramesAtFirst(ways);
    this.domains.push(domain);
    this.ordered = [...this.domains].sort((a, b) => a.domid - b.domid);
    this.byDomid.set(domain.domid, domain);
  }

  /** Nothing of the domain is left. */
  removeDomain(domain: Domain): void {
    this.domains.splice(this.domains.indexOf(domain), 1);
    this.ordered = this.ordered.filter((other) => other !== domain);
    this.byDomid.delete(domain.domid);
  }

  domainsByDomid(): readonly Domain[] {
    return this.ordered;
  }

  /** A timer was set; one whose time has come fires before Xen returns to the guest. */
  noteTimer(deadline: number | null): void {
    if (deadline !== null && deadline <= this.now) this.timerDue = true;
  }

  domainById(domid: number): Domain | undefined {
    return this.byDomid.get(domid);
  }

  /** Machine address of a guest address under the table `root` as Xen itself would touch it; -1 when it faults or leads outside RAM. */
  translate(root: number, lo: number, hi: number, write: boolean): number {
    const known = this.translations.find(root, lo, hi, write);
    if (known >= 0) return known;
    if (!isCanonical(hi)) return -1;
    const found = walk(this.memory, root, lo, hi, write ? XEN_WRITE : XEN_READ, this.reserved);
    if (!found.ok && hi === XLAT_HI && this.xlat >= 0 && lo >>> 0 < XLAT_BYTES) return this.xlat + lo;
    if (!found.ok) return -1;
    if (found.maddr >= this.memory.bytes.length) throw new NotModelled('memory/mmio');
    this.translations.fill(root, lo, hi, write, found.maddr);
    return found.maddr;
  }

  emit(event: Event): void {
    this.events.push(event);
  }

  /** The guest asked for what the slice lacks: stops the run, or when lenient tells it; the caller then answers -ENOSYS. */
  notModelled(vcpu: Vcpu, what: string): void {
    if (!this.config.lenient) throw new NotModelled(what);
    this.emit({ kind: 'not_modelled', at: vcpu.ref, what });
  }
}
