/**
 * platform_op about hardware: memory types, microcode, sleep, processors and memory that are added, registers. Told or refused as far as an empty host
 * decides it; what would change the host is not modelled. Chapter: spec/chapters/host.md.
 */
import { ERRNO, type Errno } from '#spec/abi/errno.ts';
import {
  ACPI_SLEEP,
  CORE_PARKING,
  HOTADD_LIMITS,
  MEMORY_TYPES,
  MTRR,
  PDC_REVISION,
  platform,
  RESOURCE,
  SYMBOLS_AT_MOST,
  XEN_PM,
} from '#spec/abi/platform.ts';
import type { ClauseId } from '#spec/clauses.ts';
import { addressOk, copyFromGuest, copyToGuest } from '../../guest_copy.ts';
import { domainOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { addInt, type Word, word } from '../../word/word.ts';
import { bytesOfNumber, fieldOf, fieldsOf, withFields } from '../guest_struct.ts';
import { notModelled } from '../not_modelled.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { type Asked, type Platform, tell } from './rule.ts';

const stop = (machine: Machine, { caller }: Asked, name: keyof typeof platform): HypercallResult =>
  notModelled(machine, caller, `platform_op/${name}`);

const isNarrow = (machine: Machine, { caller }: Asked): boolean => domainOf(machine, caller.domid).pv32 !== undefined;

/** An address in the structure, which has four bytes when a 32-bit domain gives it. */
const addressIn = (machine: Machine, asked: Asked, at: number): Word => {
  const given = wordIn(asked.bytes, at);
  return isNarrow(machine, asked) ? word(0, given.lo) : given;
};

const bigOf = ({ hi, lo }: Word): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);

const addMemtype: Platform = (machine, asked) => {
  const { fields } = platform.add_memtype;
  const [mfn, count] = [bigOf(wordIn(asked.bytes, fields.mfn.at)), bigOf(wordIn(asked.bytes, fields.nr_mfns.at))];
  const isRange = count !== 0n && (count & (count - 1n)) === 0n && (mfn & (count - 1n)) === 0n && mfn + count <= MOST_FRAMES;
  return isRange && fieldOf(asked.bytes, fields.type) < MTRR.TYPES
    ? stop(machine, asked, 'add_memtype')
    : fail(machine, 'EINVAL', 'platform/memtype-range');
};
/** Physical addresses have 40 bits. */
const MOST_FRAMES = 1n << 28n;

const delMemtype: Platform = (machine, asked) => {
  const { handle, reg } = fieldsOf(asked.bytes, platform.del_memtype);
  return handle !== 0 || !MEMORY_TYPES[reg]?.nr_mfns
    ? fail(machine, 'EINVAL', 'platform/memtype-register')
    : stop(machine, asked, 'del_memtype');
};

/** What follows the register's number is at multiples of eight, for a 32-bit domain of four. */
const NARROWER = 4;
const readMemtype: Platform = (machine, asked) => {
  const { read_memtype } = platform;
  const found = MEMORY_TYPES[fieldOf(asked.bytes, read_memtype.fields.reg)];
  if (!found) return fail(machine, 'EINVAL', 'platform/memtype-register');
  const { at } = read_memtype.fields.reg;
  const after = withFields(asked.bytes, read_memtype, found);
  if (!isNarrow(machine, asked)) return tell(machine, asked, after, at, read_memtype.size, 'platform/memtype-told');
  const narrow = asked.bytes.slice();
  const first = read_memtype.fields.mfn.at;
  narrow.set(after.slice(first, read_memtype.fields.type.at + 4), first - NARROWER);
  return tell(machine, asked, narrow, at, read_memtype.size - 2 * NARROWER, 'platform/memtype-told');
};

const microcodeUpdate: Platform = (machine) => fail(machine, 'EINVAL', 'platform/microcode');
const memHotadd: Platform = (machine) => fail(machine, 'EINVAL', 'platform/mem_hotadd');

const enterAcpiSleep: Platform = (machine, asked) => {
  const { val_a, val_b, flags } = fieldsOf(asked.bytes, platform.enter_acpi_sleep);
  if (flags & ACPI_SLEEP.EXTENDED) return fail(machine, 'EPERM', 'platform/sleep-extended');
  const differ = val_b !== 0 && ((val_a ^ val_b) & ACPI_SLEEP.ENABLE) !== 0;
  return differ || flags !== 0 ? fail(machine, 'EINVAL', 'platform/sleep-values') : stop(machine, asked, 'enter_acpi_sleep');
};

const PDC_WORDS = 2;
const setPdc: Platform = (machine, asked) => {
  const at = addressIn(machine, asked, platform.set_processor_pminfo.fields.pdc.at);
  const head = copyFromGuest(machine, asked.caller, at, 4 * PDC_WORDS);
  if (!head.ok) return fail(head.machine, 'EFAULT', 'platform/pminfo-capabilities');
  const [revision, count] = [wordIn(head.bytes, 0).lo, wordIn(head.bytes, 0).hi];
  if (revision !== PDC_REVISION || count === 0) return fail(head.machine, 'EINVAL', 'platform/pminfo-capabilities');
  const next = copyFromGuest(head.machine, asked.caller, addInt(at, 4 * PDC_WORDS), 4);
  return next.ok ? stop(next.machine, asked, 'set_processor_pminfo') : fail(next.machine, 'EFAULT', 'platform/pminfo-capabilities');
};

