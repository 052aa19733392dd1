/**
 * Xen's copies from and to guest memory, by guest virtual address through the caller's page tables, as hypercalls do them: an
 * address in Xen's range or a page that cannot be accessed fails the copy, and what was copied before it stays copied.
 */
import type { Field } from '#spec/abi/layout.ts';
import type { VcpuRef } from '#spec/event.ts';
import { setMemory, vcpuOf } from './lens.ts';
import type { Machine } from './machine.ts';
import { readByte, writeByte } from './memory/memory.ts';
import { translate } from './memory/translate.ts';
import { addNumber, fromHalves, type Word } from './word/word.ts';

export type Copied = { readonly ok: true; readonly machine: Machine; readonly bytes: Uint8Array } | { readonly ok: false; readonly machine: Machine };
export type Stored = { readonly ok: boolean; readonly machine: Machine };

/** Xen's address check: below 2^47, or at or above the end of its own range. */
export const addressOk = (va: Word): boolean => (va.hi >= 0 && va.hi < 0x8000) || (va.hi < 0 && va.hi >>> 0 >= 0xffff8800);

/** Xen's check of an array before it is touched: `count` elements of `size` bytes must not overflow, and the first must be addressable. */
export const arrayOk = (va: Word, count: number, size: number): boolean => count * size < 2 ** 64 && addressOk(va);
