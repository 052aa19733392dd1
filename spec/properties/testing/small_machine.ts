/** Pictures of very small machines, for tests of the properties: only what a test names differs from a machine in which nothing is. */
import { debian_4_17 } from '../../machines/debian_4_17.ts';
import type { ActiveGrantObservation, DomainObservation, FrameObservation, PortObservation, VcpuObservation } from '../../observation.ts';
import type { View } from '../view.ts';

const machine = debian_4_17();

/** 0x7f0 frames: four of the machine-to-physical table from 0x200, two of the 32-bit one from 0x208, Xen's heap from 0x400 to 0x410. */
export const CONFIG: View['config'] = {
  ...machine,
  frames: 0x7f0,
  layout: { m2p_first: 0x200, compat_m2p_first: 0x208, xenheap_first: 0x400, xenheap_end: 0x410, domheap_first: 0x410 },
  xen: { ...machine.xen, max_grant_frames: 2, max_maptrack_frames: 1 },
};

/** One reference, that of its allocation to domain 0. */
export const frame = (mfn: number, change: Partial<FrameObservation> = {}): FrameObservation => ({
  ...{ mfn, owner: 0, refs: 1, type: 'none', type_refs: 0, pinned: false, partial: null },
  ...change,
});

export const vcpu = (change: Partial<VcpuObservation> = {}): VcpuObservation => ({
  ...{ vcpu: 0, mode: 'kernel', initialised: true, online: true, runstate: 'running', polling: false, gpr: [], rip: '0x0' },
  ...{ rflags: '0x202', cs: 0xe033, ss: 0xe02b, ds: 0, es: 0, fs: 0, gs: 0, fs_base: '0x0', gs_base: '0x0', gs_base_other: '0x0' },
  ...{ kernel_table: 0, user_table: 0, kernel_ss: 0, kernel_sp: '0x0', event_callback: '0x0', failsafe_callback: '0x0' },
  ...{ syscall_callback: '0x0', syscall32_callback: '0x0', sysenter_callback: '0x0', nmi_callback: '0x0', masking_callbacks: [] },
  ...{
    traps: [],
    dr: [],
    fpu: { x87: { control: 0, status: 0, tag: 0, registers: [] }, xmm: [], mxcsr: 0 },
    task_switched: false,
    iopl: 0,
  },
  ...{ gdt: { entries: 0, frames: [] }, ldt: { base: '0x0', entries: 0 }, io_bitmap: null, cr4: '0x0', periodic_period: null },
  ...{ singleshot: null, poll_deadline: null, vcpu_info: [0x400, 0], runstate_area: null, time_area: null, nmi_pending: false },
  ...change,
});

/** Its shared info is the frame of Xen's heap that has its number; no vCPU, no pages. */
export const domain = (domid: number, change: Partial<DomainObservation> = {}): DomainObservation => ({
  ...{ domid, pages: 0, max_pages: 0, claimed: 0, memory_map: null, shared_info: 0x400 + domid, shutdown: null, shutdown_code: null },
  ...{ vm_assist: '0x0', vcpus: [], ports: [], grant_frames: [], active_grants: [], maptrack: [], watchdogs: [], console_bytes: 0 },
  ...change,
});

export const port = (number: number, change: Partial<PortObservation> = {}): PortObservation => ({
  ...{ port: number, status: 'unbound', vcpu: 0, remote_dom: null, remote_port: null, number: null },
  ...change,
});

/** A grant of a frame that `domid` uses, mapped by nobody. */
export const activeGrant = (
  ref: number,
  domid: number,
  mfn: number,
  change: Partial<ActiveGrantObservation> = {},
): ActiveGrantObservation => ({
  ...{ ref, domid, mfn, host_read: 0, host_write: 0, device_read: 0, device_write: 0 },
  ...change,
});

export const PRESENT = 1n;
export const WRITABLE = 2n;
export const entry = (mfn: number, flags = PRESENT): bigint => (BigInt(mfn) << 12n) | flags;

/** By frame number, by index: the words of 64 bits that are not 0. */
export type Words = Readonly<Record<number, Readonly<Record<number, bigint>>>>;

/** The bytes of a frame. It begins inside a larger buffer, as frames of an engine do. */
export const bytesOf = (words: Readonly<Record<number, bigint>> = {}): Uint8Array => {
  const bytes = new Uint8Array(new ArrayBuffer(3 * 4096), 4096, 4096);
  const page = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const [index, word] of Object.entries(words)) page.setBigUint64(8 * Number(index), word, true);
  return bytes;
};

export type Parts = {
  readonly domains?: readonly DomainObservation[];
  readonly frames?: readonly FrameObservation[];
  readonly words?: Words;
  readonly cpus?: View['observation']['cpus'];
  readonly config?: View['config'];
};

export const small = ({
  domains = [domain(0)],
  frames = [],
  words = {},
  cpus = [{ current: null, holds: null, flushes: 0 }],
  config = CONFIG,
}: Parts): View => ({
  config,
  observation: { now: 0, retired: 0, halted: null, cpus, domains, memory: '', frames: '' },
  frames: new Map(frames.map((each) => [each.mfn, each])),
  page: (mfn) => {
    const bytes = bytesOf(words[mfn]);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  },
});
