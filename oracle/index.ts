/**
 * The judge: the executor, programs and images, lockstep and bisection, campaigns, peers. An implementation of yours takes part by the `Engine`
 * face of `xenspec/spec`: `lockstep({ reference: (await loadBoots()).model, subject: yours }, { config, images })`.
 */
import type { Boot } from '#spec/engine.ts';
import { loadEngine } from './campaign/engines.ts';

export { type CampaignOptions, type CampaignResult, runCampaign } from './campaign/campaign.ts';
export { type Case, caseOf, caseOfSeed } from './campaign/case.ts';
export { stepCount, writeCounterexample } from './campaign/counterexample.ts';
export { describe } from './campaign/counterexample_readme.ts';
export { Coverage, type OperationCounts, operationName, SLICE } from './campaign/coverage.ts';
export { ENGINES, type EngineName, loadEngine } from './campaign/engines.ts';
export { DEFAULT_POLICY, Environment, type Finish, type Policy } from './campaign/environment.ts';
export { type Counterexample, type Judged, judge, policyOf } from './campaign/judge.ts';
export { Consoles, type RunOptions, type RunResult, runEngine } from './campaign/run.ts';
export { type Difference, firstDifference } from './compare/difference.ts';
export { locate } from './compare/locate.ts';
export {
  type Agreement,
  compareEndings,
  compareMachines,
  type Divergence,
  type LockstepOptions,
  lockstep,
  type Pair,
  type Subject,
  type Verdict,
} from './compare/lockstep.ts';
export { generateProgram, shrinkProgram } from './generators/index.ts';
export { buildBatch, buildImages, domainsOf, EXAMPLES } from './image/index.ts';
export type { Peer, Unavailable } from './peers/peer.ts';
export { findPeer, listPeers, PEERS, type PeerName } from './peers/peers.ts';

/** The two engines that come with the project. */
export const loadBoots = async (): Promise<{ readonly model: Boot; readonly executor: Boot }> => ({
  model: await loadEngine('model'),
  executor: await loadEngine('executor'),
});
