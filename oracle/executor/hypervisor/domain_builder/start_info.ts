/** What a kernel finds at its start: the start_info page. */
import { SIF, start_info } from '#spec/abi/xen.ts';
import type { DomainConfig } from '#spec/config.ts';
import type { Domain } from '../domain.ts';
import type { VirtualLayout } from './layout.ts';
import type { XenNotes } from './notes.ts';

const PAGE = 4096;
/** `start_info.flags`: which processor states dom0 may manage (Xen's default). */
const POWER_MANAGEMENT = 0x300;
/** Size of the video information that follows dom0's start_info; all zero on a machine without a display. */
const VIDEO_INFO_BYTES = 0x28;

/** `p2mFrames`: pages that a p2m of its own took. */
export const startInfo = (domain: Domain, config: DomainConfig, notes: XenNotes, layout: VirtualLayout, p2mFrames: number): Uint8Array => {
  const page = new Uint8Array(PAGE);
  const view = new DataView(page.buffer);
  const long = (field: { readonly at: number }, value: bigint | number): void => view.setBigUint64(field.at, BigInt(value), true);
  const text = (at: number, value: string): void => {
    for (let i = 0; i < value.length; i++) page[at + i] = value.charCodeAt(i);
  };
  text(fields.magic.at, `xen-3.0-x86_${domain.compat ? 32 : 64}${notes.pae ? 'p' : ''}`);
  long(fields.nr_pages, config.pages);
  long(fields.shared_info, domain.sharedInfoMfn * PAGE);
  if (domain.privileged) {
    view.setUint32(fields.flags.at, SIF.PRIVILEGED | SIF.INITDOMAIN | POWER_MANAGEMENT, true);
    view.setUint32(fields.console_mfn.at, start_info.size, true);
    view.setUint32(fields.console_mfn.at + 4, VIDEO_INFO_BYTES, true);
  }
  if (layout.initrdPfn >= 0) {
    if (!layout.initrdMapped) view.setUint32(fields.flags.at, view.getUint32(fields.flags.at, true) | SIF.MOD_START_PFN, true);
    long(fields.mod_start, layout.initrdMapped ? layout.start + BigInt(layout.initrdPfn * PAGE) : layout.initrdPfn);
    long(fields.mod_len, config.initrd ?? 0);
  }
  long(fields.pt_base, layout.pageTables);
  long(fields.nr_pt_frames, layout.pageTableCount);
  long(fields.mfn_list, layout.p2m);
  text(fields.cmd_line.at, config.cmdline.slice(0, fields.cmd_line.size - 1));
  long(fields.first_p2m_pfn, layout.firstAllocation);
  long(fields.nr_p2m_frames, p2mFrames);
  if (domain.compat) narrow(page);
  return page;
};

const { fields } = start_info;
/** Fields of a 32-bit kernel's start_info: their places, those in the other one, and how many bytes they have. */
const FIELDS_32: readonly (readonly [at: number, from: number, bytes: number])[] = [
  [0, fields.magic.at, 32],
  [32, fields.nr_pages.at, 4],
  [36, fields.shared_info.at, 4],
  [40, fields.flags.at, 4],
  [44, fields.store_mfn.at, 4],
  [48, fields.store_evtchn.at, 4],
  // Dom0's console: where the video information begins, and its size.
  [52, fields.console_mfn.at, 4],
  [56, fields.console_mfn.at + 4, 4],
  [60, fields.pt_base.at, 4],
  [64, fields.nr_pt_frames.at, 4],
  [68, fields.mfn_list.at, 4],
  [72, fields.mod_start.at, 4],
  [76, fields.mod_len.at, 4],
  [80, fields.cmd_line.at, 1024],
  [1104, fields.first_p2m_pfn.at, 4],
  [1108, fields.nr_p2m_frames.at, 4],
];

/** Turn the page into that of a 32-bit kernel as Xen does, in place and field by field: what lies behind its end stays. */
const narrow = (page: Uint8Array): void => {
  for (const [at, from, bytes] of FIELDS_32) page.copyWithin(at, from, from + bytes);
};
