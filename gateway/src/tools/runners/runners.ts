/** The runners there are, and which one a server gets. A server never falls back to a weaker runner by itself. */
import { TurnwardError } from '../../core/error.ts'
import type { McpServer } from '../../config/snapshot.ts'
import { createBubblewrapRunner, type BubblewrapOptions } from './bubblewrap.ts'
import { createDockerRunner } from './docker/docker.ts'
import { createKubernetesRunner } from './kubernetes/kubernetes.ts'
import { createProcessRunner } from './process.ts'
import type { Runner } from './runner.ts'

export type Runners = ReadonlyMap<string, Runner>

/** One runner per name of `servers.*.runner` this release has. */
export function createRunners(options: BubblewrapOptions): Runners {
  const runners = [
    createBubblewrapRunner(options),
    createProcessRunner({ ...options, nodePermissions: false }),
    createDockerRunner({ protect: options.protect }),
    createKubernetesRunner(),
  ]
  return new Map(runners.map((runner) => [runner.name, runner]))
}

/**
 * The runner of a server. Errors: `config.not_available` for a runner this release does not have, `config.invalid`
 * for `process` without `unsafe_no_sandbox`.
 */
export function runnerOf(runners: Runners, server: McpServer): Runner {
  const { config } = server
  if (config.transport !== 'stdio')
    throw new TurnwardError('config.invalid', { subject: `servers.${server.name}`, why: 'only stdio servers are started by a runner' })
  const runner = runners.get(config.runner)
  if (runner === undefined)
    throw new TurnwardError('config.not_available', {
      subject: `servers.${server.name}.runner`,
      why: `\`runner: ${config.runner}\` is not available yet in this release`,
    })
  if (runner.name === 'process' && !config.unsafe_no_sandbox) {
    throw new TurnwardError('config.invalid', {
      subject: `servers.${server.name}.runner`,
      why: '`runner: process` isolates nothing',
      fix: 'Set `unsafe_no_sandbox: true` for a server you trust, or remove `runner`.',
    })
  }
  return runner
}

/** What to tell an administrator whose machine has no sandbox. */
export function installHint(): string {
  if (process.platform !== 'linux') {
    return 'The sandbox for MCP servers needs Linux with bubblewrap. On this system opt in per server with `runner: process`, `unsafe_no_sandbox: true` and `limits.unenforced: accept`, only for servers you trust.'
  }
  return [
    'The sandbox for MCP servers needs bubblewrap:',
    '  Debian, Ubuntu:  apt-get install bubblewrap',
    '  Fedora, RHEL:    dnf install bubblewrap',
    '  Alpine:          apk add bubblewrap util-linux-misc setpriv',
    '  Arch:            pacman -S bubblewrap',
    'If it is installed and still refused, user namespaces are switched off: see `kernel.apparmor_restrict_unprivileged_userns` (Ubuntu) or the seccomp profile of the container.',
    'For a server you trust you may opt out with `runner: process` and `unsafe_no_sandbox: true`.',
  ].join('\n')
}
