/** Machines that small ones are made from: domains with one page of kernel, and where the entries for their pages are. */
import { bootMachine } from '#model/domain/boot.ts';
import { findGuestL1e, type Place } from '#model/hypercall/mm/guest_l1e.ts';
import { domainOf } from '#model/lens.ts';
import type { Machine } from '#model/machine.ts';
import { fromNumber } from '#model/word/word.ts';
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import { ONE_PAGE_KERNEL } from '../../image/one_page.ts';

const PAGES = 1024;
/** As few as a kernel can have: a domain that dies gives back each of them. */
export const FEW_PAGES = 512;
/** Where the kernel's page is mapped, and further pages behind it. */
const VIRT_BASE = 0x200000;
/** Behind what a domain is built with: nothing uses these pages but their entries in the first page tables. */
const FIRST_SPARE = 80;

/** Domain 0 is always among them. */
export const bootSmall = (domids: readonly number[], vcpus: number, pages = PAGES): Machine => {
  const all = [...new Set([0, ...domids])].sort((a, b) => a - b);
  const config = debian_4_17(all.map((domid) => ({ domid, pages, vcpus, cmdline: '' })));
  return bootMachine(
    { ...config, frames: 0x4000 },
    all.map(() => ONE_PAGE_KERNEL),
  );
};

/** A page that nothing uses, by number: its frame, and the entry that maps it. */
export const sparePage = (machine: Machine, domid: number, n: number): { readonly mfn: number; readonly entry: Place } => {
  const pfn = FIRST_SPARE + n;
  const { place } = findGuestL1e(machine, { domid, vcpu: 0 }, fromNumber(VIRT_BASE + pfn * 4096));
  return { mfn: domainOf(machine, domid).firstMfn + pfn, entry: place! };
};
