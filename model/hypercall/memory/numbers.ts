/** Numbers about a domain's memory and the machine's. */
import { COMPAT } from '#spec/abi/compat.ts';
import { memory } from '#spec/abi/memory.ts';
import { shared_info } from '#spec/abi/xen.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { Domain } from '../../domain.ts';
import type { Machine } from '../../machine.ts';
import { readWord } from '../../memory/memory.ts';
import { addInt, fromNumber, isZero, type Word, word, ZERO } from '../../word/word.ts';
import { done, doneWord, fail } from '../result.ts';
import { exact, type MemoryRule, readArgument, whole } from './command.ts';
import { subjectOf } from './subject.ts';

/** The word of 32-bit guests' shared info page whose upper half is max_pfn. */
const COMPAT_MAX_PFN = (COMPAT.shared_info.fields.max_pfn.at - 4) / 8;

/** XENMEM_maximum_ram_page. */
export const maximumRamPage = whole((machine) => done(machine, 'memory/maximum_ram_page', machine.config.frames));

const about = (clause: ClauseId, value: (machine: Machine, domain: Domain) => Word): MemoryRule =>
  whole((machine, caller, { arg }) => {
    const { machine: m, argument } = readArgument(machine, caller, arg, memory.domain);
    if (!argument) return fail(m, 'EFAULT', 'memory/argument');
    const subject = subjectOf(m, caller, argument.number('domid'));
    return 'kind' in subject ? subject : doneWord(m, clause, value(m, subject.domain));
  });

/** XENMEM_current_reservation, XENMEM_maximum_reservation, XENMEM_maximum_gpfn. */
export const currentReservation = about('memory/current_reservation', (_, { pages }) => fromNumber(pages));
export const maximumReservation = about('memory/maximum_reservation', (_, { maxPages }) => fromNumber(maxPages));
export const maximumGpfn = about('memory/maximum_gpfn', (machine, { sharedInfo, pv32 }) => {
  const pages = pv32
    ? word(0, readWord(machine.memory, sharedInfo, COMPAT_MAX_PFN).hi)
    : readWord(machine.memory, sharedInfo, shared_info.fields.max_pfn.at / 8);
  return isZero(pages) ? ZERO : addInt(pages, -1);
});

/** XENMEM_get_sharing_freed_pages, XENMEM_get_sharing_shared_pages. */
export const sharingPages = exact((machine) => done(machine, 'memory/sharing-pages'));
