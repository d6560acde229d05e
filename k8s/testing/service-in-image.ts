import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { IMAGE_ENV, IMAGE_USER } from './image.ts';

/**
 * In a mount namespace of its own: the image is read-only, /tmp is empty and may be written to, the configuration is a folder
 * in it. Each step replaces the one before, so that signals and the channel of our parent reach the service itself.
 */
const IN_IMAGE = `
  mount --make-rprivate /
  mount --bind "$1" "$1"
  mount -o remount,bind,ro "$1"
  mount -t proc proc "$1/proc"
  mount --bind /dev "$1/dev"
  mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
  mkdir "$1/tmp/config" "$1/tmp/spill"
  chown ${IMAGE_USER} "$1/tmp/spill"
  cp "$2/callfleet.yaml" "$1/tmp/config/callfleet.yaml"
  exec chroot --userspec=${IMAGE_USER} "$1" /usr/bin/env -C /app node --disable-warning=ExperimentalWarning "services/$3/src/main.ts"
`;

/** Stands for a service's `main.ts`, as `Fleet` starts it: runs the service of the image, and ends as that ends. */
export function runInImage(service: string, root: string, httpPort: number): void {
  const { CALLFLEET_CONFIG = '', PATH: _, ...env } = process.env;
  const isFirst = env.CALLFLEET_INSTANCE === 'gateway-1';
  const child = spawn('unshare', ['--mount', 'sh', '-euc', IN_IMAGE, 'sh', root, dirname(CALLFLEET_CONFIG), service], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: {
      ...env,
      ...IMAGE_ENV,
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      CALLFLEET_CONFIG: '/tmp/config/callfleet.yaml',
      // All are on one machine's network.
      CALLFLEET_TELEMETRY__HTTP__PORT: String(isFirst ? httpPort : 0),
    },
  });
  child.on('message', (message) => process.send?.(message as object));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('disconnect', () => child.kill('SIGTERM'));
  child.once('exit', (code) => process.exit(code ?? 1));
}
