/** What lies behind the ports: registers that Xen keeps for each domain, and the host. Chapter: spec/chapters/host.md. */
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { mayUsePorts } from '../domain/io_caps.ts';
import { cite } from '../journal.ts';
import { domainOf, updateDomain } from '../lens.ts';
import type { Machine } from '../machine.ts';

const DEBUG_PORT = 0xe9;
const CMOS_INDEX = 0x70;
const CMOS_DATA = 0x71;
const PCI_ADDRESS = 0xcf8;
const TIMER_CHANNEL_2 = 0x42;
const TIMER_COMMAND = 0x43;
const SPEAKER = 0x61;
/** A command for the timer is about a channel, or reads several back. */
const CHANNEL_2 = 2;
const READ_BACK = 3;

/** Configuration of PCI, which domain 0 gets by way of Xen. */
const isPciConfiguration = (port: number): boolean => (port & ~3) === 0xcfc;
const ones = (bytes: number): number => 2 ** (8 * bytes) - 1;
const portsOf = (port: number, bytes: number): readonly number[] => Array.from({ length: bytes }, (_, i) => port + i);

/** Throws NotModelled where a device of a PC would answer. */
const askHost = (machine: Machine, port: number): void => {
  if (machine.config.host !== 'empty') throw new NotModelled(`port/${port.toString(16)}`);
};

/** Timer and speaker: channel 2 is domain 0's. */
const askTimer = (machine: Machine, domid: number, port: number, command: number | null): void => {
  const select = command === null ? null : command >> 6;
  const readsBackAlone2 = select === READ_BACK && (command! & 6) === 0;
  const hosts = domid === 0 && (port !== TIMER_COMMAND || select === CHANNEL_2 || readsBackAlone2);
  if (!hosts) throw new NotModelled(`port/${port.toString(16)}`);
  askHost(machine, port);
};

/** One byte that is no register of Xen's. `written`: null when it is read. */
const touch = (machine: Machine, domid: number, port: number, written: number | null): ClauseId => {
  if (port === TIMER_CHANNEL_2 || port === TIMER_COMMAND || port === SPEAKER) {
    askTimer(machine, domid, port, written);
    return 'host/port-timer';
  }
  const isHosts =
    port === CMOS_DATA
      ? mayUsePorts(machine, domid, CMOS_INDEX, CMOS_DATA)
      : isPciConfiguration(port)
        ? domid === 0
        : mayUsePorts(machine, domid, port, port);
  if (isHosts) askHost(machine, port);
  return 'host/port-nothing';
};

/** host/port-debug: the whole access, and nothing else. */
const isDebug = (machine: Machine, domid: number, port: number, bytes: number): boolean =>
  port === DEBUG_PORT && bytes === 1 && mayUsePorts(machine, domid, port, port);

/** `bytes` of them, from `port` on, read by a domain that may. `value` has no more bits than that. Throws NotModelled for devices. */
export const readPorts = (
  machine: Machine,
  at: VcpuRef,
  port: number,
  bytes: number,
): { readonly machine: Machine; readonly value: number } => {
  const { domid } = at;
  const { pciAddress = 0, cmosIndex = 0 } = domainOf(machine, domid);
  if (isDebug(machine, domid, port, bytes)) return { machine: cite(machine, 'host/port-debug'), value: 0xff };
  if (port === PCI_ADDRESS && bytes === 4) return { machine: cite(machine, 'host/port-pci_address'), value: pciAddress };
  let m = machine;
  let value = ones(bytes);
  for (const [i, one] of portsOf(port, bytes).entries())
    if (one === CMOS_INDEX) {
      value -= (0xff - cmosIndex) * 2 ** (8 * i);
      m = cite(m, 'host/port-cmos_index');
    } else m = cite(m, touch(m, domid, one, null));
  return { machine: m, value };
};

/** The lowest `bytes` of `value` to the ports from `port` on. Throws NotModelled for devices. */
export const writePorts = (machine: Machine, at: VcpuRef, port: number, bytes: number, value: number): Machine => {
  const { domid } = at;
  if (isDebug(machine, domid, port, bytes)) return cite(machine, 'host/port-debug');
  if (port === PCI_ADDRESS && bytes === 4) return updateDomain(cite(machine, 'host/port-pci_address'), domid, { pciAddress: value >>> 0 });
  let m = machine;
  for (const [i, one] of portsOf(port, bytes).entries()) {
    const byte = (value >>> (8 * i)) & 0xff;
    m =
      one === CMOS_INDEX ? updateDomain(cite(m, 'host/port-cmos_index'), domid, { cmosIndex: byte }) : cite(m, touch(m, domid, one, byte));
  }
  return m;
};
