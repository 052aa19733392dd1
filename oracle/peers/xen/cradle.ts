/**
 * A machine that has booted once: Xen stands before domain 0's first instruction, and QEMU has remembered that. Each run goes back there, puts a program's
 * image where domain 0's lies, and lets it go: a fresh domain 0 in some 40 ms instead of a second.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { MachineConfig } from '#spec/config.ts';
import { VIRT_BASE } from '../../image/layout.ts';
import { CRADLE_END, cradleImage, GO } from '../../image/toolstack/cradle.ts';
import type { BootResult } from './boot.ts';
import { dismiss, register } from './leftovers.ts';
import { emptyQcow2 } from './qcow2.ts';
import { FILES, qemuArguments } from './qemu.ts';
import { Qmp } from './qmp.ts';
import { mayHaveEnded, readSerialLog } from './serial_log.ts';

const PAGE = 4096;
const DISK = 'remembered.qcow2';
const MEMORY_FOLDER = '/dev/shm';
const ANNOUNCED = /^cradle (\d+) (\d+)\r\n/m;
const MAX_LOG_BYTES = 16 * 1024 * 1024;
/** Room for domain 1's image, which domain 0 is given as a module. */
export const MODULE_BYTES = 0x80000;

/** Where the parts of an ELF file lie in memory: offset from its first page, bytes. */
const partsOf = (elf: Uint8Array): readonly (readonly [number, Uint8Array])[] => {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  return Array.from({ length: view.getUint16(56, true) }, (_, i) => 64 + 56 * i).flatMap((header) => {
    if (view.getUint32(header, true) !== 1) return [];
    const [offset, address, size] = [8, 16, 32].map((at) => Number(view.getBigUint64(header + at, true))) as [number, number, number];
    return [[address - VIRT_BASE, elf.subarray(offset, offset + size)] as const];
  });
};

export class Cradle {
  private readonly folder: string;
  private readonly child: ChildProcess;
  private readonly qmp: Qmp;
  private readonly serial: FileHandle;
  private readonly memory: FileHandle;
  /** Xen's log up to the moment that was remembered. */
  private readonly prologue: string;
  private readonly frames: readonly [image: number, module: number];
  private at: number;

  private constructor(folder: string, child: ChildProcess, qmp: Qmp, serial: FileHandle, memory: FileHandle, prologue: string) {
    this.folder = folder;
    this.child = child;
    this.qmp = qmp;
    this.serial = serial;
    this.memory = memory;
    const [line, image, module] = ANNOUNCED.exec(prologue)!;
    this.prologue = prologue.replace(line, '');
    this.at = prologue.length;
    this.frames = [Number(image), Number(module)];
  }

  /** Boot the machine and remember it. Throws when that fails. */
  static async start(qemu: string, xen: Uint8Array, machine: MachineConfig): Promise<Cradle> {
    const folder = await mkdtemp(join(existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir(), 'xenspec-cradle-'));
    let child: ChildProcess | undefined;
    try {
      await writeFile(join(folder, FILES.image), cradleImage());
      if (machine.domains.length > 1) await writeFile(join(folder, FILES.module), new Uint8Array(MODULE_BYTES));
      await writeFile(join(folder, FILES.xen), xen);
      await writeFile(join(folder, FILES.serial), '');
      await writeFile(join(folder, DISK), emptyQcow2());
      const more = [
        '-no-shutdown',
        '-action',
        'reboot=reset',
        '-qmp',
        'stdio',
        '-drive',
        `if=none,id=remembered,format=qcow2,file=${DISK}`,
      ];
      child = spawn(qemu, [...qemuArguments(machine, true), ...more], { cwd: folder, stdio: ['pipe', 'pipe', 'ignore'] });
      register(child, folder);
      child.on('error', () => {});
      const qmp = new Qmp(child.stdin!, child.stdout!);
      await qmp.command('qmp_capabilities');
      const serial = await open(join(folder, FILES.serial), 'r');
      const deadline = performance.now() + 30_000;
      let log = '';
      while (!ANNOUNCED.test(log)) {
        await pause(20);
        if (performance.now() > deadline) throw new Error(`real Xen did not start: ${log.slice(-500)}`);
        log += await readOn(serial, log.length);
      }
      await qmp.command('stop');
      await qmp.monitor('savevm remembered');
      log += await readOn(serial, log.length);
      return new Cradle(folder, child, qmp, serial, await open(join(folder, FILES.memory), 'r+'), log);
    } catch (error) {
      if (child) await dismiss(child, folder);
      else await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Whether an image can be laid in: it must be as long as all are. */
  static fits(images: readonly Uint8Array[]): boolean {
    const [image, module] = images as [Uint8Array, Uint8Array | undefined];
    const view = new DataView(image.buffer, image.byteOffset);
    const count = view.getUint16(56, true);
    const last = 64 + 56 * (count - 1);
    const end = Number(view.getBigUint64(last + 16, true) + view.getBigUint64(last + 40, true));
    return end === CRADLE_END && (module === undefined || module.length <= MODULE_BYTES);
  }

  /** One run from the remembered moment to domain 0's end. Throws when QEMU is gone: the cradle is of no more use then. */
  async run(images: readonly Uint8Array[], timeoutSeconds: number): Promise<BootResult> {
    await this.qmp.monitor('loadvm remembered');
    this.at += (await readOn(this.serial, this.at)).length;
    const [image, module] = images;
    const [first, second] = this.frames;
    for (const [offset, bytes] of partsOf(image!)) await this.memory.write(bytes, 0, bytes.length, first * PAGE + offset);
    if (module) await this.memory.write(module, 0, module.length, second * PAGE);
    await this.memory.write(Uint8Array.of(1), 0, 1, first * PAGE + GO - VIRT_BASE);
    await this.qmp.command('cont');
    const result = await this.watch(timeoutSeconds);
    await this.qmp.command('stop');
    return result;
  }

  private async watch(timeoutSeconds: number): Promise<BootResult> {
    const deadline = performance.now() + timeoutSeconds * 1000;
    let log = this.prologue;
    for (let rest = 1; ; rest = Math.min(10, rest + 1)) {
      const before = log.length;
      log += await readOn(this.serial, this.at + log.length - this.prologue.length);
      const ended = log.length > before && mayHaveEnded(log, before) && readSerialLog(log).ended;
      const stopped = ended ? 'exited' : log.length > MAX_LOG_BYTES ? 'flood' : performance.now() > deadline ? 'timeout' : null;
      if (stopped) {
        this.at += log.length - this.prologue.length;
        return { log, stopped, complaint: '' };
      }
      await pause(rest);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.serial.close(), this.memory.close()]);
    await dismiss(this.child, this.folder);
  }
}

/** What a file holds from an offset on. */
const readOn = async (file: FileHandle, from: number): Promise<string> => {
  const buffer = Buffer.alloc(64 * 1024);
  let text = '';
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from + text.length);
    if (bytesRead === 0) return text;
    text += buffer.toString('latin1', 0, bytesRead);
  }
};
