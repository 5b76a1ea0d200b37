/** Can stdio servers be sandboxed here, and what bounds them? */
import type { Snapshot } from '../../config/snapshot.ts'
import { detectCgroups } from '../../tools/runners/cgroup.ts'
import { canReadTree } from '../../tools/runners/process-tree.ts'
import { probeSandbox, type SandboxPart, type SandboxProblem } from '../../tools/runners/sandbox-probe.ts'
import type { Finding } from './finding.ts'

/** What was found out about this machine. */
export interface SandboxFacts {
  /** The first thing a sandbox lacks. */
  readonly problem: SandboxProblem | undefined
  /** Version of the cgroups that can be made. */
  readonly cgroup: 1 | 2 | undefined
  readonly canWatch: boolean
  /** Servers whose limits may go unenforced. */
  readonly accepting: number
}

const parts: readonly { readonly part: SandboxPart; readonly check: string; readonly sound: string }[] = [
  { part: 'system', check: 'system', sound: 'Linux' },
  { part: 'bubblewrap', check: 'bubblewrap', sound: 'installed' },
  { part: 'util-linux', check: 'util-linux', sound: '`prlimit` and `setpriv` are installed' },
  { part: 'namespaces', check: 'namespaces', sound: 'a sandbox can be made' },
  { part: 'seccomp', check: 'system calls', sound: 'the kernel filters them (seccomp)' },
]

/** Nothing where no server is started in a sandbox. */
export async function checkSandbox(snapshot: Snapshot): Promise<readonly Finding[]> {
  const sandboxed = [...snapshot.servers.values()].flatMap(({ config }) =>
    config.transport === 'stdio' && config.runner === 'bubblewrap' ? [config] : [],
  )
  if (sandboxed.length === 0) return []
  return sandboxFindings({
    problem: await probeSandbox(),
    cgroup: detectCgroups()?.version,
    canWatch: canReadTree(process.pid),
    accepting: sandboxed.filter(({ limits }) => limits.unenforced === 'accept').length,
  })
}

/** From the first thing a sandbox stands on to the first that is missing, and what bounds a server as a whole. */
export function sandboxFindings(facts: SandboxFacts): readonly Finding[] {
  const missing = parts.findIndex(({ part }) => part === facts.problem?.part)
  const sound = parts.slice(0, missing < 0 ? parts.length : missing)
  return [
    ...sound.map(({ check, sound: detail }): Finding => ({ check: `sandbox: ${check}`, level: 'ok', detail })),
    ...parts
      .slice(missing < 0 ? parts.length : missing)
      .slice(0, 1)
      .map(({ check }): Finding => ({ check: `sandbox: ${check}`, level: 'problem', detail: facts.problem?.why ?? '' })),
    limitsOf(facts),
  ]
}

const getCgroup =
  'Let systemd hand one over: `Delegate=memory pids` in the unit of the gateway, or start it with `systemd-run --user --scope turnward start …`. In a container mount /sys/fs/cgroup writable.'

function limitsOf({ cgroup, canWatch, accepting }: SandboxFacts): Finding {
  const check = 'sandbox: limits'
  if (cgroup !== undefined)
    return { check, level: 'ok', detail: `memory and processes of a whole server are bounded by a cgroup (version ${cgroup})` }
  if (canWatch)
    return {
      check,
      level: 'warning',
      detail:
        'no cgroup can be made here: a server is watched, and killed within 100 ms after all its processes together hold too much; files in its memory file systems are not counted',
      fix: getCgroup,
    }
  const servers =
    accepting === 0 ? 'no server is started' : `only servers with \`limits.unenforced: accept\` are started (${accepting}), unbounded`
  return { check, level: 'problem', detail: `no cgroup can be made here and processes cannot be watched: ${servers}`, fix: getCgroup }
}
