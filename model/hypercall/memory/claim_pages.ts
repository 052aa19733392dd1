/** XENMEM_claim_pages: memory that is kept for a domain. */
import { memory } from '#spec/abi/memory.ts';
import { findDomain, updateDomain } from '../../lens.ts';
import { isZero, toBigInt } from '../../word/word.ts';
import { isControlDomain } from '../domids.ts';
import { done, fail } from '../result.ts';
import { readArgument, whole } from './command.ts';

export const claimPages = whole((machine, caller, { arg }) => {
  const { machine: m, argument } = readArgument(machine, caller, arg, memory.reservation);
  if (!argument) return fail(m, 'EFAULT', 'memory/argument');
  const domain = findDomain(m, argument.number('domid'));
  if (!isZero(argument.word('extent_start')) || argument.number('extent_order') !== 0 || argument.number('mem_flags') !== 0 || !domain)
    return fail(m, 'EINVAL', 'memory/claim_pages-arguments');
  if (!isControlDomain(caller)) return fail(m, 'EPERM', 'memory/claim_pages-permission');

  const { domid, pages, maxPages, claimed } = domain;
  const wanted = toBigInt(argument.word('nr_extents'));
  if (wanted === 0n) return done(updateDomain(m, domid, { claimed: 0 }), 'memory/claim_pages-none');
  if (claimed > 0 || wanted <= BigInt(pages) || wanted > BigInt(maxPages)) return fail(m, 'EINVAL', 'memory/claim_pages-refused');
  const claims = m.domains.reduce((sum, other) => sum + other.claimed, 0);
  const missing = Number(wanted) - pages;
  if (missing > m.freeFrames - claims) return fail(m, 'ENOMEM', 'memory/claim_pages-memory');
  return done(updateDomain(m, domid, { claimed: missing }), 'memory/claim_pages-done');
});
