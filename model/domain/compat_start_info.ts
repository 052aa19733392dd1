/** start_info and the shared info page of a 32-bit domain. Chapter: spec/chapters/compat.md. */
import { COMPAT } from '#spec/abi/compat.ts';
import type { Field } from '#spec/abi/layout.ts';
import { shared_info, start_info } from '#spec/abi/xen.ts';
import type { MachineConfig } from '#spec/config.ts';
import { type StartInfo, sharedInfoPage, startInfoPage } from './start_info.ts';

/** compat/build-start_info: made as for a 64-bit kernel, then narrowed where it is; what is behind the narrow one stays. */
export const compatStartInfoPage = (all: StartInfo): Uint8Array => {
  const page = startInfoPage(all);
  const wide = page.slice();
  const names = Object.keys(start_info.fields) as (keyof typeof start_info.fields)[];
  for (const name of names) {
    const to: Field = COMPAT.start_info.fields[name];
    page.set(wide.subarray(start_info.fields[name].at, start_info.fields[name].at + to.size), to.at);
  }
  // Of domain 0 the console's two words are where its display is told of, and how long that is.
  const console = start_info.fields.console_mfn.at;
  page.set(wide.subarray(console + 4, console + 8), COMPAT.start_info.fields.console_evtchn.at);
  page.set(new TextEncoder().encode('xen-3.0-x86_32p\0'), COMPAT.start_info.fields.magic.at);
  return page;
};

/** compat/build-shared_info */
export const compatSharedInfoPage = (config: MachineConfig): Uint8Array => {
  const wide = sharedInfoPage(config);
  const page = wide.slice();
  const names = ['wc_version', 'wc_sec', 'wc_nsec', 'wc_sec_hi'] as const;
  for (const name of names) page.fill(0, shared_info.fields[name].at, shared_info.fields[name].at + 4);
  for (const name of names) {
    const { at } = shared_info.fields[name];
    page.set(wide.subarray(at, at + 4), COMPAT.shared_info.fields[name].at);
  }
  return page;
};
