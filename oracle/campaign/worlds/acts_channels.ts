/** Acts with event channels, and with grants. */
import { evtchn } from '#spec/abi/event_channel.ts';
import { GNTCOPY, GNTMAP, GTF, gnttab } from '#spec/abi/grant_table.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { UVMF } from '#spec/abi/xen.ts';
import { type Act, struct } from './act.ts';
import { type Code, call, enter, load, loadInto, mov, store, type Word } from './code.ts';
import { PAGES, SHARES, VA, vaOf } from './layout.ts';
import { DOMID_SELF, type Scene } from './scene.ts';

const EVTCHN = SUBOPERATIONS.event_channel_op;
const GNTTAB = SUBOPERATIONS.grant_table_op;
export const FIRST_REF = 8;
const PORTS = 8;
const HANDLES = 4;

type Fields = Readonly<Record<string, Word>>;
const event = (name: keyof typeof EVTCHN & keyof typeof evtchn, fields: Fields, names?: readonly number[]): Act => ({
  name: `evtchn ${name}`,
  call: 'event_channel_op',
  args: [EVTCHN[name], VA.data],
  stores: struct(evtchn[name], fields),
  ...(names ? { names } : {}),
});

/** For ports of its own that it may be said to share: what becomes of them is nobody's business but the domain's at the other end. */
export const channelAct = (scene: Scene): Act => {
  const { draw } = scene;
  const port = 1 + draw.below(draw.pick(3, 4, PORTS));
  const other = scene.other();
  switch (draw.below(13)) {
    case 0:
    case 1:
      return event('alloc_unbound', { dom: DOMID_SELF, remote_dom: scene.domid(other) }, [other]);
    case 2:
    case 3:
    case 4:
      return event('bind_interdomain', { remote_dom: scene.domid(other), remote_port: 1 + draw.below(draw.pick(2, 2, 4)) }, [other]);
    case 5:
    case 6:
    case 7:
      return event('send', { port });
    case 8:
      return draw.below(3) === 0 ? event('close', { port }) : connectAndSend(scene);
    case 9:
      return event('status', { dom: draw.pick(DOMID_SELF, scene.domid(other)), port }, [other]);
    case 10:
      return event('bind_ipi', { vcpu: 0 }, []);
    case 11:
      return event('bind_virq', { virq: draw.pick(0, 1, 3, 8), vcpu: 0 }, []);
    default:
      return draw.below(3) === 0 ? event('reset', { dom: DOMID_SELF }) : event('unmask', { port }, []);
  }
};

/** A channel is made, and used at once by the port that came of it. */
const connectAndSend = (scene: Scene): Act => {
  const bind = event('bind_interdomain', { remote_dom: scene.domid(scene.other()), remote_port: 1 + scene.draw.below(2) });
  const port = VA.data + evtchn.bind_interdomain.fields.local_port.at;
  return {
    ...{ name: 'evtchn bind_interdomain, send', call: 'event_channel_op', args: [EVTCHN.send, port] },
    ...{ stores: bind.stores, code: load([EVTCHN.bind_interdomain, VA.data]).concat(enter('event_channel_op')) },
  };
};

const grant = (name: keyof typeof GNTTAB & keyof typeof gnttab, fields: Fields, names?: readonly number[]): Act => ({
  name: `gnttab ${name}`,
  call: 'grant_table_op',
  args: [GNTTAB[name], VA.data, 1],
  stores: struct(gnttab[name], fields),
  ...(names ? { names } : {}),
});

/** A page that nothing maps any more, as Xen wants it. */
const transfer = (scene: Scene, page: number, to: number): Act => ({
  ...grant('transfer', { mfn: scene.own(page), domid: scene.domid(to), ref: FIRST_REF + SHARES + scene.self }, [to]),
  code: call('update_va_mapping', vaOf(page), 0, UVMF.INVLPG),
});

const ref = (scene: Scene): number => FIRST_REF + scene.draw.below(SHARES);
/** Where copies go: the one that looks on tries others' frames too. */
const targetOf = (scene: Scene): number => (scene.isObserver && scene.draw.below(3) === 0 ? scene.foreign() : scene.own(scene.share()));
/** What others are given a copy of: nothing that may have taken secrets. */
const sourceOf = (scene: Scene): number => (scene.isObserver ? targetOf(scene) : scene.own(PAGES.code));

