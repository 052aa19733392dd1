/** `build_image.ts PROGRAM OUT…`: write the images of a program (a name of examples.ts, or a JSON file) to paths, domain 0 first. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Program } from '#spec/program.ts';
import { buildImages, EXAMPLES } from '../image/index.ts';

const [name, ...paths] = process.argv.slice(2);
if (name === undefined || paths.length === 0) {
  console.error(`usage: build_image.ts ${Object.keys(EXAMPLES).join('|')}|FILE.json OUT…`);
  process.exit(2);
}
const program = Object.hasOwn(EXAMPLES, name)
  ? EXAMPLES[name as keyof typeof EXAMPLES]
  : Program.parse(JSON.parse(readFileSync(name, 'utf8')));
buildImages(program).forEach((image, i) => {
  if (paths[i] !== undefined) writeFileSync(paths[i], image);
});
