/** Loading data and stack segment registers on the machine without a hypervisor. */
import { NotModelled } from '#spec/failure.ts';
import { Word } from '../../../word/word.ts';
import { changed, type Running } from '../running.ts';
import { segmentOf, withSegment } from '../state.ts';

/** Rights of a virtual-8086 segment: present, DPL 3, writable data. */
const V86_RIGHTS = 0xf3;

/**
 * The state after ES, SS, DS, FS or GS was loaded with a selector, in whatever mode; the instruction is not done yet. Memory may have
 * gained an accessed bit in a descriptor. Throws #GP, #SS, #NP and #PF.
 */
export const loadBareSegment = (s: Running, register: number, selector: number): Running => {
  const base = new Word(0, selector << 4);
  switch (s.system.mode) {
    case 'real':
      return changed(s, {
        segments: withSegment(s.segments, register, { ...segmentOf(s.segments, register), selector, base, usable: true }),
      });
    case 'v86':
      return changed(s, {
        segments: withSegment(s.segments, register, { selector, base, limit: 0xffff, rights: V86_RIGHTS, usable: true }),
      });
    default:
      throw new NotModelled('x86/descriptor');
  }
};
