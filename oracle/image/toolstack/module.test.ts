import { expect, test } from 'vitest';
import { debian_4_17, dom0, domU } from '#spec/machines/debian_4_17.ts';
import { boot } from '../../executor/engine.ts';
import { buildImages, EXAMPLES } from '../index.ts';
import { HYPERCALL_PAGE, LOG, VIRT_BASE } from '../layout.ts';
import {
  CONTENT,
  CONTENT_KIND,
  CONTENT_SIZE,
  JOURNAL,
  JOURNAL_MAGIC,
  MODULE,
  PLAN,
  PLAN_SIZE,
  PLANS,
  RECORD,
  RECORDS,
  STATUS,
} from './format.ts';
import { idleImage } from './idle.ts';
import { toolstackImage } from './image.ts';
import { journalLength, readJournal } from './journal.ts';
import { buildModule, domainPages } from './module.ts';

const PAGE = 4096;
const steps = [{ id: 1, do: 'hypercall' as const, call: 'xen_version' as const, args: [0, 0] }];
const image = buildImages({ steps })[0]!;

/** Pages of plan `n` as they lie in the domain's memory when that begins at frame `first`. */
const pagesOf = (module: Uint8Array, n: number, first: number) => {
  const view = new DataView(module.buffer);
  const plan = (field: keyof typeof PLAN) => Number(view.getBigUint64(PLANS + PLAN_SIZE * n + PLAN[field], true));
  const store = Number(view.getBigUint64(MODULE.store, true));
  const pages = new Map<number, Uint8Array>();
  for (let i = 0; i < plan('contents_count'); i++) {
    const at = plan('contents') + CONTENT_SIZE * i;
    const page = module.slice(store + PAGE * view.getUint32(at + CONTENT.page, true)).subarray(0, PAGE);
    if (view.getUint32(at + CONTENT.kind, true) === CONTENT_KIND.table) {
      const entries = new BigUint64Array(page.buffer, 0, 512);
      entries.forEach((entry, k) => {
        if (entry !== 0n) entries[k] = entry + (BigInt(first) << 12n);
      });
    }
    pages.set(view.getUint32(at + CONTENT.pfn, true), page);
  }
  return { plan, pages };
};

/** What Xen adds to entries of the lowest level: user access, and the mark of kernel pages. */
const ADDED = 4n | (1n << 52n);

test('a domain begins its life as our machines build it', () => {
  const pages = domainPages(image);
  const config = debian_4_17([dom0('', 4), domU(1, '', pages / 256)]);
  const engine = boot(config, [idleImage(), image]);
  const first = config.layout.domheap_first + 1024;
  const { plan, pages: mine } = pagesOf(buildModule([{ image, vcpus: 1 }]), 0, first);
  const lists = Array.from({ length: plan('p2m_pages') }, (_, i) => plan('p2m_pfn') + i);
  const differing: number[] = [];
  for (let pfn = 0; pfn < pages; pfn++) {
    if (lists.includes(pfn) || pfn === plan('hypercall_pfn')) continue;
    const theirs = new BigUint64Array(engine.page(first + pfn).slice().buffer);
    const ours = new BigUint64Array((mine.get(pfn) ?? new Uint8Array(PAGE)).slice().buffer);
    // The toolstack puts in where the shared info page is.
    if (pfn === plan('start_info_pfn')) theirs[5] = 0n;
    if (pfn >= plan('l4_pfn') && pfn < plan('l4_pfn') + 5) {
      for (let k = 0; k < 512; k++) if (pfn === plan('l4_pfn') && k >= 256 && k < 272) theirs[k] = 0n;
      for (let k = 0; k < 512; k++) if (theirs[k] !== ours[k] && theirs[k] === (ours[k]! | ADDED)) ours[k] = theirs[k]!;
    }
    if (ours.some((word, k) => word !== theirs[k])) differing.push(pfn);
  }
  expect(differing).toEqual([]);
});

test('a module names every program, and keeps equal pages once', () => {
  const images = [image, image, buildImages(EXAMPLES[Object.keys(EXAMPLES)[0] as keyof typeof EXAMPLES])[0]!];
  const module = buildModule(images.map((elf) => ({ image: elf, vcpus: 2 })));
  expect(new DataView(module.buffer).getBigUint64(0, true)).toBe(3n);
  const { plan } = pagesOf(module, 1, 0);
  expect([plan('vcpus'), plan('hypercall_pfn'), plan('log_pfn'), 2 ** plan('order')]).toEqual([
    2,
    (HYPERCALL_PAGE - VIRT_BASE) / PAGE,
    (LOG - VIRT_BASE) / PAGE,
    plan('pages'),
  ]);
  const one = buildModule([{ image, vcpus: 1 }]);
  const two = buildModule([image, image].map((elf) => ({ image: elf, vcpus: 1 })));
  expect(two.length).toBe(one.length);
});

test('an image with more memory gets a larger domain', () => {
  expect(domainPages(image)).toBe(1024);
  expect(domainPages(buildImages({ steps }, VIRT_BASE + 0x700000)[0]!)).toBe(2048);
});

test('the toolstack is an image like any other', () => {
  expect([...toolstackImage('4.17').subarray(0, 4)]).toEqual([0x7f, 0x45, 0x4c, 0x46]);
});

test('a journal is read as far as it goes', () => {
  const bytes = new Uint8Array(RECORDS + 64);
  const view = new DataView(bytes.buffer);
  expect(journalLength(bytes)).toBe(0);
  view.setBigUint64(JOURNAL.magic, JOURNAL_MAGIC, true);
  view.setBigUint64(JOURNAL.started, 3n, true);
  view.setBigUint64(JOURNAL.done, 2n, true);
  view.setBigUint64(JOURNAL.end, BigInt(bytes.length), true);
  expect(journalLength(bytes)).toBe(bytes.length);
  view.setUint32(RECORDS + RECORD.value, 3, true);
  view.setUint32(RECORDS + RECORD.length, 3, true);
  bytes.set([104, 105, 10], RECORDS + 16);
  view.setUint32(RECORDS + 24 + RECORD.program, 1, true);
  view.setUint32(RECORDS + 24 + RECORD.status, STATUS.failed + 3, true);
  view.setInt32(RECORDS + 24 + RECORD.value, -12, true);
  expect(readJournal(bytes)).toEqual({
    started: 3,
    done: 2,
    entries: [
      { program: 0, outcome: { kind: 'shutdown', reason: 3 }, log: 'hi\n' },
      { program: 1, outcome: { kind: 'not built', step: 'populate_physmap', result: -12 }, log: '' },
    ],
  });
});
