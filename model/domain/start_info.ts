/** start_info and the start of the shared info page. Chapter: spec/chapters/start_of_day.md. */
import { SIF, shared_info, start_info, vcpu_info } from '#spec/abi/xen.ts';
import type { DomainConfig, MachineConfig } from '#spec/config.ts';
import type { VirtualLayout } from './layout.ts';
import type { KernelParams } from './notes.ts';

/** Which power management dom0 drives for Xen (C and P states), in start_info.flags. */
const SIF_PM = 0x300;
/** struct dom0_vga_console_info behind dom0's start_info: where it starts, and its size. All zero: the machine has no display. */
const VGA_INFO = { offset: 0x490, size: 0x28 } as const;

export type StartInfo = {
  readonly domain: DomainConfig;
  readonly kernel: KernelParams;
  readonly layout: VirtualLayout;
  readonly sharedInfo: number;
  /** Pages in the first allocation, and those of a separate p2m table. */
  readonly firstP2mPfn: number;
  readonly p2mFrames: number;
};

/** The page that RSI points at when the domain starts: 4096 bytes. */
export const startInfoPage = ({ domain, kernel, layout, sharedInfo, firstP2mPfn, p2mFrames }: StartInfo): Uint8Array => {
  const page = new Uint8Array(4096);
  const view = new DataView(page.buffer);
  const field = start_info.fields;
  const put = (at: number, value: bigint | number): void => view.setBigUint64(at, BigInt(value), true);
  putText(page, field.magic.at, kernel.pae !== 'no' ? 'xen-3.0-x86_64p' : 'xen-3.0-x86_64');
  put(field.nr_pages.at, domain.pages);
  put(field.shared_info.at, sharedInfo * 4096);
  if (domain.domid === 0) {
    view.setUint32(field.flags.at, SIF.PRIVILEGED | SIF.INITDOMAIN | SIF_PM, true);
    view.setUint32(field.console_mfn.at, VGA_INFO.offset, true);
    view.setUint32(field.console_mfn.at + 4, VGA_INFO.size, true);
  }
  if (layout.initrd) {
    const { address, page: pfn } = layout.initrd;
    const flags = view.getUint32(field.flags.at, true);
    view.setUint32(field.flags.at, address === null ? flags | SIF.MOD_START_PFN : flags, true);
    put(field.mod_start.at, address ?? pfn);
    put(field.mod_len.at, domain.initrd ?? 0);
  }
  put(field.pt_base.at, layout.pageTables);
  put(field.nr_pt_frames.at, layout.pageTableFrames);
  put(field.mfn_list.at, layout.p2m);
  putText(page, field.cmd_line.at, domain.cmdline);
  put(field.first_p2m_pfn.at, firstP2mPfn);
  put(field.nr_p2m_frames.at, p2mFrames);
  return page;
};

const putText = (page: Uint8Array, at: number, text: string): void => {
  for (let i = 0; i < text.length; i++) page[at + i] = text.charCodeAt(i);
};

/** shared_info before the first vCPU runs: upcalls masked everywhere, the wall clock set. 4096 bytes. */
export const sharedInfoPage = (config: MachineConfig): Uint8Array => {
  const page = new Uint8Array(4096);
  const view = new DataView(page.buffer);
  for (let vcpu = 0; vcpu < 32; vcpu++) page[vcpu * vcpu_info.size + vcpu_info.fields.evtchn_upcall_mask.at] = 1;
  const field = shared_info.fields;
  view.setUint32(field.wc_version.at, 2, true);
  view.setUint32(field.wc_sec.at, config.wallclock_sec % 2 ** 32, true);
  view.setUint32(field.wc_sec_hi.at, Math.floor(config.wallclock_sec / 2 ** 32), true);
  return page;
};
