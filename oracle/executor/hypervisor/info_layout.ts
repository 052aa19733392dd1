/** Where things lie in the pages that Xen shares with a domain: chosen once for each domain, by the width of its words. */
import { EVTCHN_2L_NR_CHANNELS } from '#spec/abi/event_channel.ts';
import { shared_info, vcpu_info } from '#spec/abi/xen.ts';

export type InfoLayout = {
  /** Of shared info: bitmaps of ports, and of bits in a word of them the logarithm. */
  readonly pending: number;
  readonly mask: number;
  readonly wordShift: number;
  /** Most ports of the two-level kind. */
  readonly ports: number;
  readonly wcVersion: number;
  readonly wcSecHi: number;
  readonly maxPfn: number;
  readonly nmiReason: number;
  /** Of a vcpu_info. */
  readonly selector: number;
  readonly cr2: number;
  /** Bytes of a word: of a selector, an address, a page number. */
  readonly word: 4 | 8;
};

const { fields } = shared_info;

export const INFO_64: InfoLayout = {
  pending: fields.evtchn_pending.at,
  mask: fields.evtchn_mask.at,
  wordShift: 6,
  ports: EVTCHN_2L_NR_CHANNELS,
  wcVersion: fields.wc_version.at,
  wcSecHi: fields.wc_sec_hi.at,
  maxPfn: fields.max_pfn.at,
  nmiReason: fields.nmi_reason.at,
  selector: vcpu_info.fields.evtchn_pending_sel.at,
  cr2: vcpu_info.fields.cr2.at,
  word: 8,
};

export const INFO_32: InfoLayout = {
  pending: 2048,
  mask: 2176,
  wordShift: 5,
  ports: 1024,
  wcVersion: 2304,
  wcSecHi: 2340,
  maxPfn: 2316,
  nmiReason: 2324,
  selector: 4,
  cr2: 8,
  word: 4,
};
