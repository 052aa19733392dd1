/** What the structures by which domain 0 builds a domain owe to the release of Xen. */
import { INTERFACE_VERSIONS } from '#spec/releases/control.ts';
import type { XenRelease } from '#spec/releases/release.ts';

/** Last 8 bytes of createdomain that are not zero: frames of maptrack, and behind them the highest version of grant tables, which 4.14 is not told. */
const GRANT_LIMITS: Readonly<Record<XenRelease, bigint>> = { '4.14': 0x400n, '4.17': 0x200000400n, '4.20': 0x200000400n };
const GRANT_LIMITS_AT = 56;

/** Rewrite the domctl structures at these offsets of `code`, the first of them createdomain, for a release. */
export const patchDomctls = (code: Uint8Array, release: XenRelease, [create, ...others]: readonly [number, ...number[]]): void => {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  for (const at of [create, ...others]) view.setUint32(at + 4, INTERFACE_VERSIONS[release].domctl, true);
  view.setBigUint64(create + GRANT_LIMITS_AT, GRANT_LIMITS[release], true);
};