const ofProcessor = (machine: Machine, asked: Asked, id: number): HypercallResult =>
  id < machine.config.pcpus ? stop(machine, asked, 'set_processor_pminfo') : fail(machine, 'EINVAL', 'platform/pminfo-processor');

const setProcessorPminfo: Platform = (machine, asked) => {
  const { id, type } = fieldsOf(asked.bytes, platform.set_processor_pminfo);
  switch (type) {
    case XEN_PM.CX:
      if (!isNarrow(machine, asked) && !addressOk(wordIn(asked.bytes, platform.set_processor_pminfo.fields.states.at)))
        return fail(machine, 'EFAULT', 'platform/pminfo-states');
      return ofProcessor(machine, asked, id);
    case XEN_PM.PX:
      return ofProcessor(machine, asked, id);
    case XEN_PM.TX:
      return fail(machine, 'ENOSYS', 'platform/pminfo-throttling');
    case XEN_PM.PDC:
      return setPdc(machine, asked);
    default:
      return fail(machine, 'EINVAL', 'platform/pminfo-throttling');
  }
};

const cpuHotadd: Platform = (machine, asked) => {
  const { apic_id, acpi_id, pxm } = fieldsOf(asked.bytes, platform.cpu_hotadd);
  const { acpi_ids, apic_ids, nodes } = HOTADD_LIMITS;
  if (acpi_id >= acpi_ids || apic_id >= apic_ids || pxm >= nodes) return fail(machine, 'EINVAL', 'platform/cpu_hotadd-numbers');
  const { pcpus } = machine.config;
  if (acpi_id < pcpus) return fail(machine, acpi_id === apic_id ? 'EEXIST' : 'EINVAL', 'platform/cpu_hotadd-there');
  return apic_id < pcpus ? fail(machine, 'EEXIST', 'platform/cpu_hotadd-there') : stop(machine, asked, 'cpu_hotadd');
};

const coreParking: Platform = (machine, asked) => {
  const { core_parking } = platform;
  const type = fieldOf(asked.bytes, core_parking.fields.type);
  if (type === CORE_PARKING.SET) return stop(machine, asked, 'core_parking');
  if (type !== CORE_PARKING.GET) return fail(machine, 'EINVAL', 'platform/core_parking');
  const after = withFields(asked.bytes, core_parking, { idle_nums: 0 });
  return tell(machine, asked, after, core_parking.fields.type.at, core_parking.size, 'platform/core_parking');
};

/** What is wrong with the first entry; null: the processor would be asked. */
const wrongEntry = (bytes: Uint8Array): Errno | null => {
  const { fields } = platform.resource_entry;
  if (fieldOf(bytes, fields.rsvd) !== 0) return 'EINVAL';
  const command = fieldOf(bytes, fields.cmd);
  if (command !== RESOURCE.MSR_READ && command !== RESOURCE.MSR_WRITE) return 'EOPNOTSUPP';
  const register = bigOf(wordIn(bytes, fields.idx.at));
  if (register >> 32n) return 'EINVAL';
  return command === RESOURCE.MSR_READ && register === RESOURCE.TIME_STAMP ? null : 'EPERM';
};

const resourceOp: Platform = (machine, asked) => {
  const { fields } = platform.resource_op;
  const clause: ClauseId = 'platform/resource_op-entry';
  const count = fieldOf(asked.bytes, fields.nr_entries);
  if (count === 0) return done(machine, 'platform/resource_op-number');
  if (count > RESOURCE.MOST_ENTRIES) return fail(machine, 'EINVAL', 'platform/resource_op-number');
  const at = addressIn(machine, asked, fields.entries.at);
  const { size } = platform.resource_entry;
  const read = copyFromGuest(machine, asked.caller, at, count * size);
  if (!read.ok) return fail(read.machine, 'EFAULT', clause);
  const first = read.bytes.slice(0, size);
  const wrong = wrongEntry(first);
  if (wrong === null)
    return fieldOf(asked.bytes, fields.cpu) >= machine.config.pcpus
      ? fail(read.machine, 'ENODEV', 'platform/resource_op-processor')
      : stop(read.machine, asked, 'resource_op');
  first.set(bytesOfNumber(2 ** 32 - ERRNO[wrong], 4), 0);
  const stored = copyToGuest(read.machine, asked.caller, at, first);
  return stored.ok ? done(stored.machine, clause) : fail(stored.machine, 'EFAULT', clause);
};

const getSymbol: Platform = (machine, asked) =>
  fieldOf(asked.bytes, platform.get_symbol.fields.symnum) >= SYMBOLS_AT_MOST
    ? fail(machine, 'ERANGE', 'platform/symbol-number')
    : stop(machine, asked, 'get_symbol');

export const HARDWARE: Readonly<Record<string, Platform>> = {
  add_memtype: addMemtype,
  del_memtype: delMemtype,
  read_memtype: readMemtype,
  microcode_update: microcodeUpdate,
  enter_acpi_sleep: enterAcpiSleep,
  set_processor_pminfo: setProcessorPminfo,
  cpu_hotadd: cpuHotadd,
  mem_hotadd: memHotadd,
  core_parking: coreParking,
  resource_op: resourceOp,
  get_symbol: getSymbol,
};
