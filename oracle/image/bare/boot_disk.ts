/**
 * A disk whose first sector loads a payload to LOAD by the BIOS's extended reads and enters it as multiboot would: flat 32-bit code
 * without paging, the magic number in EAX. For machines that start from disks only.
 */
import { MULTIBOOT } from '#spec/bare/boot.ts';
import { Emitter, R, SEG } from './emitter.ts';
import type { Payload } from './image.ts';
import { LOAD } from './layout.ts';

const SECTOR = 512;
/** Sectors a read, to BUFFER. */
const CHUNK = 32;
const BUFFER = 0x1_0000;
const ORIGIN = 0x7c00;
const SIGNATURE_AT = 510;
/** The geometry that the disk's size is a multiple of. */
export const DISK = { heads: 16, spt: 63 } as const;
const CYLINDER = DISK.heads * DISK.spt * SECTOR;

/** GDT of the boot sector: flat 32-bit code and data, 16-bit code and data. */
const SELECTORS = { code: 0x08, data: 0x10, code16: 0x18, data16: 0x20 } as const;

const bootSector = (chunks: number, entry: number): Uint8Array => {
  const e = new Emitter(ORIGIN);
  e.bits = 16;
  e.db(0xfa, 0x31, 0xc0);
  for (const segment of [SEG.ds, SEG.es, SEG.ss]) e.movToSeg(segment, R.ax);
  e.db(0xbc).dw(ORIGIN).mem([0x88], R.dx, 'drive');
  // A20 by port 0x92.
  e.db(0xe4, 0x92, 0x0c, 0x02, 0xe6, 0x92);
  // INT 13h, AH = 42h: reads the packet's sectors.
  e.label('read').db(0xb4, 0x42).mem([0x8a], R.dx, 'drive').movImm(R.si, 'packet').db(0xcd, 0x13).short(0x72, 'failed');
  e.db(0xfa).mem([0x0f, 0x01], 2, 'gdtr').fromCr(0).db(0x0c, 0x01).toCr(0).farJmpOther(SELECTORS.code, 'copy');
  e.label('failed').db(0xf4).short(0xeb, 'failed');
  e.bits = 32;
  e.label('copy').movImm(R.ax, SELECTORS.data).movToSeg(SEG.ds, R.ax).movToSeg(SEG.es, R.ax);
  e.movImm(R.si, BUFFER)
    .load(R.di, 'target')
    .movImm(R.cx, (CHUNK * SECTOR) / 4)
    .db(0xfc, 0xf3, 0xa5)
    .store('target', R.di);
  e.mem([0xff], 1, 'count').short(0x74, 'enter').farJmpOther(SELECTORS.code16, 'back');
  e.label('enter').movToSeg(SEG.ss, R.ax).movImm(R.ax, MULTIBOOT.LOADED_MAGIC).movImm(R.bx, BUFFER).movImm(R.cx, entry).db(0xff, 0xe1);
  e.bits = 16;
  e.label('back').movImm(R.ax, SELECTORS.data16).movToSeg(SEG.ds, R.ax).movToSeg(SEG.es, R.ax);
  e.fromCr(0).db(0x24, 0xfe).toCr(0).farJmp(0, 'real').label('real').db(0x31, 0xc0);
  for (const segment of [SEG.ds, SEG.es, SEG.ss]) e.movToSeg(segment, R.ax);
  e.mem([0x66, 0x83], 0, 'lba').db(CHUNK).jmp('read');
  e.align(8)
    .label('packet')
    .db(0x10, 0)
    .dw(CHUNK)
    .dw(0)
    .dw(BUFFER >> 4)
    .label('lba')
    .dd(1)
    .dd(0);
  e.label('target').dd(LOAD).label('count').dd(chunks).label('drive').db(0, 0);
  e.label('gdtr').dw(39).dd('gdt').align(8).label('gdt').dd(0).dd(0);
  for (const [access, flags] of [
    [0x9b, 0xcf],
    [0x93, 0xcf],
    [0x9b, 0x00],
    [0x93, 0x00],
  ] as const)
    e.dw(0xffff).dw(0).db(0, access, flags, 0);
  const code = e.finish();
  if (code.length > SIGNATURE_AT) throw new Error('the boot sector is too long');
  const sector = new Uint8Array(SECTOR);
  sector.set(code);
  sector.set([0x55, 0xaa], SIGNATURE_AT);
  return sector;
};

export const bootDisk = ({ bytes, entry }: Payload): Uint8Array => {
  const chunks = Math.ceil(bytes.length / (CHUNK * SECTOR));
  const sectors = 1 + chunks * CHUNK;
  const disk = new Uint8Array(Math.ceil((sectors * SECTOR) / CYLINDER) * CYLINDER);
  disk.set(bootSector(chunks, entry));
  disk.set(bytes, SECTOR);
  return disk;
};
