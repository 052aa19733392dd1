import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { kernelElf } from './bzimage.ts';

const elf = new Uint8Array(5000).map((_, i) => (i < 4 ? [0x7f, 0x45, 0x4c, 0x46][i]! : (i * 7) >> 3));

/** A bzImage with one setup sector and the payload right behind it. */
const bzImage = (payload: Uint8Array, fields: { version?: number; length?: number; offset?: number } = {}): Uint8Array => {
  const file = new Uint8Array(1024 + payload.length);
  const view = new DataView(file.buffer);
  file[0x1f1] = 1;
  view.setUint32(0x202, 0x53726448, true);
  view.setUint16(0x206, fields.version ?? 0x20f, true);
  view.setUint32(0x248, fields.offset ?? 0, true);
  view.setUint32(0x24c, fields.length ?? payload.length, true);
  file.set(payload, 1024);
  return file;
};
const withSize = (packed: Uint8Array, size: number): Uint8Array => {
  const file = new Uint8Array(packed.length + 4);
  file.set(packed);
  new DataView(file.buffer).setUint32(packed.length, size, true);
  return file;
};
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replace(/\s/g, ''), 'hex'));

/** `xz --format=xz --check=crc32` of 0x7f "ELF" and 60 zeros. */
const XZ = hex(
  'fd377a585a0000016922de360200210116000000742fe5a3e0003f000b5d003f91458468334c5a5b000000003aaa62ba00012340da83f3e89042990d010000000001595a',
);
/** The same with `--x86 --lzma2`, of code with calls near and far. */
const XZ_X86 = hex(
  'fd377a585a0000016922de3602010400210116000d86351fe0007700595d003f9145846832eac990797dceb4630dea7a98b23e7faedd597c9450d26916483d5c5e90a5d458273ce9851b662ab3b47156612fd2fadc3249d7b8e228893da41cb70f7c579d84606c01a32c99023ab100ae3bca63b37f46bb000000000014b5361c0001717892047c489042990d010000000001595a',
);
const CODE = hex(
  '7f454c4600000000e8e900e800ffffe8e900e80090e81a030000e883feffffe8e8e900e800e822ffffffe887fcffffe8e900e800e887000000e8d7030000ffe8e900e800e8e900e800e8e8e9ffffffe86affffff90e8e900e8009090e82bfdffff90e8b9fcffff0000e842ffffff0000e8c5ffffff9090e8',
);
const SMALL = new Uint8Array(64);
SMALL.set([0x7f, 0x45, 0x4c, 0x46]);
/** The same by hand: 5 literals, a match of 54 zeros at distance 1, 5 literals. */
const LZ4 = hex('02214c180f0000005f7f454c4600010023500000000000');

describe('kernel files', () => {
  it('leaves an ELF file, and what is no kernel at all, as they are', async () => {
    expect(await kernelElf(elf)).toBe(elf);
    expect(await kernelElf(bzImage(elf))).toEqual(elf);
    expect(await kernelElf(new Uint8Array(3))).toHaveLength(3);
  });

  it('unpacks gzip, xz and lz4', async () => {
    expect(new Uint8Array(await kernelElf(bzImage(gzipSync(elf))))).toEqual(elf);
    expect(new Uint8Array(await kernelElf(gzipSync(elf)))).toEqual(elf);
    expect(await kernelElf(bzImage(withSize(XZ, 64)))).toEqual(SMALL);
    expect(await kernelElf(bzImage(withSize(XZ_X86, 120)))).toEqual(CODE);
    expect(await kernelElf(bzImage(withSize(LZ4, 64)))).toEqual(SMALL);
  });

  it.each([
    ['an old boot protocol', bzImage(elf, { version: 0x207 }), /boot protocol 2\.7/],
    ['a payload that is not in the file', bzImage(elf, { length: 6000 }), /does not lie in the file/],
    ['a payload far away', bzImage(elf, { offset: 0xffffffff }), /does not lie in the file/],
    ['a payload of nothing', bzImage(elf, { length: 0 }), /neither an ELF file nor compressed/],
    ['damaged gzip data', bzImage(gzipSync(elf).subarray(0, 100)), /damaged gzip|too much|announced/],
    ['gzip of something else', bzImage(gzipSync(new Uint8Array(100))), /not an ELF file/],
    ['a size that is a lie', bzImage(withSize(XZ, 63)), /damaged xz|announced/],
    ['a size beyond all measure', bzImage(withSize(XZ, 0xffffffff)), /too much/],
    ['damaged xz data', bzImage(withSize(XZ.subarray(0, 30), 64)), /damaged xz|announced/],
    ['lz4 that points outside itself', bzImage(withSize(hex('02214c18 04000000 00050010'), 64)), /damaged lz4/],
    ['bzip2', bzImage(hex('425a6839000000000000')), /bzip2 is not read here/],
  ])('refuses %s in one line', async (_what, file, message) => {
    await expect(kernelElf(file)).rejects.toThrow(message);
    await expect(kernelElf(file)).rejects.toThrow(/^[^\n]+$/);
  });
});
