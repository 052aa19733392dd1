import { expect, it } from 'vitest';
import { bannerOf } from './banner.ts';

it('reads who built Xen, and when', () => {
  const line =
    '(XEN) Xen version 4.17.7 (Debian 4.17.7+13-g2445b30a44-0+deb12u1) (pkg-xen-devel@lists.alioth.debian.org) (x86_64-linux-gnu-gcc (Debian 12.2.0-14+deb12u1) 12.2.0) debug=n Wed Nov  4 16:52:28 UTC 2026\r\n';
  expect(bannerOf(`${line}(XEN) Bootloader: qemu\r\n`)).toEqual({
    major: 4,
    minor: 17,
    extraversion: '.7',
    compiler: 'x86_64-linux-gnu-gcc (Debian 12.2.0-14+deb12u1) 12.2.0',
    compile_by: 'pkg-xen-devel',
    compile_domain: 'lists.alioth.debian.org',
    compile_date: 'Wed Nov  4 16:52:28 UTC 2026',
  });
});

it('says nothing of a log that is not Xen', () => {
  expect(bannerOf('SeaBIOS (version 1.16)\r\n')).toBeNull();
});
