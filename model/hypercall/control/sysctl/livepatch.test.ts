import { expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import type { Layout } from '#spec/abi/layout.ts';
import { XEN_SYSCTL_LIVEPATCH as OP, sysctl } from '#spec/abi/sysctl.ts';
import { preparedGuest } from '../../../testing/fresh.ts';
import { ARGUMENTS, DOM0, POOL, peek, poke64 } from '../../../testing/guest.ts';
import { fromNumber, toBigInt } from '../../../word/word.ts';
import { type Fields, fieldsOf, withFields } from '../../guest_struct.ts';
import { livepatchOp } from './livepatch.ts';

const { livepatch_upload: UPLOAD, livepatch_get: GET, livepatch_list: LIST, livepatch_action: ACTION } = sysctl;
/** A name of one letter, and behind it, what begins as an ELF file. */
const FILE = POOL + 8;
const booted = poke64(poke64(preparedGuest(ONE_PAGE_KERNEL), DOM0, POOL, 0x41n), DOM0, FILE, 0x464c457fn);
const NAME = { name: POOL, name_size: 2 };
/** Nobody maps it. */
const NOWHERE = 0x10000;

const call = <L extends Layout>(layout: L, values: Partial<Fields<L>>, at = ARGUMENTS) =>
  livepatchOp(booted, { caller: DOM0, at: fromNumber(at), bytes: withFields(new Uint8Array(layout.size), layout, values), depth: 0 });
const answer = <L extends Layout>(layout: L, values: Partial<Fields<L>>, at?: number): number => {
  const result = call(layout, values, at);
  if (result?.kind !== 'reply') throw new Error('no reply');
  return Number(BigInt.asIntN(64, toBigInt(result.value)));
};

it('an operation that is not known leaves the structure alone, all others write it back', () => {
  expect(answer(GET, { question: 4 }, NOWHERE)).toBe(-95);
  expect([answer(GET, { question: 4, pad: 1 }), answer(GET, { question: OP.GET, ...NAME }, NOWHERE)]).toEqual([-22, -14]);
});

it('no patch has any name', () => {
  const get = (values: Partial<Fields<typeof GET>>) => answer(GET, { question: OP.GET, ...NAME, ...values });
  expect([get({}), get({ name_size: 0 }), get({ name_size: 1 }), get({ name_size: 129 }), get({ name_pad2: 1 })]).toEqual([
    -2, -22, -22, -22, -22,
  ]);
  expect([get({ name: NOWHERE }), get({ name: NOWHERE, name_pad0: 1 })]).toEqual([-14, -22]);
  const act = (values: Partial<Fields<typeof ACTION>>) => answer(ACTION, { question: OP.ACTION, ...NAME, action: 9, ...values });
  expect([act({}), act({ action_pad: 1, name: NOWHERE })]).toEqual([-2, -22]);
});

it('a patch must be an ELF file, which is not modelled', () => {
  const upload = (values: Partial<Fields<typeof UPLOAD>>) =>
    answer(UPLOAD, { question: OP.UPLOAD, ...NAME, size: 64, payload: POOL, ...values });
  expect([upload({}), upload({ payload: FILE, size: 63 }), upload({ name: NOWHERE }), upload({ size: 0 })]).toEqual([-22, -22, -22, -22]);
  expect([upload({ payload: NOWHERE }), upload({ payload: NOWHERE, size: 0x200001 })]).toEqual([-14, -22]);
  expect(call(UPLOAD, { question: OP.UPLOAD, ...NAME, size: 64, payload: FILE })).toBeNull();
});

it('the list is empty', () => {
  const list = (values: Partial<Fields<typeof LIST>>) => answer(LIST, { question: OP.LIST, ...values });
  expect([list({ nr: 1025, list_pad: 1 }), list({ list_pad: 1 }), list({ nr: 1, len: 2 ** 47 }), list({ len: 2 ** 47 })]).toEqual([
    -7, -22, -22, 0,
  ]);
  const result = call(LIST, { question: OP.LIST, idx: 3, nr: 5, name_total_size: 9 });
  if (!result) throw new Error('not modelled');
  const told = fieldsOf(peek(result.machine, DOM0, ARGUMENTS, LIST.size), LIST);
  expect([told.version, told.idx, told.nr, told.name_total_size, told.metadata_total_size]).toEqual([1, 3, 0, 0, 0]);
});
