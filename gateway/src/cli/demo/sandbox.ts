/**
 * Makes sure the demo has a sandbox: installs bubblewrap where it may, and otherwise falls back to Node's
 * permission model for the one server that ships with Turnward, saying so.
 */
import { spawnSync } from 'node:child_process'
import { createBubblewrapRunner } from '../../tools/runners/bubblewrap.ts'
import { createProcessRunner } from '../../tools/runners/process.ts'
import { createRunners, installHint, type Runners } from '../../tools/runners/runners.ts'
import { runnerOptions } from '../runner-options.ts'

export interface DemoSandbox {
  readonly sandboxed: boolean
  readonly makeRunners: (protect: readonly string[]) => Runners
}

export async function prepareSandbox(say: (line: string) => void): Promise<DemoSandbox> {
  let problem = await probe()
  if (problem !== undefined && process.getuid?.() === 0 && installBubblewrap(say)) problem = await probe()
  if (problem === undefined) return { sandboxed: true, makeRunners: (protect) => createRunners(runnerOptions(protect)) }
  say(`WARNING: no sandbox (${problem}).\n${installHint()}\nThe demo goes on with its own server only, under Node's permission model.`)
  return { sandboxed: false, makeRunners: withPermissionModel }
}

/** Why bubblewrap cannot be used now; a runner remembers its first answer, so each probe has its own. */
async function probe(): Promise<string | undefined> {
  return createBubblewrapRunner(runnerOptions()).available()
}

function withPermissionModel(protect: readonly string[]): Runners {
  const runner = createProcessRunner({ ...runnerOptions(protect), nodePermissions: true })
  return new Map([[runner.name, runner]])
}

function installBubblewrap(say: (line: string) => void): boolean {
  say('Installing bubblewrap, the sandbox for MCP servers …')
  const install = (): boolean =>
    spawnSync('apt-get', ['install', '-y', '-qq', 'bubblewrap'], { stdio: 'ignore', timeout: 120_000 }).status === 0
  return install() || (spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore', timeout: 120_000 }).status === 0 && install())
}
