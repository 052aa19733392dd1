/** Debian's Linux as domain 0 of an empty host: how it is started, and what it says otherwise than on real Xen under QEMU 10. */
import type { Explained } from './console.ts';

/** Without ACPI and PCI there is little to find; the console is Xen's from the first line on; two-level event channels. */
export const LINUX_CMDLINE = 'console=hvc0 earlyprintk=xen acpi=off pci=off panic=1 xen.fifo_events=0';
/** Domain 0's memory in MiB, with which the recording was made. */
export const LINUX_MEMORY = 256;

const both = (line: RegExp, because: string): Explained => ({ real: line, ours: line, because });

const RATE = "The processor's frequency is the machine's: 1 GHz here, the host's under QEMU without -icount.";
const NO_TABLES = 'An empty host has no firmware tables.';
const NO_DEVICE = 'An empty host has no such device; the real one has, and hands it to domain 0.';
const MCA = 'The hypercall mca is not modelled: the run answers -ENOSYS and says so.';
const CPU = "CPUID's leaves were measured on QEMU 7.2, whose processor is of another family and has no such sizes.";

export const LINUX_EXPLAINED: readonly Explained[] = [
  { real: /^(SMBIOS|DMI: QEMU)/, ours: /^DMI not present/, because: NO_TABLES },
  { real: /^Hardware name: /, ours: null, because: NO_TABLES },
  both(/^Memory: \d+K\/523768K available/, `${NO_TABLES} The page that they take is free.`),
  { real: null, ours: /^tsc: Fast TSC calibration failed/, because: 'An empty host has no timer to measure by.' },
  both(/^tsc: Detected [\d.]+ MHz/, RATE),
  both(/^clocksource: tsc(-early)?: mask/, RATE),
  both(/^Calibrating delay loop \(skipped\)/, RATE),
  both(/^sched_clock: Marking stable/, 'Times.'),
  both(/^audit: type=2000 audit\(/, 'Times.'),
  both(/^node 0 deferred pages initialised in \d+ms/, 'Times.'),
  both(/^Last level [id]TLB entries/, CPU),
  { real: /^Speculative Store Bypass: Vulnerable/, ours: null, because: CPU },
  both(/^signal: max sigframe size/, CPU),
  { real: /^xen_mcelog: /, ours: /^xen_mcelog: Failed to get CPU numbers/, because: MCA },
  { real: /^genirq: Flags mismatch irq 8/, ours: null, because: `${MCA} Its interrupt is then not in the clock's way.` },
  { real: /^i8042: probe of i8042 failed/, ours: /^i8042: No controller found/, because: NO_DEVICE },
  { real: /^rtc_cmos( rtc_cmos)?: /, ours: /^rtc_cmos rtc_cmos: broken or not accessible/, because: NO_DEVICE },
];
