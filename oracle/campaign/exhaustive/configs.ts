/** The small machines that can be explored, by name. */
import { BadInput } from '#spec/failure.ts';
import type { Core } from './core.ts';
import { deathCore } from './deaths/core.ts';
import type { DeathScope } from './deaths/scope.ts';
import { channelCandidates } from './event_channels/candidates.ts';
import { channelCore } from './event_channels/core.ts';
import type { ChannelScope } from './event_channels/scope.ts';
import { grantCandidates } from './grants/candidates.ts';
import { grantCore } from './grants/core.ts';
import { DEVICE_WRITE, type GrantScope, HOST_READ, HOST_WRITE } from './grants/scope.ts';
import { pageTypeCandidates } from './page_types/candidates.ts';
import { pageTypeCore } from './page_types/core.ts';
import type { PageTypeScope } from './page_types/scope.ts';
import type { Values } from './slots.ts';

const CHANNELS = {
  /** The smallest: what the channels are, without the bits that tell of them. */
  channels: { domids: [0, 1], ports: 2, vcpus: 1, bits: false },
  channels_3: { domids: [0, 1], ports: 3, vcpus: 1, bits: false },
  channels_vcpus: { domids: [0, 1], ports: 2, vcpus: 2, bits: false },
  /** Two domains without privilege, which can be taken for one another. */
  channels_peers: { domids: [1, 2], ports: 3, vcpus: 1, bits: false },
  channels_peers_4: { domids: [1, 2], ports: 4, vcpus: 1, bits: false },
  channels_peers_vcpus: { domids: [1, 2], ports: 3, vcpus: 2, bits: false },
  channels_bits: { domids: [0, 1], ports: 2, vcpus: 1, bits: true },
  channels_peers_bits: { domids: [1, 2], ports: 2, vcpus: 1, bits: true },
  channels_whole: { domids: [0, 1], ports: 3, vcpus: 2, bits: true },
  channels_peers_whole: { domids: [1, 2], ports: 4, vcpus: 1, bits: true },
} as const satisfies Record<string, ChannelScope>;

const TO_DOM0 = { granter: 1, mappers: [0], kinds: [HOST_WRITE, HOST_READ], readOnly: true, ownUse: true } as const;
const GRANTS = {
  /** The smallest: one frame by one grant, mapped twice at most. */
  grants: { ...TO_DOM0, grants: 1, frames: 1, handles: 2, entries: 2 },
  grants_device: { ...TO_DOM0, grants: 1, frames: 1, handles: 3, entries: 1, kinds: [HOST_WRITE, HOST_READ, DEVICE_WRITE] },
  grants_frames: { ...TO_DOM0, grants: 2, frames: 2, handles: 2, entries: 2, readOnly: false, ownUse: false },
  /** Two domains that map what a third one grants. */
  grants_domains: { ...TO_DOM0, granter: 0, mappers: [1, 2], grants: 2, frames: 1, handles: 2, entries: 1 },
  grants_3: { ...TO_DOM0, grants: 3, frames: 2, handles: 2, entries: 2 },
  grants_handles: { ...TO_DOM0, grants: 2, frames: 2, handles: 3, entries: 2 },
  grants_whole: { ...TO_DOM0, grants: 3, frames: 2, handles: 3, entries: 2 },
} as const satisfies Record<string, GrantScope>;

const TABLES = { entries: 1, linear: 1, stranger: false, foreign: 0, taken: false } as const;
const PAGE_TYPES = {
  page_types: { ...TABLES, frames: 2, levels: [1, 2], stranger: true },
  page_types_3: { ...TABLES, frames: 3, levels: [1, 2, 3] },
  /** Frames that can be taken for one another: their names alone tell them apart. */
  page_types_taken: { ...TABLES, frames: 3, levels: [1, 2, 3], taken: true },
  page_types_foreign: { ...TABLES, frames: 3, levels: [1, 2], foreign: 1, stranger: true },
  page_types_4: { ...TABLES, frames: 4, levels: [1, 2, 3], taken: true },
  page_types_whole: { ...TABLES, frames: 4, levels: [1, 2, 3], foreign: 1, taken: true },
  page_types_mapped: { ...TABLES, frames: 3, levels: [1, 2, 3], foreign: 3, stranger: true },
} as const satisfies Record<string, PageTypeScope>;

const DEATHS = {
  /** The smallest: a domain with a channel, which dies at once or with a stop at every 256th question. */
  deaths: { mortals: [1], domids: [0, 1], ports: 1, grant: null, stops: [256] },
  /** Its frame is mapped by domain 0 while it dies. */
  deaths_granter: { mortals: [1], domids: [0, 1], ports: 1, grant: { granter: 1, mapper: 0 }, stops: [256] },
  /** It maps a frame of another domain, which dies too; either at once. */
  deaths_mapper: { mortals: [1, 2], domids: [1, 2], ports: 1, grant: { granter: 2, mapper: 1 }, stops: [] },
  /** A stop at every question that there is. */
  deaths_piecemeal: { mortals: [1], domids: [0, 1], ports: 1, grant: null, stops: [1] },
} as const satisfies Record<string, DeathScope>;

type ChannelName = keyof typeof CHANNELS;
type GrantName = keyof typeof GRANTS;
type PageTypeName = keyof typeof PAGE_TYPES;
type DeathName = keyof typeof DEATHS;
export type ConfigName = ChannelName | GrantName | PageTypeName | DeathName;
export const CONFIGS = [CHANNELS, GRANTS, PAGE_TYPES, DEATHS].flatMap(Object.keys) as readonly ConfigName[];

const isChannels = (name: string): name is ChannelName => name in CHANNELS;
const isGrants = (name: string): name is GrantName => name in GRANTS;
const isPageTypes = (name: string): name is PageTypeName => name in PAGE_TYPES;
const isDeaths = (name: string): name is DeathName => name in DEATHS;
const unknown = (name: string): BadInput => new BadInput(`--config ${name}: there are ${CONFIGS.join(', ')}`);

/** Throws BadInput for a name that there is not. `taken`: states that differ in names alone are taken for one another. */
export const coreOf = (name: string, taken = true): Core => {
  if (isChannels(name)) return taken ? channelCore(name, CHANNELS[name]) : channelCore(name, CHANNELS[name], false);
  if (isGrants(name)) return grantCore(name, GRANTS[name]);
  if (isPageTypes(name)) return taken ? pageTypeCore(name, PAGE_TYPES[name]) : pageTypeCore(name, PAGE_TYPES[name], false);
  if (isDeaths(name)) return deathCore(name, DEATHS[name]);
  throw unknown(name);
};

/** The same with no two states taken for one another: a state that satisfies the invariants is looked at as it is. */
export const inductiveCoreOf = (name: string): Core => coreOf(name, false);

/** States among which are all that satisfy the invariants; the same array may come again and again. */
export const candidatesOf = (name: string): Iterable<Values> => {
  if (isChannels(name)) return channelCandidates(CHANNELS[name]);
  if (isGrants(name)) return grantCandidates(GRANTS[name]);
  if (isPageTypes(name)) return pageTypeCandidates(PAGE_TYPES[name]);
  if (isDeaths(name))
    throw new BadInput(`--config ${name}: nobody can list the states of a machine whose domains die; --exhaustive explores it`);
  throw unknown(name);
};
