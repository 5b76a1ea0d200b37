/**
 * Makes sure the demo has a sandbox: installs bubblewrap where it may, and otherwise falls back to Node's
 * permission model for the one server that ships with Turnward, saying so.
 */
import { spawnSync } from 'node:child_process'
import { createProcessRunner } from '../../tools/runners/process.ts'
import { createRunners, installHint, type Runners } from '../../tools/runners/runners.ts'
import { runnerOptions } from '../runner-options.ts'

export interface DemoSandbox {
  readonly sandboxed: boolean
  readonly runners: Runners
}

export async function prepareSandbox(say: (line: string) => void): Promise<DemoSandbox> {
  const runners = createRunners(runnerOptions())
  const bubblewrap = runners.get('bubblewrap')
  let problem = await bubblewrap?.available()
  if (problem !== undefined && process.getuid?.() === 0 && installBubblewrap(say)) {
    const again = createRunners(runnerOptions())
    problem = await again.get('bubblewrap')?.available()
    if (problem === undefined) return { sandboxed: true, runners: again }
  }
  if (problem === undefined && bubblewrap !== undefined) return { sandboxed: true, runners }
  say(`WARNING: no sandbox (${problem ?? 'bubblewrap is not known here'}).\n${installHint()}\nThe demo goes on with its own server only, under Node's permission model.`)
  const fallback = createProcessRunner({ ...runnerOptions(), nodePermissions: true })
  return { sandboxed: false, runners: new Map([[fallback.name, fallback]]) }
}

function installBubblewrap(say: (line: string) => void): boolean {
  say('Installing bubblewrap, the sandbox for MCP servers …')
  const install = (): boolean => spawnSync('apt-get', ['install', '-y', '-qq', 'bubblewrap'], { stdio: 'ignore', timeout: 120_000 }).status === 0
  return install() || (spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore', timeout: 120_000 }).status === 0 && install())
}