export const grantAct = (scene: Scene): Act => {
  const { draw } = scene;
  const other = scene.other();
  const dom = scene.domid(other);
  switch (draw.below(16)) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const flags = draw.pick(GNTMAP.host_map, GNTMAP.host_map, GNTMAP.host_map | GNTMAP.readonly, GNTMAP.host_map | GNTMAP.device_map);
      return grant('map_grant_ref', { host_addr: scene.window(), flags, ref: ref(scene), dom }, [other]);
    }
    case 4:
    case 5:
    case 6:
      return grant('unmap_grant_ref', { host_addr: scene.window(), handle: draw.below(draw.pick(1, 1, HANDLES)) });
    case 7:
    case 8:
      return grant('copy', {
        ...(draw.below(4) === 0 ? { source: scene.foreign() } : { source: ref(scene), flags: GNTCOPY.source_gref }),
        ...{ source_domid: dom, source_offset: 16 * draw.below(8), dest: targetOf(scene), dest_domid: DOMID_SELF },
        ...{ dest_offset: 0, len: draw.pick(1, 64, 4096 - 128) },
      });
    case 9:
      return grant('copy', {
        ...(draw.below(4) === 0 ? { dest: scene.foreign() } : { dest: ref(scene), flags: GNTCOPY.dest_gref }),
        ...{ source: sourceOf(scene), source_domid: DOMID_SELF, dest_domid: dom, len: 64 },
      });
    case 10:
      if (scene.isStranger) return grant('query_size', { dom: DOMID_SELF }, []);
      return transfer(scene, scene.spare(), other);
    case 11:
      return grant('query_size', { dom: draw.pick(DOMID_SELF, dom) }, [other]);
    case 12:
      return grant('get_version', { dom: draw.pick(DOMID_SELF, dom) }, [other]);
    case 13:
      return scene.isObserver ? grant('set_version', { version: draw.pick(1, 2) }) : grant('query_size', { dom: DOMID_SELF }, []);
    case 14:
      return grant('cache_flush', { dev_bus_addr: BigInt(scene.frame()) << 12n, length: 64, op: 1 });
    default:
      return grant('swap_grant_ref', { ref_a: FIRST_REF + SHARES + 4, ref_b: FIRST_REF + SHARES + 5 }, []);
  }
};

/** A word is stored where a grant may be mapped; when none is, the handler of page faults skips the store. */
export const windowAct = (scene: Scene): Act => ({
  name: 'store through a grant',
  ...{ call: 'xen_version', args: [0, 0], stores: [] },
  code: store(scene.window() + 8 * scene.draw.below(16), scene.draw.any()),
});

const ENTRY_BYTES = 8;
const entryAt = (n: number): number => VA.grants + ENTRY_BYTES * n;
/** An entry of version 1 as one word. */
export const grantEntry = (flags: number, domid: number, mfn: number): Word =>
  BigInt(flags) | (BigInt(domid) << 16n) | (BigInt(mfn) << 32n);

/** Each shared page has one reference; one more for each domain accepts a frame from it. */
export const firstEntries = (scene: Scene): Act['stores'] => {
  const { draw } = scene;
  const entries: [number, Word][] = [];
  for (let i = 0; i < SHARES; i++) {
    const flags = draw.pick(GTF.permit_access, GTF.permit_access, GTF.permit_access | GTF.readonly);
    entries.push([entryAt(FIRST_REF + i), grantEntry(flags, scene.domid(scene.other()), scene.own(PAGES.share + i))]);
  }
  const giver = scene.other();
  entries.push([entryAt(FIRST_REF + SHARES + giver), grantEntry(GTF.accept_transfer, scene.domid(giver), 0)]);
  return entries;
};

const le = (address: number): Code => [address & 255, (address >>> 8) & 255, (address >>> 16) & 255, (address >>> 24) & 255];
const QWORDS = 16;
/**
 * A grant ends: when nobody uses it, the entry becomes invalid, and only then does the domain put secrets into the page. Whoever still reads that page
 * has a stale grant.
 */
export const endGrant = (scene: Scene): Act => {
  const i = scene.draw.below(SHARES);
  const page = VA.copies + 4096 * (PAGES.share + i - PAGES.copies);
  const copies = Array.from({ length: QWORDS }, (_, n) => [
    ...loadInto('rdx', VA.secret + 0x100 + 8 * n),
    ...[0x48, 0x89, 0x14, 0x25],
    ...le(page + 8 * n),
  ]).flat();
  const entry = le(entryAt(FIRST_REF + i));
  return {
    name: `grant ${FIRST_REF + i} ends, its page takes secrets`,
    ...{ call: 'xen_version', args: [0, 0], stores: [], names: [] },
    code: [
      ...mov('rcx', 0),
      // AX = the entry's flags; in use when bit 3 or 4 is set.
      ...[0x66, 0x8b, 0x04, 0x25, ...entry, 0xa8, 0x18, 0x0f, 0x85, ...le(copies.length + 16)],
      // LOCK CMPXCHG [entry], CX, unless somebody has begun to use it.
      ...[0xf0, 0x66, 0x0f, 0xb1, 0x0c, 0x25, ...entry, 0x0f, 0x85, ...le(copies.length)],
      ...copies,
    ],
  };
};
