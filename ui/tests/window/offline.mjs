/**
 * Runs tests of the window without a network, and holds what they did against that: everything works, and no process
 * of the program, its engine or its web view so much as tries to reach another machine.
 *
 *   node tests/window/offline.mjs SCRIPT…
 *
 * Needs strace, ip, and a system that lets a process have a network of its own; elsewhere the scripts run as they are,
 * and with CI=true they fail.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const scripts = process.argv.slice(2);
const screenshots = resolve(import.meta.dirname, '../../../artefacts/window');
mkdirSync(screenshots, { recursive: true });

const works = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
/** Without root a process may have a network of its own where it may be root of a world of its own. */
const isolation = [['--net'], ['--net', '--map-root-user']].find((way) => works('unshare', [...way, 'ip', 'link', 'set', 'lo', 'up']));
const canTrace = works('strace', ['-f', '-e', 'trace=connect', 'true']);

/** Calls that name an address of a network, and those of them that name another machine. */
function reached(log) {
  const addresses = /sa_family=AF_INET6?,[^}]*?"([^"]+)"/g;
  const isLocal = (address) => /^127\.|^::1$|^::ffff:127\./.test(address);
  const calls = readFileSync(log, 'utf8')
    .split('\n')
    .map((line) => ({ line, addresses: [...line.matchAll(addresses)].map(([, address]) => address) }))
    .filter((call) => call.addresses.length > 0);
  return { calls, away: calls.filter((call) => !call.addresses.every(isLocal)).map(({ line }) => line) };
}

for (const script of scripts) {
  const path = join(import.meta.dirname, script);
  if (!isolation || !canTrace) {
    const reason = isolation ? 'strace is missing' : 'this system lets no process have a network of its own';
    if (process.env.CI === 'true') {
      console.error(`${script} was not tried without a network: ${reason}`);
      process.exitCode = 1;
      continue;
    }
    console.log(`${script} runs with the network: ${reason}`);
    process.exitCode ||= spawnSync(process.execPath, [path], { stdio: 'inherit' }).status ?? 1;
    continue;
  }
  const log = join(screenshots, `${script}.connections.log`);
  // A filter in the kernel, so that only calls to a network are slower.
  const trace = ['strace', '--seccomp-bpf', '-f', '-qq', '-e', 'trace=connect,sendto,sendmsg,sendmmsg', '-e', 'signal=none', '-o', log];
  const words = ['sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...trace, process.execPath, path];
  const { status } = spawnSync('unshare', [...isolation, ...words], { stdio: 'inherit' });
  process.exitCode ||= status ?? 1;
  const { calls, away } = reached(log);
  if (away.length > 0) {
    console.error(`${script} tried to reach another machine:\n${away.join('\n')}`);
    process.exitCode = 1;
  } else if (calls.length === 0) {
    // The test drives the window over loopback: a trace without that has seen nothing.
    console.error(`${script} was not traced: ${log} names no address at all`);
    process.exitCode = 1;
  } else if (status === 0) {
    console.log(`${script}: passed without a network, and nothing tried to reach another machine`);
  }
}
