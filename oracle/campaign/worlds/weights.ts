/** Which kinds of acts a domain draws from, and how often. */
import type { Act } from './act.ts';
import { channelAct, endGrant, grantAct } from './acts_channels.ts';
import { memoryAct, tableAct } from './acts_memory.ts';
import { controlAct, processorAct, secretAct, secretArgument } from './acts_processor.ts';
import type { Scene } from './scene.ts';

type Family = (scene: Scene) => Act;
const ALL: readonly Family[] = [channelAct, channelAct, channelAct, grantAct, grantAct, grantAct, tableAct, tableAct, processorAct];
/** How much memory is free is no secret, so that a stranger, whose acts may be left out in one world, leaves memory alone. */
const SHARERS: readonly Family[] = [memoryAct, memoryAct];
const KEEPERS: readonly Family[] = [secretAct, secretAct, secretArgument, endGrant];

const familiesOf = (scene: Scene): readonly Family[] => [
  ...ALL,
  ...(scene.isStranger ? [] : SHARERS),
  ...(scene.isObserver ? [memoryAct] : KEEPERS),
  ...(scene.self === 0 && scene.canControl ? [controlAct, controlAct] : []),
];

export const anAct = (scene: Scene): Act => {
  const families = familiesOf(scene);
  return families[scene.draw.below(families.length)]!(scene);
};
