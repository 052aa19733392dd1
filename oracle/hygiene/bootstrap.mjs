// Run one of the project's commands on a machine that has only Node 20 and npm 11.
//
//   node oracle/hygiene/bootstrap.mjs FILE.ts [ARGUMENT…]      a program of this repository
//   node oracle/hygiene/bootstrap.mjs TOOL [ARGUMENT…]         a tool from node_modules/.bin (vitest, tsc, biome, c8)
//
// 1. If node_modules is missing, or differs from package-lock.json, `npm ci` runs first. It speaks on standard error only, so
//    that the command's standard output stays the command's.
// 2. The command runs under the Node 24 that the development dependency `node` brings, whatever the system has.
// 3. Exit code and signals pass through.
//
// This file runs before anything is installed: plain JavaScript, Node 20, no dependency.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const bin = join(root, 'node_modules/.bin');
const node24 = join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** What differs between the lockfile and node_modules, in one phrase, or undefined when nothing does. */
export function outOfDate(lockText, installedText) {
  if (installedText === undefined) return 'node_modules is missing';
  const wanted = JSON.parse(lockText).packages;
  const installed = JSON.parse(installedText).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = installed[path];
    // A package for another platform is optional, and rightly absent.
    if (!found && entry.optional) continue;
    if (!found) return `${path} is missing`;
    if (found.version !== entry.version) return `${path} is ${found.version}, not ${entry.version}`;
  }
  for (const path of Object.keys(installed)) if (!wanted[path]) return `${path} is no longer wanted`;
  return undefined;
}

function textOf(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** The environment with the system's own node and npm first: `npm ci` deletes the node that node_modules brought. */
function systemEnvironment() {
  const path = (process.env.PATH ?? '').split(delimiter).filter((entry) => !entry.includes('node_modules'));
  return { ...process.env, PATH: path.join(delimiter) };
}

function projectEnvironment() {
  return { ...process.env, PATH: [bin, dirname(node24), process.env.PATH ?? ''].join(delimiter) };
}

/** `npm run` moves to the repository; file names given to `npm run xenspec` are meant from where the user stands. */
function programDirectory() {
  return process.env.npm_lifecycle_event === 'xenspec' && process.cwd() === root ? (process.env.INIT_CWD ?? root) : process.cwd();
}

/** Run a program to its end; resolves to its exit code, 128 + the signal's number when a signal ended it. */
function run(command, args, options) {
  return new Promise((settle, refuse) => {
    const child = spawn(command, args, options);
    const pass = (signal) => child.kill(signal);
    // A terminal sends SIGINT to the whole group, so the child has it already; this process only waits for the child's answer.
    const wait = () => {};
    process.on('SIGINT', wait).on('SIGTERM', pass).on('SIGHUP', pass);
    child.on('error', refuse);
    child.on('exit', (code, signal) => {
      process.off('SIGINT', wait).off('SIGTERM', pass).off('SIGHUP', pass);
      settle(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

async function install(reason) {
  console.error(`xenspec: ${reason}: installing with npm ci (about half a minute)`);
  const started = Date.now();
  const ticking = setInterval(() => {
    console.error(`xenspec: still installing, ${Math.round((Date.now() - started) / 1000)} s`);
  }, 10_000);
  const windows = process.platform === 'win32';
  const code = await run(windows ? 'npm.cmd' : 'npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    env: systemEnvironment(),
    stdio: ['ignore', 2, 2],
    shell: windows,
  }).catch((error) => {
    console.error(`xenspec: npm could not be started: ${error.message}`);
    return 127;
  });
  clearInterval(ticking);
  if (code !== 0) {
    console.error(`xenspec: npm ci failed with exit code ${code}; is the package registry reachable?`);
    process.exit(code);
  }
  console.error(`xenspec: installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

async function main([target, ...rest]) {
  if (!target) {
    console.error('usage: node oracle/hygiene/bootstrap.mjs FILE.ts|TOOL [ARGUMENT…]');
    return 2;
  }
  const reason =
    outOfDate(readFileSync(join(root, 'package-lock.json'), 'utf8'), textOf(join(root, 'node_modules/.package-lock.json'))) ??
    (existsSync(node24) ? undefined : 'the node binary is missing');
  if (reason) await install(reason);

  const options = { env: projectEnvironment(), stdio: 'inherit' };
  if (target.endsWith('.ts')) {
    // Node keeps what it made of the TypeScript, so that the second start takes a third of the time.
    const env = { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/node'), ...options.env };
    return run(node24, [join(root, target), ...rest], { ...options, env, cwd: programDirectory() });
  }
  const windows = process.platform === 'win32';
  return run(join(bin, windows ? `${target}.cmd` : target), rest, { ...options, cwd: root, shell: windows });
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
