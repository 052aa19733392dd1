/**
 * The machine that QEMU plays, as arguments. Deterministic: one instruction takes 2⁷ ns of virtual time, the real-time clock follows virtual
 * time, and no host time is waited for; two boots of one image give the same bytes.
 */
import type { MachineConfig } from '#spec/config.ts';
import { BadInput } from '#spec/failure.ts';

const PAGES_A_MIB = 256;
/** Frames at the end of RAM that SeaBIOS keeps for its tables: Xen's memory ends below them. */
const FIRMWARE_FRAMES = 32;
const RTC_START = '2020-01-01T00:00:00';
/** Instructions take 2^SHIFT ns. */
const SHIFT = 7;

/** Names of the files that QEMU reads and writes, in the folder it runs in. */
export const FILES = { xen: 'xen.elf', image: 'image.elf', module: 'module.elf', serial: 'serial.log', memory: 'memory' } as const;

/** How recordings are made, for readers of a trace: all arguments but those that name files. */
export const SETUP = `-M pc -cpu max -icount shift=${SHIFT},sleep=off -rtc base=${RTC_START},clock=vm`;

/** Throws BadInput when real Xen cannot be this machine. */
export const checkMachine = (machine: MachineConfig): void => {
  const [dom0, dom1, ...others] = machine.domains;
  if (dom0?.domid !== 0 || others.length > 0 || (dom1 && dom1.domid !== 1))
    throw new BadInput('real Xen starts domain 0, and domain 0 may build domain 1 from a module: no other domains');
  const firmware = Math.ceil(machine.frames / PAGES_A_MIB) * PAGES_A_MIB - machine.frames;
  if (dom0.pages % PAGES_A_MIB !== 0 || (firmware !== 0 && firmware !== FIRMWARE_FRAMES))
    throw new BadInput('real Xen needs memory in whole MiB');
  if (dom0.vcpus !== machine.pcpus) throw new BadInput('real Xen gives domain 0 as many vCPUs as there are CPUs');
};

/** Xen's command line: the configured one, with domain 0's true size. */
export const xenCommandline = (machine: MachineConfig): string => {
  const size = `dom0_mem=${machine.domains[0]!.pages / PAGES_A_MIB}M`;
  const text = machine.xen.commandline;
  return /\bdom0_mem=\S+/.test(text) ? text.replace(/\bdom0_mem=\S+/, size) : `${text} ${size}`.trim();
};

/** QEMU cuts the list of modules at commas; a doubled comma is one that belongs to the text. */
const escaped = (text: string): string => text.replaceAll(',', ',,');

/** Arguments for a QEMU that runs in the folder with FILES; with `shared`, its memory is a file there. */
export const qemuArguments = (machine: MachineConfig, shared = false): readonly string[] => {
  const { cmdline } = machine.domains[0]!;
  const mib = Math.ceil(machine.frames / PAGES_A_MIB);
  // Domain 1 is a module of domain 0's, which builds it.
  const module = machine.domains.length > 1 ? `,${FILES.module}` : '';
  return [
    ...['-M', 'pc', '-cpu', 'max', '-m', String(mib), '-smp', String(machine.pcpus)],
    ...(shared
      ? ['-object', `memory-backend-file,id=ram,size=${mib}M,mem-path=${FILES.memory},share=on`, '-machine', 'memory-backend=ram']
      : []),
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-icount', `shift=${SHIFT},sleep=off`, '-rtc', `base=${RTC_START},clock=vm`],
    ...['-serial', `file:${FILES.serial}`],
    ...['-kernel', FILES.xen, '-append', xenCommandline(machine)],
    ...['-initrd', `${FILES.image}${cmdline === '' ? '' : ` ${escaped(cmdline)}`}${module}`],
  ];
};
