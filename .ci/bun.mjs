// Runs the pinned Bun with the given arguments, on a machine that has only Node.js, npm and git.
// Installs the dependencies first when they are missing or older than the lock file. The binary is
// taken from Bun's platform package, so that it also works where npm blocks install scripts.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (result.error) throw result.error;
  if (result.signal) process.kill(process.pid, result.signal);
  return result.status ?? 1;
}

function modifiedAt(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}

function installWhatIsMissing() {
  const installed = modifiedAt(join(root, 'node_modules', '.package-lock.json'));
  if (installed > 0 && installed >= modifiedAt(join(root, 'package-lock.json'))) return;
  // Not `npm ci`: it refuses a lock file that lacks the optional packages of a platform that a registry does not have.
  // `install` takes the versions and checksums of the lock file all the same, and `--no-save` leaves it as it is.
  const status = run('npm', ['install', '--no-save', '--ignore-scripts', '--include=dev', '--include=optional']);
  if (status !== 0) process.exit(status);
}

function findBun() {
  const architecture = process.arch === 'arm64' ? 'aarch64' : process.arch;
  for (const suffix of ['', '-musl', '-baseline']) {
    const file = join(root, 'node_modules', '@oven', `bun-${process.platform}-${architecture}${suffix}`, 'bin', 'bun');
    if (existsSync(file) && spawnSync(file, ['--version']).status === 0) return file;
  }
  console.error(
    `No Bun for ${process.platform}-${process.arch} in node_modules/@oven: run "npm install --include=optional"`,
  );
  process.exit(1);
}

installWhatIsMissing();
const args = process.argv.slice(2);
if (args.length > 0) process.exit(run(findBun(), args));
