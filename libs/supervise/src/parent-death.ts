import { findProgram } from './program.ts';

/**
 * The command that runs `command` so that the kernel kills it when we die, even of kill -9.
 *
 * That is Linux's parent-death signal, set by util-linux's setpriv, which then becomes the program: same pid. It survives
 * execve and chroot, but is cleared when a set-user-ID or set-capability program is run, or the user id changes. It
 * follows the thread that started the child: a child started in a worker thread ends with that thread. Where there is
 * no setpriv (macOS, Alpine without util-linux), children end with our regular exit only.
 */
export function dyingWithUs(command: string, args: readonly string[]): [command: string, args: string[]] {
  return setpriv === undefined ? [command, [...args]] : [setpriv, ['--pdeathsig', 'KILL', '--', command, ...args]];
}

const setpriv = process.platform === 'linux' ? findProgram('setpriv') : undefined;
