/** Bochs as peer for bare images: it starts them from a disk, and tells of port 0xe9 on its standard output. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bootDisk, DISK } from '../../image/bare/boot_disk.ts';
import type { Payload } from '../../image/bare/image.ts';
import { LAST_LINE } from '../../image/bare/layout.ts';
import { type BarePeer, type BareRun, type Finished, programPath, runInFolder } from '../bare_peer.ts';
import type { Unavailable } from '../peer.ts';
import { packageVersion } from '../xen/packages.ts';

const PROGRAM = 'bochs';
const BIOS = ['/usr/share/bochs/BIOS-bochs-legacy', '/usr/share/bochs/VGABIOS-lgpl-latest'] as const;
const FILES = { disk: 'disk.img', rc: 'bochsrc', debugger: 'debugger.rc', log: 'bochs.log' } as const;
const CPUID =
  'level=6, mmx=1, apic=xapic, sep=1, simd=sse4_2, sse4a=1, aes=1, sha=1, movbe=1, adx=1, xsave=1, xsaveopt=1, bmi=bmi2, x86_64=1, 1g_pages=1, pcid=1, fsgsbase=1, smep=1, smap=1, mwait=1, vendor_string="AuthenticAMD"';
const SECTOR = 512;

/** The display library that needs neither a terminal nor a window: a VNC server that waits for nobody. */
const configuration = (cylinders: number): string => `display_library: rfb, options="timeout=0"
config_interface: textconfig
romimage: file=${BIOS[0]}
vgaromimage: file=${BIOS[1]}
megs: 128
cpu: model=bx_generic, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=0
cpuid: ${CPUID}
clock: sync=none, time0=1577836800
port_e9_hack: enabled=1
com1: enabled=1, mode=null
ata0-master: type=disk, path=${FILES.disk}, mode=flat, cylinders=${cylinders}, heads=${DISK.heads}, spt=${DISK.spt}
boot: disk
log: ${FILES.log}
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
`;

/** The word on port 0x8900 and a triple fault both end Bochs with status 1: the image's last line tells them apart. */
const endOf = ({ stdout, stderr, timedOut }: Finished): Omit<BareRun, 'debugcon'> => {
  if (timedOut) return { end: 'timeout', why: 'it was stopped' };
  if (stdout.includes(LAST_LINE)) return { end: 'exit', why: '' };
  const said = stderr.split('\n').find((line) => /triple|shutdown|panic|could not|error/i.test(line) && !/ALSA/.test(line));
  return { end: /triple|shutdown/i.test(stderr) ? 'reset' : 'failed', why: said ?? 'Bochs crashed' };
};

const run = (program: string, payload: Payload, timeoutSeconds: number): Promise<BareRun> => {
  const disk = bootDisk(payload);
  return runInFolder(
    program,
    ['-q', '-f', FILES.rc, '-rc', FILES.debugger],
    timeoutSeconds,
    async (folder) => {
      await writeFile(join(folder, FILES.disk), disk);
      await writeFile(join(folder, FILES.rc), configuration(disk.length / (DISK.heads * DISK.spt * SECTOR)));
      // Debian's Bochs has the debugger built in, which begins by asking what to do: to continue.
      await writeFile(join(folder, FILES.debugger), 'c\n');
    },
    async (_folder, finished) => ({ debugcon: finished.stdout, ...endOf(finished) }),
  );
};

export const bochsPeer = (): BarePeer | Unavailable => {
  const program = programPath(PROGRAM);
  const missing = program === null ? PROGRAM : BIOS.find((path) => !existsSync(path));
  if (program === null || missing !== undefined)
    return {
      available: false,
      name: 'bochs',
      why: `no ${missing} (Debian 12: apt-get install --no-install-recommends bochs bochsbios vgabios)`,
    };
  return {
    available: true,
    name: 'bochs',
    version: packageVersion('bochs') ?? 'of unknown version',
    details: { cpuid: CPUID },
    lacks: ['umip', 'invpcid', 'rdseed', 'xsavec', 'xsaves'],
    run: (payload, timeoutSeconds) => run(program, payload, timeoutSeconds),
  };
};
