/** Domain 0's initial RAM disk on real Xen: where it lies, what start_info says of it, and its bytes (clause domain/build-initrd). */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { debian_4_17, dom0, domU } from '#spec/machines/debian_4_17.ts';
import type { Program, Step } from '#spec/program.ts';
import { ENGINES } from '../../campaign/engines.ts';
import { engineRecorder, transcript } from '../../campaign/recorder.ts';
import { buildImages } from '../../image/index.ts';
import { bootXen } from './boot.ts';
import { findPackages } from './packages.ts';
import { recordingOf } from './recording.ts';

const MIB = 16;
const SECONDS = 30;
/** nr_pages, flags, pt_base, nr_pt_frames, mfn_list, mod_start, mod_len, first_p2m_pfn, nr_p2m_frames. */
const START_INFO = [32, 48, 88, 96, 104, 112, 120, 1152, 1160];
/** Where an image of one piece after the other ends: there the disk begins. */
const endOf = (elf: Uint8Array): number => {
  const view = new DataView(elf.buffer, elf.byteOffset);
  const last = 64 + 56 * (view.getUint16(56, true) - 1);
  return Number(view.getBigUint64(last + 16, true) + view.getBigUint64(last + 40, true));
};

const programOf = (length: number, start: number): Program => {
  const inside = [0, 4088, (length & ~7) - 8, Math.ceil(length / 4096) * 4096 - 8];
  return {
    steps: [
      ...START_INFO.map((plus, i): Step => ({ id: 1 + i, do: 'access', how: 'read', at: { page: 'start_info', as: 'va', plus }, size: 8 })),
      ...inside.map((at, i): Step => ({ id: 20 + i, do: 'access', how: 'read', at: `0x${(start + at).toString(16)}`, size: 8 })),
      { id: 30, do: 'access', how: 'write', at: `0x${start.toString(16)}`, size: 8, value: 5 },
    ],
  };
};

const found = findPackages();
describe.runIf(!('missing' in found))('an initial RAM disk', () => {
  // Less than two pages, and more than the tables of an image without a disk reach.
  test.each([5000, 3_000_000])('of %i bytes lies on real Xen where both machines put it', { timeout: 60_000 }, async (length) => {
    if ('missing' in found) throw new Error('unreachable');
    const disk = Uint8Array.from({ length }, (_, i) => i * 7 + 13);
    // Its size does not depend on the addresses in it.
    const start = endOf(buildImages(programOf(length, 0))[0]!);
    const [image] = buildImages(programOf(length, start)) as [Uint8Array];
    // A second file is domain 0's module, whatever it makes of it.
    const machine = debian_4_17([dom0('', MIB), domU(1)]);
    const boot = await bootXen(found.qemu, gunzipSync(readFileSync(found.hypervisor)), [image, disk], machine, SECONDS);
    const seen = recordingOf(boot, machine, SECONDS, 0).consoles.flatMap((text) => text?.split('\n').filter((line) => line !== '') ?? []);
    expect(seen).toContain(`0.6 read value=0x${start.toString(16)}`);
    expect(seen).toContain(`0.7 read value=0x${length.toString(16)}`);
    for (const engine of ENGINES) {
      const recorder = await engineRecorder(engine, '');
      expect(transcript(await recorder.record([image, disk], debian_4_17([{ ...dom0('', MIB), initrd: length }])))).toEqual(seen);
    }
  });
});
